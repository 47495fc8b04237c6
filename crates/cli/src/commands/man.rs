//! `lodger man DIRECTORY`: writes the manual pages; for packagers.

use crate::command::{Command, Count, Invocation, Visibility};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::man;
use spec::options::Complete;
use std::path::Path;

pub(crate) const COMMAND: Command = Command {
    paths: &["man"],
    operands: "DIRECTORY",
    summary: "Write the manual pages",
    about: "Writes lodger.1 and a page for each command into an existing directory.",
    examples: &["lodger man /usr/share/man/man1"],
    count: Count::Exactly(1),
    complete: &[Complete::Directory],
    visibility: Visibility::Hidden,
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let directory = Path::new(&call.operands[0]);
    for (name, text) in man::pages() {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|source| CliError::Io { operation: format!("write {path:?}"), source })?;
    }
    Ok(ExitCode::SUCCESS)
}
