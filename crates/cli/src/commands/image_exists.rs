//! `lodger image exists`: the exit code alone says it.

use crate::command::{Command, Count, Invocation};
use crate::commands::exists::answer;
use crate::error::Result;
use crate::exit::ExitCode;
use engine::Kind;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["image exists"],
    operands: "IMAGE",
    summary: "Check if an image exists in local storage",
    about: "Exits with 0 when the image is in local storage, with 1 when it is not, with 125 when that cannot be told.",
    examples: &["lodger image exists docker.io/library/alpine || lodger pull docker.io/library/alpine"],
    count: Count::Exactly(1),
    complete: &[Complete::Images],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    answer(engine.image(&call.operands[0]).map(drop), |kind| matches!(kind, Kind::NoSuchImage(_)))
}
