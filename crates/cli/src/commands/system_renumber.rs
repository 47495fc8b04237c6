//! `lodger system renumber`: says that it is done, since locks have no numbers.

use crate::command::Command;
use crate::exit::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["system renumber"],
    operands: "",
    summary: "Migrate lock numbers",
    about: "Does nothing: podman gives its locks new numbers so, and lodger's are files of what they lock, without a number or a limit.",
    examples: &["lodger system renumber"],
    run: |_| Ok(ExitCode::SUCCESS),
    ..Command::PLAIN
};
