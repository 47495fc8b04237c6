//! Asking before something goes for good.

use crate::error::{CliError, Result};
use crate::output;
use std::io::BufRead;

/// What the answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Do it.
    Yes,
    /// Anything else, and no answer at all.
    No,
}

/// Shows what will happen, and waits for a `y` on standard input.
pub(crate) fn ask(warning: &str) -> Result<Answer> {
    output::print(&format!("{warning}Are you sure you want to continue? [y/N] "))?;
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| CliError::Io { operation: "read the answer".to_owned(), source })?;
    Ok(match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}
