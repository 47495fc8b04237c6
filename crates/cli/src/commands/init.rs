//! `lodger init`: containers looked at, so that their start will succeed.

use crate::command::{Command, Count, Invocation, Opt, flags_of};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Selection, each};
use engine::containers::{Listed, Status};
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["init", "container init"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Initialize one or more containers",
    about: "Looks at everything that the start of a container needs, and shows the container as initialized until it is started. Nothing is kept in memory or mounted meanwhile.",
    examples: &["lodger init web", "lodger init --all"],
    count: Count::Any,
    complete: &[Complete::Containers],
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
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let chosen = options.selection.containers(&call, &engine, Listed::All)?;
    each(chosen, |container| {
        // As podman: of all of them, those that need it.
        if options.selection.all() && !matches!(container.status(), Status::Created | Status::Exited) {
            return Ok(());
        }
        Ok(engine.init(container)?)
    })
}
