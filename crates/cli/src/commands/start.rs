//! `lodger start`: containers that exist, run again.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::commands::attach::{self, DETACH_KEYS};
use crate::commands::run::foreground;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Chosen, Selection, each};
use engine::containers::{Container, Listed, Status};
use engine::launch::{Attachment, Output, StandardInput};
use engine::{DetachKeys, Signals};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["start", "container start"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Start one or more containers",
    about: "Starts containers that were made or have ended. Prints what it started.",
    examples: &["lodger start web", "lodger start --attach --interactive shell", "lodger start --all"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    selection: Selection,
    attach: bool,
    interactive: bool,
    keys: Option<DetachKeys>,
    sig_proxy: Option<bool>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL_LONG, set: |options, value| options.selection.set(&selection::ALL_LONG, value) },
    Opt {
        flag: Flag::switch("attach", "Stay with the container until it ends, and exit as it did").short('a'),
        set: |options, value| switch(&mut options.attach, value),
    },
    Opt {
        flag: DETACH_KEYS,
        set: |options, value| {
            options.keys = Some(attach::keys(value)?);
            Ok(())
        },
    },
    Opt { flag: selection::FILTER, set: |options, value| options.selection.set(&selection::FILTER, value) },
    Opt {
        flag: Flag::switch("interactive", "Let the container read standard input").short('i'),
        set: |options, value| switch(&mut options.interactive, value),
    },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
    Opt {
        flag: Flag::switch("sig-proxy", "Hand signals on to the process (default true with --attach)"),
        set: |options, value| {
            options.sig_proxy = Some(value == "true");
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let mut chosen = options.selection.containers(&call, &engine, Listed::All)?;
    if options.attach || options.interactive {
        if chosen.len() != 1 {
            return Err(call.usage("you cannot start and attach multiple containers at once"));
        }
        let container = chosen.remove(0).container?;
        let input = if options.interactive { StandardInput::Caller } else { StandardInput::Closed };
        let signals = if options.sig_proxy == Some(false) { Signals::Own } else { Signals::Relay };
        let keys = attach::keys_or_default(options.keys, &engine)?;
        let attachment = Attachment { input, output: [Output::Shown; 2], signals, keys };
        return foreground(&engine, &container.record, attachment, |error| unable(error, &container).into());
    }
    if options.selection.all() {
        chosen.retain(is_down);
    }
    each(chosen, |container| Ok(engine.start_detached(container).map_err(|e| unable(e, container))?))
}

fn unable(error: engine::Error, container: &Container) -> engine::Error {
    error.within(format!("unable to start container {:?}", container.record.id.as_str()))
}

fn is_down(chosen: &Chosen) -> bool {
    chosen.container.as_ref().is_ok_and(|container| container.status() != Status::Running)
}
