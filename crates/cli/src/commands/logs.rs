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
        flag: Flag::switch("color", "Show the lines of each container in a colour of its own"),
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
    let several = containers.len() > 1;
    let frames: Vec<Frame> =
        containers.iter().enumerate().map(|(index, one)| Frame::of(one, &options, several, index)).collect();
    show(&engine, &containers, &options, &frames)?;
    Ok(ExitCode::SUCCESS)
}

/// What stands around each line of a container.
struct Frame {
    before: String,
    after: &'static str,
}

impl Frame {
    /// Where there are several containers, the ID, or the name if that is asked for. A colour is of the whole line.
    fn of(container: &Container, options: &Options, several: bool, index: usize) -> Self {
        let who = match (several, options.names) {
            (false, _) => String::new(),
            (true, true) => format!("{} ", container.record.name),
            (true, false) => format!("{} ", container.record.id.short()),
        };
        // SGR colours (ECMA-48), white first, as podman has it.
        let colour = [37, 31, 32, 33, 34, 35, 36][index % 7];
        match options.color {
            true => Self { before: format!("\x1b[{colour}m{who}"), after: "\x1b[0m" },
            false => Self { before: who, after: "" },
        }
    }
}

fn show(engine: &Engine, containers: &[Container], options: &Options, frames: &[Frame]) -> Result<()> {
    let mut failed = None;
    let mut begins = vec![[true, true]; containers.len()];
    let mut take = |number: usize, line: LogLine| {
        let begin = &mut begins[number][usize::from(line.stream == Stream::Stderr)];
        match write(&line, options, &frames[number], *begin) {
            Ok(()) => {
                *begin = !line.partial;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    match containers {
        [one] => engine.logs(one, &options.lines, &mut |line| take(0, line))?,
        several => engine.logs_of(several, &options.lines, &mut take)?,
    }
    failed.map_or(Ok(()), |error| Err(output::closed(error)))
}

fn write(line: &LogLine, options: &Options, frame: &Frame, begin: bool) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(line.text.len() + 64);
    if begin {
        bytes.extend_from_slice(frame.before.as_bytes());
        if options.timestamps {
            bytes.extend_from_slice(stamp(line.time).as_bytes());
        }
    }
    bytes.extend_from_slice(&line.text);
    if !line.partial {
        bytes.extend_from_slice(frame.after.as_bytes());
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
