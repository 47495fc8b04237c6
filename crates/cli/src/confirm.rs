//! Asking before something goes for good.

use crate::error::{CliError, Result};
use crate::output;
use std::io::BufRead;

/// What the answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Do it.
    Yes,
    /// Anything else.
    No,
}

/// Shows what will happen, and waits for a `y` on standard input; that nobody answers is an error, as in podman.
pub(crate) fn ask(warning: &str) -> Result<Answer> {
    output::print(&format!("{warning}Are you sure you want to continue? [y/N] "))?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.map_err(|source| CliError::Io { operation: "read the answer".to_owned(), source })? == 0 {
        let hint = Some("--force does not ask".to_owned());
        return Err(CliError::Invalid { message: "nobody answers: standard input is at its end".to_owned(), hint });
    }
    Ok(match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}
