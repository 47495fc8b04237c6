//! What a container wrote: from the journal or from its file, past and to come.
//!
//! Both sources give the same lines. A line of the journal belongs to a container when it carries its full ID and was
//! sent by a process of this user (`_UID` is the kernel's word, the ID only the sender's).

mod file;
mod journal;

#[cfg(test)]
pub(crate) use {file::parse as line_of_file, journal::parse as line_of_journal};

use crate::error::{Error, Result};
use jiff::Timestamp;
use std::ops::ControlFlow;

pub(crate) use journal::{Identity, Journal, Mode};

/// Which lines are wanted.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Up to this moment.
    pub until: Option<Timestamp>,
    /// Only the last so many.
    pub tail: Option<usize>,
    /// Whether to go on until the container ends.
    pub follow: bool,
}

/// One line, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was read from the container.
    pub time: Timestamp,
    /// Where the container wrote it.
    pub stream: Stream,
    /// Without the line end.
    pub text: Vec<u8>,
    /// Whether the line goes on in the next piece.
    pub partial: bool,
}

/// Standard output or standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Takes lines one by one; `Break` ends the reading.
pub type Sink<'a> = dyn FnMut(LogLine) -> ControlFlow<()> + 'a;

/// Where a container's lines are.
pub(crate) enum Source {
    /// The journal.
    Journal(Identity),
    /// A file in Kubernetes' format, and its predecessor `NAME.1`.
    File(std::path::PathBuf),
}

/// Reads lines until there are no more; following, until `alive` says no and everything written has been read.
pub(crate) fn read(source: &Source, options: &LogOptions, alive: &dyn Fn() -> bool, sink: &mut Sink<'_>) -> Result<()> {
    match source {
        Source::Journal(identity) => journal::read(identity, options, alive, sink),
        Source::File(path) => file::read(path, options, alive, sink),
    }
}

impl LogOptions {
    fn wants(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }
}

fn read_error(what: &str, error: std::io::Error) -> Error {
    Error::io(format!("read logs from {what}"), error)
}
