//! `lodger volume unmount`: says that a volume is not mounted, which it never is.

use crate::command::{Command, Count, Invocation};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume unmount"],
    operands: "NAME",
    summary: "Unmount volume",
    about: "Prints the volume's name. Mounts of a volume belong to containers and end with them; there is none besides.",
    examples: &["lodger volume unmount data"],
    count: Count::Exactly(1),
    complete: &[Complete::Volumes],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let volume = call.engine()?.volume(&call.operands[0])?;
    output::print_line(&volume.name)?;
    Ok(ExitCode::SUCCESS)
}
