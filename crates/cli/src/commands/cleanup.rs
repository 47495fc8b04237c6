//! `lodger container cleanup`: what the unit of a container runs after its end.

use crate::command::{Command, Count, Invocation, Visibility};
use crate::error::Result;
use std::process::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["container cleanup"],
    operands: "ID",
    summary: "Note how a container ended",
    about: "Notes how a container ended, lets its helpers go, and removes it if that was asked for. Units and the supervisor run it.",
    count: Count::Exactly(1),
    visibility: Visibility::Hidden,
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    // What comes next was told to the supervisor.
    call.engine()?.cleanup(&call.operands[0])?;
    Ok(ExitCode::SUCCESS)
}
