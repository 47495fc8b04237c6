//! `lodger run`: a new container, started; and what `create` shares with it.

use crate::command::{Command, Invocation, Opt, Unsupported, flags_of, push, switch};
use crate::error::{CliError, Result};
use crate::output;
use crate::progress::Progress;
use engine::containers::NewContainer;
use engine::launch::{Attachment, StandardInput};
use engine::{ContainerRecord, Engine, Signals};
use spec::container::Root;
use spec::options::parse::Order;
use spec::options::{COMMAND_FLAGS, Complete, Verb};
use std::process::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["run", "container run"],
    operands: "IMAGE [COMMAND [ARG...]]",
    summary: "Run a command in a new container",
    about: "Runs a command in a new container from the given image.",
    examples: &[
        "lodger run --rm -it docker.io/library/alpine sh",
        "lodger run -d --name web -p 8080:80 docker.io/library/nginx",
        "lodger run --rm -v ./data:/data:ro docker.io/library/alpine ls /data",
    ],
    order: Order::FlagsFirst,
    complete: &[Complete::Images, Complete::Nothing],
    verb: Some(Verb::Run),
    flags: || flags_of(OPTIONS),
    unsupported: &[
        Unsupported::with_value("detach-keys", "an attached container cannot be left running yet"),
        Unsupported::switch("show-ops", "the steps of a start cannot be shown yet"),
    ],
    run,
    ..Command::PLAIN
};

/// What only the command line is told.
struct Options {
    attach: Vec<String>,
    sig_proxy: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { attach: Vec::new(), sig_proxy: true }
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: COMMAND_FLAGS[0],
        set: |options, value| value.split(',').try_for_each(|one| push(&mut options.attach, &one.to_ascii_lowercase())),
    },
    Opt { flag: COMMAND_FLAGS[2], set: |options, value| switch(&mut options.sig_proxy, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let detach = call.spec.lifecycle.detach;
    if detach && !options.attach.is_empty() {
        return Err(call.usage("conflicting options: cannot specify both --attach and --detach"));
    }
    let input = input(&call, &options)?;
    let engine = call.engine()?;
    if !detach {
        engine.check_foreground(&call.spec)?;
    }
    let record = create(&call, &engine)?;
    if detach {
        let container = engine.container(record.id.as_str())?;
        engine.start_detached(&container)?;
        output::print_line(record.id.as_str())?;
        return Ok(ExitCode::SUCCESS);
    }
    let signals = if options.sig_proxy { Signals::Relay } else { Signals::Own };
    let ended = engine.run_in_foreground(&record, Attachment { input, signals })?;
    Ok(ExitCode::from(ended.code))
}

/// What the container reads. Its output is the caller's, whole or not at all.
fn input(call: &Invocation, options: &Options) -> Result<StandardInput> {
    let attach = &options.attach;
    if let Some(other) = attach.iter().find(|word| !["stdin", "stdout", "stderr"].contains(&word.as_str())) {
        return Err(call.usage(format!("invalid stream {other:?} for --attach: choose from stdin, stdout, stderr")));
    }
    let has = |word: &str| attach.iter().any(|stream| stream == word);
    let whole = has("stdout") && has("stderr");
    if !attach.is_empty() && !whole {
        return Err(CliError::Unsupported {
            what: format!("--attach={}", attach.join(",")),
            reason: "standard output and standard error are attached together".to_owned(),
            hint: Some("redirect one of them in the shell, or use --detach and `lodger logs`".to_owned()),
        });
    }
    let caller = call.spec.process.interactive || has("stdin");
    Ok(if caller { StandardInput::Caller } else { StandardInput::Closed })
}

/// Makes the container that the command line describes.
pub(crate) fn create(call: &Invocation, engine: &Engine) -> Result<ContainerRecord> {
    if matches!(&call.spec.root, Root::Image(name) if name.is_empty()) {
        return Err(call.usage("requires at least 1 arg(s), only received 0"));
    }
    let progress = if call.spec.pull.quiet { Progress::none() } else { Progress::new() };
    let new = NewContainer { spec: call.spec.clone(), command: std::env::args().collect() };
    let record = engine.create(new, &|event| progress.event(event))?;
    engine.network_warnings(&record).iter().for_each(|warning| output::warn(warning));
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_they_are_taken_for() {
        let names: Vec<&str> = OPTIONS.iter().map(|row| row.flag.long).collect();
        assert_eq!(names, ["attach", "sig-proxy"]);
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
