//! `lodger run`: a new container, started; and what `create` shares with it.

use crate::command::{Command, Invocation, Opt, flags_of, push, switch};
use crate::commands::attach;
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::progress::Progress;
use crate::remote;
use engine::containers::{Force, NewContainer, Starter, Volumes};
use engine::launch::{Attachment, Output, StandardInput};
use engine::{ContainerRecord, DetachKeys, Engine, Signals};
use spec::container::Root;
use spec::options::parse::Order;
use spec::options::{COMMAND_FLAGS, Complete, Verb};

pub(crate) const COMMAND: Command = Command {
    paths: &["run", "container run"],
    operands: "IMAGE [COMMAND [ARG...]]",
    summary: "Run a command in a new container",
    about: "Runs a command in a new container from the given image.",
    examples: &[
        "lodger run --rm -it docker.io/library/alpine sh",
        "lodger run -d --name web -p 8080:80 docker.io/library/nginx",
        "lodger run --rm -v ./data:/data:ro docker.io/library/alpine ls /data",
        "lodger run --show-ops docker.io/library/alpine true",
    ],
    order: Order::FlagsFirst,
    complete: &[Complete::Images, Complete::Nothing],
    verb: Some(Verb::Run),
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// What only the command line is told.
struct Options {
    attach: Vec<String>,
    keys: Option<DetachKeys>,
    sig_proxy: bool,
    show_ops: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { attach: Vec::new(), keys: None, sig_proxy: true, show_ops: false }
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: COMMAND_FLAGS[0],
        set: |options, value| value.split(',').try_for_each(|one| push(&mut options.attach, &one.to_ascii_lowercase())),
    },
    Opt {
        flag: COMMAND_FLAGS[1],
        set: |options, value| {
            options.keys = Some(attach::keys(value)?);
            Ok(())
        },
    },
    Opt { flag: COMMAND_FLAGS[2], set: |options, value| switch(&mut options.sig_proxy, value) },
    Opt { flag: COMMAND_FLAGS[3], set: |options, value| switch(&mut options.show_ops, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let detach = call.spec.lifecycle.detach;
    if detach && !options.attach.is_empty() {
        return Err(call.usage("conflicting options: cannot specify both --attach and --detach"));
    }
    let (input, output) = streams(&call, &options)?;
    let engine = call.engine()?;
    let starter = if detach { Starter::Detached } else { Starter::Foreground };
    let record = create(&call, &engine, starter)?;
    if options.show_ops {
        let ops = engine.show_ops(&record, input);
        engine.remove(&engine.container(record.id.as_str())?, Force::No, Volumes::Remove)?;
        output::print(&ops?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if detach {
        let container = engine.container(record.id.as_str())?;
        engine.start_detached(&container).map_err(CliError::Start)?;
        output::print_line(record.id.as_str())?;
        return Ok(ExitCode::SUCCESS);
    }
    let signals = if options.sig_proxy { Signals::Relay } else { Signals::Own };
    if input == StandardInput::Caller && call.spec.process.tty {
        warn_without_terminal();
    }
    let keys = attach::keys_or_default(options.keys, &engine)?;
    foreground(&engine, &record, Attachment { input, output, signals, keys }, CliError::Start)
}

/// Stays with a container until it ends, or is left to itself on the caller's terminal.
pub(crate) fn foreground(
    engine: &Engine,
    record: &ContainerRecord,
    attachment: Attachment,
    failed: impl Fn(engine::Error) -> CliError,
) -> Result<ExitCode> {
    let on_terminal = record.spec.process.tty && attachment.input == StandardInput::Caller;
    let can_leave =
        on_terminal && attachment.keys != DetachKeys::none() && std::io::IsTerminal::is_terminal(&std::io::stdin());
    if !can_leave {
        let attachment = Attachment { keys: DetachKeys::none(), ..attachment };
        let ended = engine.run_in_foreground(record, attachment).map_err(failed)?;
        return Ok(ExitCode::from(ended.code));
    }
    let signals = attachment.signals;
    let mut work = || match engine.run_in_foreground(record, attachment.clone()) {
        Ok(ended) => ended.code,
        Err(error) => failed(error).report().into(),
    };
    Ok(ExitCode::from(engine.beside_caller(signals, &mut work)?.code))
}

/// What the container reads, and what the caller sees of its standard output and standard error.
fn streams(call: &Invocation, options: &Options) -> Result<(StandardInput, [Output; 2])> {
    let attach = &options.attach;
    if let Some(other) = attach.iter().find(|word| !["stdin", "stdout", "stderr"].contains(&word.as_str())) {
        return Err(call.usage(format!("invalid stream {other:?} for --attach: choose from stdin, stdout, stderr")));
    }
    let has = |word: &str| attach.iter().any(|stream| stream == word);
    let caller = call.spec.process.interactive || has("stdin");
    let input = if caller { StandardInput::Caller } else { StandardInput::Closed };
    let shown = |word: &str| if attach.is_empty() || has(word) { Output::Shown } else { Output::Hidden };
    Ok((input, [shown("stdout"), shown("stderr")]))
}

/// `-it` in a script: it works, though not as whoever wrote it may think.
pub(crate) fn warn_without_terminal() {
    if !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        output::warn("The input device is not a TTY. The --tty and --interactive flags might not work properly");
    }
}

/// Makes the container that the command line describes.
pub(crate) fn create(call: &Invocation, engine: &Engine, starter: Starter) -> Result<ContainerRecord> {
    if matches!(&call.spec.root, Root::Image(name) if name.is_empty()) {
        return Err(call.usage("requires at least 1 arg(s), only received 0"));
    }
    let progress = if call.spec.pull.quiet { Progress::none() } else { Progress::new() };
    let mut spec = call.spec.clone();
    if let Some(creds) = &spec.pull.creds.0 {
        spec.pull.creds.0 = Some(remote::whole_credentials(creds)?);
    }
    let new = NewContainer { spec, command: without_secrets(std::env::args()), starter };
    let record = engine.create(new, &|event| progress.event(event))?;
    if record.spec.health.command.as_deref().is_some_and(|command| spec::health::test(command) != ["NONE"]) {
        output::warn(
            "the health check is kept with the container, but nobody runs it regularly yet: `lodger healthcheck run` runs it once",
        );
    }
    engine.network_warnings(&record).iter().for_each(|warning| output::warn(warning));
    engine.default_warnings(&record)?.iter().for_each(|warning| output::warn(warning));
    Ok(record)
}

/// The words of a command line as they are kept and shown.
pub(crate) fn without_secrets(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = words.collect();
    for at in 0..words.len() {
        match words[at].strip_prefix("--creds") {
            Some("") if at + 1 < words.len() => words[at + 1] = "…".to_owned(),
            Some(rest) if rest.starts_with('=') => words[at] = "--creds=…".to_owned(),
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_they_are_taken_for() {
        let names: Vec<&str> = OPTIONS.iter().map(|row| row.flag.long).collect();
        assert_eq!(names, ["attach", "detach-keys", "sig-proxy", "show-ops"]);
    }

    #[test]
    fn a_password_on_the_command_line_is_not_kept() {
        let kept = |line: &str| without_secrets(line.split(' ').map(str::to_owned)).join(" ");
        assert_eq!(kept("run --creds a:b web"), "run --creds … web");
        assert_eq!(kept("run --creds=a:b web --creds"), "run --creds=… web --creds");
    }

    #[test]
    fn every_flag_of_the_command_is_obeyed_or_refused() {
        for flag in COMMAND_FLAGS {
            let obeyed = OPTIONS.iter().any(|row| row.flag.long == flag.long);
            let refused = COMMAND.unsupported.iter().any(|row| row.flag.long == flag.long);
            assert!(obeyed != refused, "--{}", flag.long);
        }
    }
}
