//! `lodger volume reload`: asks volume plugins for their volumes, of which there are none.

use crate::command::{Command, Count, Invocation};
use crate::error::Result;
use crate::exit::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume reload"],
    summary: "Reload all volumes from volume plugins",
    about: "Does nothing: all volumes are lodger's own, and there are no volume plugins to ask for others.",
    examples: &["lodger volume reload"],
    count: Count::None,
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    call.engine()?;
    Ok(ExitCode::SUCCESS)
}
