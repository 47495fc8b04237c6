//! `lodger secret exists`: the exit code alone says it.

use crate::command::{Command, Count, Invocation};
use crate::commands::exists::answer;
use crate::error::Result;
use crate::exit::ExitCode;
use engine::Kind;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["secret exists"],
    operands: "SECRET",
    summary: "Check if a secret exists",
    about: "Exits with 0 when the secret exists, with 1 when it does not, with 125 when that cannot be told.",
    examples: &["lodger secret exists password"],
    count: Count::Exactly(1),
    complete: &[Complete::Secrets],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    answer(engine.secret(&call.operands[0]).map(drop), |kind| matches!(kind, Kind::NoSuchSecret(_)))
}
