//! File locks with holders that can be named.
//!
//! A lock is an `flock` on its own open file description, so it ends with the guard or with the process, whichever comes
//! first, and two guards in one process exclude each other like two processes. Nothing is written into lock files: whoever
//! must wait looks up the holder in `/proc/locks` (proc(5)), which also works on a full disk and for shared holders. A holder
//! in a PID namespace that we do not see stays unnamed.

use crate::error::{At, Error, Kind, Result};
pub use crate::holder::Holder;
use crate::layout;
use crate::store::Store;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// The first nap between two tries, and the longest; each is twice the one before.
const NAP: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));
/// Shared for reading, exclusive for changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Any number of holders.
    Shared,
    /// One holder.
    Exclusive,
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

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub struct Guard {
    file: File,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Closing alone leaves the lock to a copy of the descriptor: a child that is between fork and exec has one.
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

impl Store {
    /// Makes the files of the locks that every store has; safe to repeat and to race.
    pub(crate) fn make_locks(&self) -> Result<()> {
        for relative in layout::LOCKS {
            drop(self.try_lock(Path::new(relative), Access::Shared)?);
        }
        Ok(())
    }

    /// Takes a lock on a file under the root that is only a lock, making the file when needed.
    ///
    /// Fails with `Kind::Locked` when the wait is over. A lock file that was removed or replaced while we waited is
    /// opened anew, so the lock held is always on the file that others will open.
    pub(crate) fn lock(&self, relative: &Path, access: Access, wait: Wait<'_>) -> Result<Guard> {
        let start = Instant::now();
        let mut nap = NAP.0;
        let mut told = false;
        loop {
            let file = self.open_lock(relative).at("lock", &self.path(relative))?;
            match rustix::fs::flock(&file, operation(access)) {
                Ok(()) if self.is_current(relative, &file) => return Ok(Guard { file }),
                Ok(()) | Err(Errno::INTR) => continue,
                Err(Errno::WOULDBLOCK) => {}
                Err(errno) => return Err(Error::at("lock", &self.path(relative), errno)),
            }
            let holder = Holder::find(&file);
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

    /// Whether somebody holds a lock; not if it was never made.
    pub(crate) fn is_locked(&self, relative: &Path) -> bool {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(self.dir(), relative, flags, Mode::empty());
        file.is_ok_and(|file| rustix::fs::flock(file, operation(Access::Shared)) == Err(Errno::WOULDBLOCK))
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
