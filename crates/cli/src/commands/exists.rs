//! `lodger container exists`: the exit code alone says it.

use crate::command::{Command, Count, Invocation, Opt, flags_of};
use crate::error::Result;
use crate::exit::ExitCode;
use engine::Kind;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["container exists"],
    operands: "CONTAINER",
    summary: "Check if a container exists",
    about: "Exits with 0 when the container exists, with 1 when it does not, with 125 when that cannot be told.",
    examples: &["lodger container exists web"],
    count: Count::Exactly(1),
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

const OPTIONS: &[Opt<()>] = &[Opt {
    flag: Flag::switch("external", "Accepted for compatibility; no other program keeps containers here"),
    set: |(), _| Ok(()),
}];

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    answer(engine.container(&call.operands[0]).map(drop), |kind| matches!(kind, Kind::NoSuchContainer(_)))
}

/// The exit code of every `exists`.
pub(crate) fn answer(found: engine::Result<()>, missing: fn(&Kind) -> bool) -> Result<ExitCode> {
    match found {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if missing(&error.kind) => Ok(ExitCode::from(1)),
        Err(error) => Err(error.into()),
    }
}
