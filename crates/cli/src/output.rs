//! Standard output and the terminal: writing without a panic when the reader went away, and nothing that came from
//! outside as a terminal escape.

use crate::error::{CliError, Result};
use std::borrow::Cow;
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

/// Which characters [`escape`] leaves alone beside the printable ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// None: for the cell of a table.
    Nothing,
    /// Line ends and tabs: for text.
    Lines,
}

/// The text with every character that could control a terminal, or reorder what is read, written as an escape.
pub(crate) fn escape(text: &str, keep: Keep) -> Cow<'_, str> {
    let dangerous = |c: char| controls(c) && !(keep == Keep::Lines && matches!(c, '\n' | '\t'));
    if !text.chars().any(dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !dangerous(c) => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if u32::from(c) < 0x100 => safe.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(safe)
}

/// C0 and C1 controls, delete, line separators, and the marks that reorder text (Unicode's bidirectional controls).
fn controls(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_passes() {
        assert_eq!(escape("web-1 ü 漢", Keep::Nothing), "web-1 ü 漢");
        assert_eq!(escape("a\x1b[2Jb\r\u{9b}c\u{7f}", Keep::Nothing), "a\\x1b[2Jb\\r\\x9bc\\x7f");
        assert_eq!(escape("a\tb\nc", Keep::Nothing), "a\\tb\\nc");
        assert_eq!(escape("a\tb\nc\x07", Keep::Lines), "a\tb\nc\\x07");
        assert_eq!(escape("\u{202e}gpj", Keep::Lines), "\\u202egpj");
    }
}
