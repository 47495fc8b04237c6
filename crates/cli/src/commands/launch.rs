//! `lodger container launch`: what the unit of a container runs to start it.

use crate::command::{Command, Count, Invocation, Visibility};
use crate::error::Result;
use crate::exit::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["container launch"],
    operands: "ID",
    summary: "Start a container as the child of this process's parent",
    about: "Prepares the container, tells the manager its main process, and exits. Units and the supervisor run it.",
    count: Count::Exactly(1),
    visibility: Visibility::Hidden,
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    call.engine()?.launch(&call.operands[0])?;
    Ok(ExitCode::SUCCESS)
}
