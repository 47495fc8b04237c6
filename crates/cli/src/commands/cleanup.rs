//! `lodger container cleanup`: what the unit of a container runs after its end.

use crate::command::{Command, Count, Invocation, Visibility};
use crate::error::Result;
use engine::launch::Next;
use std::process::ExitCode;

/// Asks the supervisor for another start (EX_TEMPFAIL of sysexits.h).
const RESTART: u8 = 75;

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
    Ok(match call.engine()?.cleanup(&call.operands[0])? {
        Next::End => ExitCode::SUCCESS,
        Next::Restart => ExitCode::from(RESTART),
    })
}
