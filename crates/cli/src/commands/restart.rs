//! `lodger restart`: containers stopped and started again.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::commands::stop::{TIME, seconds};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Chosen, Selection, each};
use engine::containers::{Listed, Status};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["restart", "container restart"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Restart one or more containers",
    about: "Stops containers that run and starts them again; those that do not run are started.",
    examples: &["lodger restart web", "lodger restart --running --all"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    selection: Selection,
    running: bool,
    time: Option<u32>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL, set: |options, value| options.selection.set(&selection::ALL, value) },
    Opt { flag: selection::CIDFILE, set: |options, value| options.selection.set(&selection::CIDFILE, value) },
    Opt { flag: selection::FILTER, set: |options, value| options.selection.set(&selection::FILTER, value) },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
    Opt {
        flag: Flag::switch("running", "Only containers that run; without names, all of them"),
        set: |options, value| switch(&mut options.running, value),
    },
    Opt {
        flag: TIME,
        set: |options, value| {
            options.time = seconds(value)?;
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    if options.running && call.operands.is_empty() {
        options.selection.everything();
    }
    let engine = call.engine()?;
    let mut chosen = options.selection.containers(&call, &engine, Listed::All)?;
    if options.running {
        let ended = |chosen: &Chosen| chosen.container.as_ref().is_ok_and(|one| one.status() != Status::Running);
        chosen.retain(|chosen| !ended(chosen));
    }
    each(chosen, |container| Ok(engine.restart(container, options.time)?))
}
