//! What a pull looks like: one line for each layer that moves on a terminal, plain lines elsewhere.
//!
//! Everything goes to standard error, so that standard output is the image's ID alone. Events come from several threads.

mod bars;
mod plain;

use crate::output::{Sink, stderr_sink};
use bars::Bars;
use plain::Plain;
use std::io::{self, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Something that happened while an image was fetched.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PullEvent<'a> {
    /// The name is looked for at a registry.
    Resolving {
        /// `docker.io/library/alpine:latest`
        name: &'a str,
    },
    /// A layer or the config is about to be fetched.
    Layer {
        /// Of the blob.
        digest: &'a str,
        /// Bytes.
        size: u64,
    },
    /// So much of it has come.
    Progress {
        /// Of the blob.
        digest: &'a str,
        /// Bytes, since its beginning.
        bytes: u64,
    },
    /// It is in the store already.
    Exists {
        /// Of the blob.
        digest: &'a str,
    },
    /// It is in the store now.
    Done {
        /// Of the blob.
        digest: &'a str,
    },
    /// The transfer broke and will go on.
    Retry {
        /// Why it broke.
        why: &'a str,
        /// Until the next attempt.
        delay: Duration,
    },
    /// Another process is fetching the same.
    Waiting {
        /// Who holds the lock.
        holder: &'a str,
    },
}

/// Shows events as they come.
pub(crate) struct Progress(Option<Mutex<Shown>>);

enum Shown {
    Bars(Bars<io::Stderr>),
    Plain(Plain<io::Stderr>),
}

impl Progress {
    /// As standard error allows.
    pub(crate) fn new() -> Self {
        let shown = match stderr_sink() {
            Sink::Terminal => Shown::Bars(Bars::new(io::stderr(), terminal_size)),
            Sink::Plain => Shown::Plain(Plain::new(io::stderr())),
        };
        Self(Some(Mutex::new(shown)))
    }

    /// `--quiet`
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Shows one event. A screen that cannot be written to is no reason to end a pull.
    pub(crate) fn event(&self, event: PullEvent<'_>) {
        let Some(shown) = &self.0 else { return };
        let mut shown = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = match &mut *shown {
            Shown::Bars(bars) => bars.event(event, Instant::now()),
            Shown::Plain(plain) => plain.event(event),
        };
    }
}

/// Columns and rows of the terminal.
fn terminal_size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    size.map_or((80, 24), |size| (usize::from(size.ws_col).max(20), usize::from(size.ws_row).max(4)))
}

/// `a3ed95caeb02`: enough of a digest to tell layers apart.
fn short(digest: &str) -> &str {
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

/// Lines that are not about one layer, in both forms the same.
fn notice(out: &mut impl Write, event: PullEvent<'_>) -> io::Result<()> {
    use crate::output::{Keep, escape};
    match event {
        PullEvent::Resolving { name } => writeln!(out, "Trying to pull {}...", escape(name, Keep::Nothing)),
        PullEvent::Retry { why, delay } => {
            writeln!(out, "Transfer interrupted ({}); going on in {}s", escape(why, Keep::Nothing), delay.as_secs())
        }
        PullEvent::Waiting { holder } => {
            writeln!(out, "Waiting for {}, which is fetching the same", escape(holder, Keep::Nothing))
        }
        _ => Ok(()),
    }
}
