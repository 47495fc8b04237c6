//! Building lodger itself, as the test host and the benchmarks use it.

use std::process::Command;

use anyhow::Result;

use crate::{paths, process};

/// cargo, in the root of the source tree.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    command.current_dir(paths::workspace());
    command
}

/// Builds `target/quick/lodger`.
pub fn lodger() -> Result<()> {
    process::check(cargo().args(["build", "--quiet", "--locked", "--profile=quick", "--package=cli"]))
}
