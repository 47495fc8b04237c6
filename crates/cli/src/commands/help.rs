//! `lodger help [COMMAND...]`: the same as `--help`.

use crate::command::{Command, Count, Invocation};
use crate::commands;
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::{help, output};

pub(crate) const COMMAND: Command = Command {
    paths: &["help"],
    operands: "[COMMAND...]",
    summary: "Help about any command",
    about: "Shows what a command does and its options, as `lodger COMMAND --help` does.",
    examples: &["lodger help run", "lodger help volume create"],
    count: Count::AtMost(2),
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let path = call.operands.join(" ");
    let text = match commands::find(&path) {
        Some(command) => help::command(command, &path),
        None if path.is_empty() || commands::is_group(&path) => help::group(&path),
        None => return Err(CliError::UnknownCommand { path, suggestion: None, parent: String::new() }),
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
