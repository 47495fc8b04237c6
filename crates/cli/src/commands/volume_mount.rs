//! `lodger volume mount`: where a volume's files are.

use crate::command::{Command, Count, Invocation};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume mount"],
    operands: "NAME",
    summary: "Mount volume",
    about: "Prints the directory of a volume's files. A volume is a directory all the time, so nothing has to be mounted; its files may belong to ids that the caller cannot read without being root of the containers.",
    examples: &["lodger volume mount data"],
    count: Count::Exactly(1),
    complete: &[Complete::Volumes],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    let volume = engine.volume(&call.operands[0])?;
    output::print_line(&engine.volume_directory(&volume)?.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}
