//! Small files: read whole, replaced by write, sync and rename.
//!
//! A reader sees the old or the new version. Nothing here is larger than `LIMIT`.

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::Path;

/// The largest record that is read: 16 MiB, far above what is ever written.
pub(crate) const LIMIT: u64 = 16 << 20;

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
