//! `lodger untag`: names that an image loses.

use crate::command::{Command, Count, Invocation};
use crate::error::Result;
use crate::exit::ExitCode;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["untag", "image untag"],
    operands: "IMAGE [IMAGE...]",
    summary: "Remove a name from a local image",
    about: "Takes names from an image, or all of them when none is given. The image itself stays, and `lodger image prune` removes it when nothing uses it.",
    examples: &["lodger untag localhost/base", "lodger untag 0123456789ab registry.example/team/web:1"],
    count: Count::AtLeast(1),
    complete: &[Complete::Images],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    call.engine()?.untag(&call.operands[0], &call.operands[1..])?;
    Ok(ExitCode::SUCCESS)
}
