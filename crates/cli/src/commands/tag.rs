//! `lodger tag`: further names for an image.

use crate::command::{Command, Count, Invocation};
use crate::error::Result;
use crate::exit::ExitCode;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["tag", "image tag"],
    operands: "IMAGE TARGET_NAME [TARGET_NAME...]",
    summary: "Add an additional name to a local image",
    about: "Gives an image further names. A name without registry becomes localhost/NAME, one without tag gets latest.",
    examples: &["lodger tag docker.io/library/alpine:3.20 base", "lodger tag 0123456789ab registry.example/team/web:1"],
    count: Count::AtLeast(2),
    complete: &[Complete::Images, Complete::Nothing],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    let (image, names) = (&call.operands[0], &call.operands[1..]);
    for name in names {
        engine.tag(image, name)?;
    }
    Ok(ExitCode::SUCCESS)
}
