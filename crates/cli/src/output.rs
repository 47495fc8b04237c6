//! Standard output and the terminal: writing without a panic when the reader went away.

pub(crate) use crate::escape::{Keep, escape};

use crate::error::{CliError, Result};
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a stream is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    /// Somebody looks at it; what controls a terminal is escaped.
    Terminal,
    /// A file or pipe; bytes pass as they are.
    Plain,
}

/// What standard output is.
pub(crate) fn stdout_sink() -> Sink {
    if io::stdout().is_terminal() { Sink::Terminal } else { Sink::Plain }
}

/// What standard error is.
pub(crate) fn stderr_sink() -> Sink {
    if io::stderr().is_terminal() { Sink::Terminal } else { Sink::Plain }
}

/// Writes to standard output, at once.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(closed)
}

/// Writes a line to standard output, at once.
pub(crate) fn print_line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Whether [`warn`] says anything.
static WARNINGS: AtomicBool = AtomicBool::new(true);

/// `--log-level=error`: warnings are not wanted.
pub(crate) fn without_warnings() {
    WARNINGS.store(false, Ordering::Relaxed);
}

/// Tells of something that still works, on standard error.
pub(crate) fn warn(text: &str) {
    if !WARNINGS.load(Ordering::Relaxed) {
        return;
    }
    let line = format!("Warning: {}\n", escape(text.trim_end(), Keep::Lines).replace('\n', "\n  "));
    // Standard error may be closed; there is nobody left to tell.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Tells of progress, on standard error.
pub(crate) fn progress_line(line: &str) {
    // Standard error may be closed; there is nobody left to tell.
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// The error for a failed write to standard output; a reader that went away is no error of ours.
pub(crate) fn closed(source: io::Error) -> CliError {
    match source.kind() {
        io::ErrorKind::BrokenPipe => CliError::OutputClosed,
        _ => CliError::Io { operation: "write standard output".to_owned(), source },
    }
}
