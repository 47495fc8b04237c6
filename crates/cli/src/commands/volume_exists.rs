//! `lodger volume exists`: the exit code alone says it.

use crate::command::{Command, Count, Invocation};
use crate::commands::exists::answer;
use crate::error::Result;
use crate::exit::ExitCode;
use engine::Kind;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume exists"],
    operands: "VOLUME",
    summary: "Check if a volume exists",
    about: "Exits with 0 when the volume exists, with 1 when it does not, with 125 when that cannot be told.",
    examples: &["lodger volume exists data"],
    count: Count::Exactly(1),
    complete: &[Complete::Volumes],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    answer(engine.volume(&call.operands[0]).map(drop), |kind| matches!(kind, Kind::NoSuchVolume(_)))
}
