//! Processes by pid *and* start time, so that a number which the kernel gave to another is never believed.

use crate::error::Error;
use std::fmt;
use std::os::fd::OwnedFd;
use std::str::FromStr;

/// A process, as it can be written down. Text form: `PID START_TIME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessId {
    /// Process id in the caller's pid namespace.
    pub pid: i32,
    /// Clock ticks from boot to its start: field 22 of `/proc/PID/stat`.
    pub start_time: u64,
}

impl ProcessId {
    /// The process that now has `pid`.
    ///
    /// # Errors
    /// [`crate::Kind::Gone`] when there is none.
    pub fn of(_pid: i32) -> Result<Self, Error> {
        todo!("not yet")
    }

    /// The calling process.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn own() -> Result<Self, Error> {
        todo!("not yet")
    }

    /// Whether it lives (a zombie does not).
    #[must_use]
    pub fn is_alive(&self) -> bool {
        todo!("not yet")
    }

    /// A descriptor that stands for exactly this process.
    ///
    /// # Errors
    /// [`crate::Kind::Gone`] when it has ended.
    pub fn open(&self) -> Result<OwnedFd, Error> {
        todo!("not yet")
    }

    /// Sends a signal (1 … 64).
    ///
    /// # Errors
    /// [`crate::Kind::Gone`] when it has ended.
    pub fn signal(&self, _signal: i32) -> Result<(), Error> {
        todo!("not yet")
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pid, self.start_time)
    }
}

impl FromStr for ProcessId {
    type Err = Error;

    fn from_str(_text: &str) -> Result<Self, Error> {
        todo!("not yet")
    }
}
