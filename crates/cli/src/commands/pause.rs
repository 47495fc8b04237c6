//! `lodger pause`: containers held still.

use crate::command::{Command, Count, Invocation, Opt, flags_of};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Selection, each};
use engine::containers::{Listed, Status};
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["pause", "container pause"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Pause all the processes in one or more containers",
    about: "Holds all processes of containers still, without ending them, until `lodger unpause`.",
    examples: &["lodger pause web", "lodger pause --all"],
    count: Count::Any,
    complete: &[Complete::Running],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    selection: Selection,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL, set: |options, value| options.selection.set(&selection::ALL, value) },
    Opt { flag: selection::CIDFILE, set: |options, value| options.selection.set(&selection::CIDFILE, value) },
    Opt { flag: selection::FILTER, set: |options, value| options.selection.set(&selection::FILTER, value) },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let mut chosen = options.selection.containers(&call, &engine, Listed::All)?;
    if options.selection.all() {
        chosen.retain(|chosen| chosen.container.as_ref().is_ok_and(|one| one.status() == Status::Running));
    }
    each(chosen, |container| Ok(engine.pause(container)?))
}
