//! `lodger logs`: what containers wrote.
//!
//! What a container wrote to standard error goes to standard error. Bytes pass as they are, as with podman: colours are
//! wanted, and whoever reads logs of a container that they do not trust pipes them through `cat -v`.

use crate::command::{Command, Count, Invocation, Opt, flags_of, number, switch};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::time::Time;
use crate::{moment, output, selection};
use engine::Engine;
use engine::containers::Container;
use engine::logs::{LogLine, LogOptions, Stream};
use jiff::Timestamp;
use spec::options::{Complete, Flag};
use std::io::{self, Write};
use std::ops::ControlFlow;

pub(crate) const COMMAND: Command = Command {
    paths: &["logs", "container logs"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Fetch the logs of one or more containers",
    about: "Shows what containers wrote to standard output and standard error.",
    examples: &["lodger logs web", "lodger logs --follow --tail 20 web", "lodger logs --since 10m --timestamps web"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    color: bool,
    latest: bool,
    names: bool,
    timestamps: bool,
    lines: LogOptions,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("color", "Show the names of several containers in colours"),
        set: |options, value| switch(&mut options.color, value),
    },
    Opt {
        flag: Flag::switch("follow", "Go on until the container ends").short('f'),
        set: |options, value| switch(&mut options.lines.follow, value),
    },
    Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) },
    Opt {
        flag: Flag::switch("names", "Show names instead of IDs before the lines of several containers").short('n'),
        set: |options, value| switch(&mut options.names, value),
    },
    Opt {
        flag: Flag::with_value("since", "string", "From this moment on: 10m, 2026-11-22T02:36:48Z"),
        set: |options, value| {
            options.lines.since = Some(moment::parse(value, Timestamp::now())?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("tail", "int", "Only the last so many lines; -1 is all"),
        set: |options, value| {
            options.lines.tail = if value.starts_with('-') { None } else { Some(number(value)?) };
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("timestamps", "Show the time before each line").short('t'),
        set: |options, value| switch(&mut options.timestamps, value),
    },
    Opt {
        flag: Flag::with_value("until", "string", "Up to this moment: 2026-11-22T02:36:48Z, or 5m from now"),
        set: |options, value| {
            options.lines.until = Some(moment::parse_ahead(value, Timestamp::now())?);
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let containers = match (options.latest, call.operands.as_slice()) {
        (true, []) => vec![engine.latest()?],
        (true, _) => return Err(call.usage("--latest and containers cannot be used together")),
        (false, []) => return Err(call.usage("specify at least one container name or ID to log")),
        (false, names) => names.iter().map(|name| Ok(engine.container(name)?)).collect::<Result<Vec<_>>>()?,
    };
    if options.lines.follow && containers.len() > 1 {
        return Err(call.usage("--follow takes one container: use `journalctl --follow` for several"));
    }
    let several = containers.len() > 1;
    for (index, container) in containers.iter().enumerate() {
        let prefix = prefix(container, &options, several, index);
        show(&engine, container, &options, &prefix)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands before each line where there are several containers: the ID, or the name if that is asked for.
fn prefix(container: &Container, options: &Options, several: bool, index: usize) -> String {
    // SGR colours 31 to 36 (ECMA-48).
    let colour = |text: &str| format!("\x1b[{}m{text}\x1b[0m", 31 + index % 6);
    let text = match (options.names, several) {
        (_, false) => return String::new(),
        (true, true) => container.record.name.as_str(),
        (false, true) => container.record.id.short(),
    };
    format!("{} ", if options.color { colour(text) } else { text.to_owned() })
}

fn show(engine: &Engine, container: &Container, options: &Options, prefix: &str) -> Result<()> {
    let mut failed = None;
    let mut begins = [true, true];
    engine.logs(container, &options.lines, &mut |line| {
        let begin = &mut begins[usize::from(line.stream == Stream::Stderr)];
        match write(&line, options, prefix, *begin) {
            Ok(()) => {
                *begin = !line.partial;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(()), |error| Err(output::closed(error)))
}

fn write(line: &LogLine, options: &Options, prefix: &str, begin: bool) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(line.text.len() + 64);
    if begin {
        bytes.extend_from_slice(prefix.as_bytes());
        if options.timestamps {
            bytes.extend_from_slice(stamp(line.time).as_bytes());
        }
    }
    bytes.extend_from_slice(&line.text);
    if !line.partial {
        bytes.push(b'\n');
    }
    match line.stream {
        Stream::Stdout => {
            let mut out = io::stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush())
        }
        Stream::Stderr => io::stderr().lock().write_all(&bytes),
    }
}

/// RFC 3339 with all nine digits, in the local zone, and a space.
fn stamp(time: Timestamp) -> String {
    let text = Time::local(time).rfc3339();
    let (clock, zone) = text.split_at(19);
    let digits = zone.strip_prefix('.').unwrap_or("");
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    let zone = zone.trim_start_matches('.').trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{clock}.{digits:0<9}{zone} ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timestamp_is_as_long_as_the_next() {
        for text in ["2026-11-22T02:36:48Z", "2026-11-22T02:36:48.5Z", "2026-11-22T02:36:48.000000001Z"] {
            let stamp = stamp(text.parse().unwrap());
            let (clock, rest) = stamp.split_once('.').unwrap();
            assert_eq!((clock.len(), rest[..9].parse::<u32>().is_ok()), (19, true), "{stamp}");
            assert!(stamp.ends_with(' ') && stamp.trim_end().parse::<Timestamp>().is_ok(), "{stamp}");
        }
    }
}
