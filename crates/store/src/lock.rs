//! File locks with holders that can be named.
//!
//! A lock is an `flock` on its own open file description, so it ends with the guard or with the process, whichever comes
//! first, and two guards in one process exclude each other like two processes. Whoever holds a lock exclusively writes
//! `<pid> <start time> <command>` into the file; the line is believed only while that process lives. Writing it may fail
//! (a full disk) without harm: then the holder is unknown.

use crate::error::{At, Error, Kind, Result};
use crate::state::ProcessId;
use crate::store::Store;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The first nap between two tries, and the longest; each is twice the one before.
const NAP: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));
/// A holder's line is cut here.
const LINE: usize = 256;

/// Shared for reading, exclusive for changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Any number of holders.
    Shared,
    /// One holder.
    Exclusive,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process ID.
    pub pid: u32,
    /// Its command line, cut to 200 bytes, with control characters replaced.
    pub command: String,
}

/// How long to wait for a lock, and whom to tell meanwhile.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    limit: Option<Duration>,
    tell: Option<&'a dyn Fn(Option<&Holder>)>,
}

impl<'a> Wait<'a> {
    /// Not at all.
    pub const NONE: Wait<'static> = Wait { limit: Some(Duration::ZERO), tell: None };

    /// At most so long.
    pub fn at_most(limit: Duration) -> Self {
        Self { limit: Some(limit), tell: None }
    }

    /// Until the holder is done or dead.
    pub fn forever() -> Self {
        Self { limit: None, tell: None }
    }

    /// Calls `tell` once when the wait begins, with the holder if it is known.
    #[must_use]
    pub fn telling(self, tell: &'a dyn Fn(Option<&Holder>)) -> Self {
        Self { tell: Some(tell), ..self }
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Holder {
    /// `process 12 (lodger pull web)`, or words for an unknown one.
    pub(crate) fn name(holder: Option<&Self>) -> String {
        holder.map_or_else(|| "another process".to_owned(), Self::to_string)
    }

    /// Reads the line in a lock file; `None` unless that process still lives.
    fn read(file: &mut File) -> Option<Self> {
        let mut line = Vec::with_capacity(LINE);
        file.rewind().ok()?;
        Read::by_ref(file).take(LINE as u64).read_to_end(&mut line).ok()?;
        Self::parse(&line).filter(|(process, _)| process.is_alive()).map(|(_, holder)| holder)
    }

    fn parse(line: &[u8]) -> Option<(ProcessId, Self)> {
        let line = String::from_utf8_lossy(line);
        let mut words = line.trim_end().splitn(3, ' ');
        let pid = words.next()?.parse().ok()?;
        let start_time = words.next()?.parse().ok()?;
        let command = words.next().unwrap_or_default();
        let command = command.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        Some((ProcessId { pid, start_time }, Self { pid, command }))
    }

    fn own_line() -> Option<String> {
        let own = ProcessId::own()?;
        let mut command = String::from_utf8_lossy(&std::fs::read("/proc/self/cmdline").ok()?).replace('\0', " ");
        let cut = (0..=command.len().min(200)).rev().find(|at| command.is_char_boundary(*at)).unwrap_or(0);
        command.truncate(cut);
        Some(format!("{} {} {}\n", own.pid, own.start_time, command.trim_end()))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid, self.command)
    }
}

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub struct Guard {
    file: File,
    access: Access,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Closing unlocks; emptying first spares the next waiter a stale name.
        if self.access == Access::Exclusive {
            let _ = self.file.set_len(0);
        }
    }
}

impl Store {
    /// Takes a lock on a file under the root that holds nothing but the holder's line, making the file when needed.
    ///
    /// Fails with `Kind::Locked` when the wait is over. A lock file that was removed or replaced while we waited is
    /// opened anew, so the lock held is always on the file that others will open.
    pub(crate) fn lock(&self, relative: &Path, access: Access, wait: Wait<'_>) -> Result<Guard> {
        let start = Instant::now();
        let mut nap = NAP.0;
        let mut told = false;
        loop {
            let mut file = self.open_lock(relative).at("lock", &self.path(relative))?;
            match rustix::fs::flock(&file, operation(access)) {
                Ok(()) if self.is_current(relative, &file) => return Ok(own(file, access)),
                Ok(()) | Err(Errno::INTR) => continue,
                Err(Errno::WOULDBLOCK) => {}
                Err(errno) => return Err(Error::at("lock", &self.path(relative), errno)),
            }
            let holder = Holder::read(&mut file);
            if wait.limit.is_some_and(|limit| start.elapsed() >= limit) {
                let subject = self.path(relative).display().to_string();
                return Err(Error::new("lock", subject, Kind::Locked { holder }));
            }
            if let (false, Some(tell)) = (told, wait.tell) {
                tell(holder.as_ref());
                told = true;
            }
            std::thread::sleep(nap.min(wait.limit.map_or(nap, |limit| limit.saturating_sub(start.elapsed()))));
            nap = (nap * 2).min(NAP.1);
        }
    }

    /// Takes a lock if that is possible at once.
    pub(crate) fn try_lock(&self, relative: &Path, access: Access) -> Result<Option<Guard>> {
        match self.lock(relative, access, Wait::NONE) {
            Ok(guard) => Ok(Some(guard)),
            Err(Error { kind: Kind::Locked { .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open_lock(&self, relative: &Path) -> rustix::io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat(self.dir(), relative, flags, Mode::from_raw_mode(0o600)).map(File::from)
    }

    fn is_current(&self, relative: &Path, file: &File) -> bool {
        let named = rustix::fs::statat(self.dir(), relative, AtFlags::SYMLINK_NOFOLLOW);
        let held = rustix::fs::fstat(file);
        matches!((named, held), (Ok(a), Ok(b)) if (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
    }
}

fn operation(access: Access) -> FlockOperation {
    match access {
        Access::Shared => FlockOperation::NonBlockingLockShared,
        Access::Exclusive => FlockOperation::NonBlockingLockExclusive,
    }
}

fn own(mut file: File, access: Access) -> Guard {
    if access == Access::Exclusive {
        if let Some(line) = Holder::own_line() {
            let _ = file.set_len(0).and_then(|()| file.write_all(line.as_bytes()));
        }
    }
    Guard { file, access }
}
