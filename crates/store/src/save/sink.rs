//! Where the parts of a saved image go: into a tar, or into files of a directory.

use super::OP;
use crate::error::{Error, Kind, Result};
use crate::tar::{file_header, padding};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;

/// The largest `index.json` that is read again.
const INDEX_LIMIT: u64 = 4 << 20;

/// The parts' way out.
pub(super) enum Sink<'o> {
    Archive(&'o mut dyn Write),
    Directory(BorrowedFd<'o>),
}

impl<'o> Sink<'o> {
    pub(super) fn archive(out: &'o mut dyn Write) -> Self {
        Self::Archive(out)
    }

    pub(super) fn directory(dir: BorrowedFd<'o>) -> Self {
        Self::Directory(dir)
    }

    /// Adds a part of exactly this size, which `fill` writes; `fill` returns how much it wrote.
    pub(super) fn put(
        &mut self,
        name: &str,
        size: u64,
        fill: impl FnOnce(&mut dyn Write) -> Result<u64>,
    ) -> Result<()> {
        let fail = |error: io::Error| Error::new(OP, name, Kind::from_io(error));
        match self {
            Self::Archive(out) => {
                let header = file_header(name, size);
                let header = header.ok_or_else(|| fail(io::Error::other("a name too long for an archive")))?;
                out.write_all(&header).map_err(fail)?;
                filled(*out, name, size, fill)?;
                out.write_all(&[0; 512][..padding(size)]).map_err(fail)
            }
            Self::Directory(dir) => {
                // Beside its place first: a directory that is read meanwhile has whole files only.
                let tmp = format!("{name}.tmp");
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let file = rustix::fs::openat(*dir, &tmp, flags, Mode::from_raw_mode(0o644));
                let mut file = File::from(file.map_err(|errno| fail(errno.into()))?);
                let done = filled(&mut file, name, size, fill)
                    .and_then(|()| rustix::fs::renameat(*dir, &tmp, *dir, name).map_err(|errno| fail(errno.into())));
                if done.is_err() {
                    // The reason is told already.
                    let _ = rustix::fs::unlinkat(*dir, &tmp, AtFlags::empty());
                }
                done
            }
        }
    }

    pub(super) fn put_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let fail = |error: io::Error| Error::new(OP, name, Kind::from_io(error));
        self.put(name, bytes.len() as u64, |out| out.write_all(bytes).map(|()| bytes.len() as u64).map_err(fail))
    }

    pub(super) fn put_file(&mut self, name: &str, file: &mut File, size: u64) -> Result<()> {
        let fail = |error: io::Error| Error::new(OP, name, Kind::from_io(error));
        self.put(name, size, |out| io::copy(file, out).map_err(fail))
    }

    /// Makes a directory, unless it is there; an archive needs none.
    pub(super) fn make_directory(&mut self, name: &str) -> Result<()> {
        let Self::Directory(dir) = self else { return Ok(()) };
        match rustix::fs::mkdirat(*dir, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(Error::new(OP, name, Kind::from_io(errno.into()))),
        }
    }

    /// Reads a small file that is there already.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let Self::Directory(dir) = self else { return Ok(None) };
        let fail = |error: io::Error| Error::new(OP, name, Kind::from_io(error));
        let file = match rustix::fs::openat(*dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(fail(errno.into())),
        };
        let mut bytes = Vec::new();
        file.take(INDEX_LIMIT).read_to_end(&mut bytes).map_err(fail)?;
        Ok(Some(bytes))
    }

    /// Ends an archive.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Archive(out) => out
                .write_all(&[0; 1024])
                .and_then(|()| out.flush())
                .map_err(|error| Error::new(OP, "archive", Kind::from_io(error))),
            Self::Directory(_) => Ok(()),
        }
    }
}

/// Lets `fill` write, and tells a failure of ours from one of what it reads.
fn filled(out: &mut dyn Write, name: &str, size: u64, fill: impl FnOnce(&mut dyn Write) -> Result<u64>) -> Result<()> {
    let mut out = Remembering { out, failed: None };
    let written = fill(&mut out);
    if let Some(error) = out.failed {
        return Err(Error::new(OP, name, Kind::from_io(error)));
    }
    match written? {
        actual if actual == size => Ok(()),
        actual => Err(Error::new(OP, name, Kind::SizeMismatch { expected: size, actual })),
    }
}

/// Keeps the reason why writing failed, whatever is made of it on the way up.
struct Remembering<'o> {
    out: &'o mut dyn Write,
    failed: Option<io::Error>,
}

impl Write for Remembering<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failed.get_or_insert(error);
            }
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
