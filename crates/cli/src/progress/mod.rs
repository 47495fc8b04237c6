//! What a pull looks like: one line for each layer that moves on a terminal, plain lines elsewhere.
//!
//! Everything goes to standard error, so that standard output is the image's ID alone. Events come from several threads.

mod bars;
mod plain;

use crate::output::{Keep, Sink, escape, stderr_sink, warn};
use bars::Bars;
use engine::PullEvent;
use plain::Plain;
use spec::Digest;
use std::io::{self, Write};
use std::sync::Mutex;
use std::time::Instant;

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
        // Said also to those who want no progress, in podman's words.
        if let PullEvent::OtherPlatform { found, wanted } = &event {
            warn(&format!("image platform ({found}) does not match the expected platform ({wanted})"));
            return;
        }
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
fn short(digest: &Digest) -> String {
    let mut digits = digest.hex();
    digits.truncate(12);
    digits
}

/// Lines that are not about how far a layer is, in both forms the same.
fn notice(out: &mut impl Write, event: &PullEvent<'_>) -> io::Result<()> {
    match event {
        PullEvent::Trying(name) => writeln!(out, "Trying to pull {name}..."),
        PullEvent::Waiting { digest, holder: Some(holder) } => {
            writeln!(out, "Waiting for {}, which fetches blob {}", escape(holder, Keep::Nothing), short(digest))
        }
        PullEvent::Waiting { digest, holder: None } => {
            writeln!(out, "Waiting for another process, which fetches blob {}", short(digest))
        }
        PullEvent::Committing => writeln!(out, "Writing manifest to image destination"),
        _ => Ok(()),
    }
}
