//! Processes by pid *and* start time, so that a number which the kernel gave to another is never believed.

use crate::error::{Context, Error, Kind};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
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
    /// The process that now has `pid`, a zombie included.
    ///
    /// # Errors
    /// [`Kind::Gone`] when there is none.
    pub fn of(pid: i32) -> Result<Self, Error> {
        Ok(Self { pid, start_time: Status::read(pid)?.start_time })
    }

    /// The calling process.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn own() -> Result<Self, Error> {
        Self::of(rustix::process::getpid().as_raw_nonzero().get())
    }

    /// Whether it lives (a zombie does not).
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Status::read(self.pid).is_ok_and(|status| status.start_time == self.start_time && !status.is_dead())
    }

    /// A descriptor that stands for exactly this process.
    ///
    /// # Errors
    /// [`Kind::Gone`] when it has ended.
    pub fn open(&self) -> Result<OwnedFd, Error> {
        let gone = || Error::new("open process", self.pid, Kind::Gone);
        let pid = Pid::from_raw(self.pid).ok_or_else(gone)?;
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Err(Errno::SRCH) => return Err(gone()),
            result => result.context("open process", self.pid)?,
        };
        // In this order: the descriptor pins the process, so what `/proc` then says about its number is about it, or it has ended.
        if self.is_alive() { Ok(pidfd) } else { Err(gone()) }
    }

    /// One of its namespaces, by the name it has in `/proc/PID/ns`.
    ///
    /// # Errors
    /// [`Kind::Gone`] when it has ended.
    pub fn namespace(&self, name: &str) -> Result<OwnedFd, Error> {
        namespace(self, name)
    }

    /// Sends a signal (1 … 64).
    ///
    /// # Errors
    /// [`Kind::Gone`] when it has ended.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        kernel::signal::send(self.open()?.as_fd(), signal).map_err(|errno| match errno {
            Errno::SRCH => Error::new("signal process", self.pid, Kind::Gone),
            errno => Error::system("signal process", self.pid, errno),
        })
    }
}

/// One of `/proc/PID/ns` of a living process.
pub(crate) fn namespace(process: &ProcessId, name: &str) -> Result<OwnedFd, Error> {
    // Held open meanwhile, so that the number cannot go to another between the check and the opening.
    let held = process.open()?;
    let path = format!("/proc/{}/ns/{name}", process.pid);
    let namespace = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).context("open", &path)?;
    kernel::signal::send(held.as_fd(), 0).map_err(|_| Error::new("open", &path, Kind::Gone))?;
    Ok(namespace)
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pid, self.start_time)
    }
}

impl FromStr for ProcessId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = text.trim_end().split_once(' ').and_then(|(pid, start_time)| {
            Some(Self { pid: pid.parse().ok().filter(|pid| *pid > 0)?, start_time: start_time.parse().ok()? })
        });
        parsed.ok_or_else(|| Error::new("read process id", text, Kind::Invalid("expected a pid and a start time")))
    }
}

/// What `/proc/PID/stat` says.
struct Status {
    state: u8,
    start_time: u64,
}

impl Status {
    fn read(pid: i32) -> Result<Self, Error> {
        // A line of 52 numbers; the name before them has at most 64 bytes.
        let mut buffer = [0u8; 2048];
        let line = read_proc(&format!("/proc/{pid}/stat"), &mut buffer).map_err(|errno| match errno {
            Errno::NOENT | Errno::SRCH => Error::new("read status of process", pid, Kind::Gone),
            errno => Error::system("read status of process", pid, errno),
        })?;
        Self::parse(line).ok_or_else(|| Error::new("read status of process", pid, Kind::Invalid("unknown form")))
    }

    /// The name, in parentheses, may hold anything, also `)`: the fields are counted from the last one.
    fn parse(line: &[u8]) -> Option<Self> {
        let end = line.iter().rposition(|&byte| byte == b')')?;
        let mut fields = std::str::from_utf8(line.get(end + 1..)?).ok()?.split_ascii_whitespace();
        let state = *fields.next()?.as_bytes().first()?;
        // The state is field 3, the start time field 22.
        Some(Self { state, start_time: fields.nth(22 - 4)?.parse().ok()? })
    }

    fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// The beginning of a file of `/proc`, as far as the buffer goes.
fn read_proc<'b>(path: &str, buffer: &'b mut [u8]) -> rustix::io::Result<&'b [u8]> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut length = 0;
    loop {
        match rustix::io::read(&file, &mut buffer[length..])? {
            0 => return Ok(&buffer[..length]),
            count => length += count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_after_the_name() {
        let line = b"7 (a) Z 9 (b)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21\n";
        let status = Status::parse(line).unwrap();
        assert_eq!((status.state, status.start_time), (b'S', 4242));
        assert!(Status::parse(b"7 (a) S 1 2").is_none());
        assert!(Status::parse(b"").is_none());
    }

    #[test]
    fn a_process_is_believed_only_with_its_start_time() {
        let own = ProcessId::own().unwrap();
        assert!(own.is_alive());
        own.open().unwrap();
        let other = ProcessId { start_time: own.start_time + 1, ..own };
        assert!(!other.is_alive());
        assert_eq!(other.open().unwrap_err().kind(), Kind::Gone);
        assert_eq!(other.signal(15).unwrap_err().kind(), Kind::Gone);
    }

    #[test]
    fn the_text_form_comes_back() {
        let own = ProcessId::own().unwrap();
        assert_eq!(format!("{own}\n").parse::<ProcessId>().unwrap(), own);
        for text in ["", "1", "0 1", "-1 1", "1 x", "1 2 3"] {
            assert!(text.parse::<ProcessId>().is_err(), "{text:?}");
        }
    }
}
