//! Small files: read whole, replaced by write, sync and rename.
//!
//! A reader sees the old or the new version. Nothing here is larger than `LIMIT`.

use crate::error::{At, Error, Kind, Result};
use crate::layout;
use crate::store::Store;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// The largest record that is read: 16 MiB, far above what is ever written.
pub(crate) const LIMIT: u64 = 16 << 20;

/// Bytes kept back for removals.
const RESERVE: u64 = 256 << 10;

/// Whether a change must outlive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Synced before it becomes visible.
    Durable,
    /// Left to the kernel; a power cut may lose it, whole. For what ends with the machine anyway.
    Volatile,
}

/// A name that nobody else uses or guesses: 32 hex digits.
pub(crate) fn random_name() -> String {
    hex(&random_bytes::<16>())
}

/// Random bytes from the kernel.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    let mut filled = 0;
    while filled < N {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => panic!("getrandom cannot fail on a kernel that has openat2: {errno}"),
        }
    }
    bytes
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a file whole; `None` if it is not there, or empty: of a file that was not synced a power cut leaves the name alone, and
/// none that we sync is empty.
pub(crate) fn read_at(dir: BorrowedFd<'_>, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = match rustix::fs::openat(dir, path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let mut bytes = Vec::with_capacity(4096);
    loop {
        let free = bytes.capacity() - bytes.len();
        let count = rustix::io::retry_on_intr(|| rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)))?;
        if bytes.len() as u64 > LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("larger than {LIMIT} bytes")));
        }
        // Our files are replaced, never added to: what fills less than it could is the end.
        if count < free {
            return Ok((!bytes.is_empty()).then_some(bytes));
        }
        bytes.reserve(bytes.len());
    }
}

/// Makes a new file with these bytes; it must not exist.
pub(crate) fn create_at(dir: BorrowedFd<'_>, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(rustix::fs::openat(dir, path, flags, Mode::from_raw_mode(0o600))?);
    file.write_all(bytes)?;
    match durability {
        Durability::Durable => file.sync_all(),
        Durability::Volatile => Ok(()),
    }
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_dir(dir: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, path, flags, Mode::empty())?;
    Ok(rustix::fs::fsync(fd)?)
}

impl Store {
    /// Replaces a file.
    pub(crate) fn write_file(&self, relative: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
        let _lease = self.lease()?;
        let tmp = layout::tmp(&random_name());
        let written = create_at(self.dir(), &tmp, bytes, durability)
            .and_then(|()| Ok(rustix::fs::renameat(self.dir(), &tmp, self.dir(), relative)?));
        if let Err(error) = written {
            let _ = rustix::fs::unlinkat(self.dir(), &tmp, AtFlags::empty());
            return Err(Error::at("write", &self.path(relative), error));
        }
        match (durability, relative.parent()) {
            (Durability::Durable, Some(parent)) => self.sync_dir(parent),
            _ => Ok(()),
        }
    }

    /// Does something that must work on a full disk: once more, with the reserve given up, if it fails for want of space.
    pub(crate) fn on_full_disk<T>(&self, work: impl Fn() -> Result<T>) -> Result<T> {
        match work() {
            Err(Error { kind: Kind::NoSpace(_), .. }) if self.give_up_reserve() => work(),
            other => other,
        }
    }

    /// What is full is the disk of the store; which file was one too many tells nobody anything.
    pub(crate) fn told_of_full_disk(&self, error: Error) -> Error {
        match error.kind {
            Kind::NoSpace(_) => Error { op: "write to", subject: self.root().display().to_string(), ..error },
            _ => error,
        }
    }

    fn give_up_reserve(&self) -> bool {
        rustix::fs::unlinkat(self.dir(), layout::RESERVE, AtFlags::empty()).is_ok()
    }

    /// Makes the reserve if it is not there. A full disk cannot have one; then the next sweep tries again.
    pub(crate) fn keep_reserve(&self) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let Ok(file) = rustix::fs::openat(self.dir(), layout::RESERVE, flags, Mode::from_raw_mode(0o600)) else {
            return;
        };
        if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, RESERVE).is_err() {
            self.give_up_reserve();
        }
    }

    /// Makes a directory's entries durable.
    pub(crate) fn sync_dir(&self, relative: &Path) -> Result<()> {
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        sync_dir(self.dir(), relative).at("sync", &self.path(relative))
    }

    /// Makes everything on the store's file system durable.
    pub(crate) fn sync_all(&self) -> Result<()> {
        rustix::fs::syncfs(self.dir().as_fd()).at("sync", self.root())
    }

    /// Replaces a record.
    pub(crate) fn write_record(&self, relative: &Path, record: &impl Serialize, durability: Durability) -> Result<()> {
        let mut bytes = serde_json::to_vec(record).map_err(|error| self.corrupt(relative, &error))?;
        bytes.push(b'\n');
        self.write_file(relative, &bytes, durability)
    }

    /// Reads a record; `None` if it is not there.
    pub(crate) fn read_record<T: DeserializeOwned>(&self, relative: &Path) -> Result<Option<T>> {
        let Some(bytes) = self.read_small(relative)? else { return Ok(None) };
        self.parse_record(relative, &bytes).map(Some)
    }

    /// The record in a file's bytes.
    pub(crate) fn parse_record<T: DeserializeOwned>(&self, relative: &Path, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| self.corrupt(relative, &error))
    }

    fn corrupt(&self, relative: &Path, error: &serde_json::Error) -> Error {
        Error::new("read", self.path(relative).display().to_string(), Kind::Corrupt(error.to_string()))
    }
}
