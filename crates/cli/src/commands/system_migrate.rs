//! `lodger system migrate`: the user's containers get the ids that the machine gives them now.

use crate::command::{Command, Count, Invocation, Unsupported};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;

pub(crate) const COMMAND: Command = Command {
    paths: &["system migrate"],
    operands: "",
    summary: "Migrate containers",
    about: "Stops all containers and lets go of the user namespace that they share, so that the next start reads /etc/subuid and /etc/subgid anew. Nothing else needs migration: records of earlier versions are read as they are.",
    examples: &["lodger system migrate"],
    count: Count::None,
    unsupported: &[
        Unsupported::switch("migrate-db", "there is no database"),
        Unsupported::with_value("new-runtime", "lodger starts containers itself, without a runtime beside it"),
    ],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    for id in engine.migrate()? {
        output::print_line(&format!("stopped {id}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
