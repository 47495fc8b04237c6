//! Entries of an archive → files below one directory.
//!
//! What must stay true: nothing outside the directory is read or written, whatever the archive says (`levels`, `path`).
//! The rest follows what podman's users see:
//!
//! - A later entry replaces an earlier one of the same path; only a directory over a directory keeps what is inside.
//! - In a layer, `.wh.NAME` becomes a whiteout (char device 0:0) unless the layer itself has NAME, and `.wh..wh..opq`
//!   makes its directory opaque (`user.overlay.opaque=y`); other names that begin with `.wh..wh.` are left out.
//!   <https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>
//! - Device nodes are left out: no user namespace may make them, podman leaves them out there too, and a container's
//!   `/dev` never comes from its image.
//! - Extended attributes are kept if they are `user.*`, `security.capability` or POSIX ACLs. `user.overlay.*` and
//!   `trusted.*` are dropped, as they would steer the overlay; labels of security modules are the host's business.
//! - Modes are exact, whatever the umask is; setuid and capabilities are set after the owner, which would clear them.

use super::RootAttributes;
use super::levels::{Levels, both, open_in_tree};
use super::path;
use crate::error::{Error, Kind, Result};
use crate::remove_tree::remove_whole;
use crate::tar;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Uid, XattrFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const OPAQUE: (&str, &[u8]) = ("user.overlay.opaque", b"y");
const OPAQUE_NAME: &[u8] = b".wh..wh..opq";
const OP: &str = "unpack";
/// Directories inside one another; each is held open.
const DEPTH: usize = 256;

/// Whether an archive's whiteouts mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whiteouts {
    /// It is a layer.
    Overlay,
    /// It is only an archive: `.wh.` names are ordinary.
    Plain,
}

/// What was unpacked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Entries in the archive.
    pub entries: u64,
    /// Bytes of regular files, holes not counted.
    pub size: u64,
    /// Device nodes that were left out.
    pub devices: u64,
    /// What the archive says of the top directory.
    pub root: Option<RootAttributes>,
    /// Whether an entry with content was replaced by a later one, so that the archive cannot be made again.
    pub replaced: bool,
}

/// Unpacks an archive into the directory `top`, which the caller has made and nobody else writes to.
///
/// `file_limit` bounds the length of one file, holes included, in bytes. The error's subject is the entry's path.
pub fn unpack<R: BufRead>(
    reader: &mut tar::Reader<'_, R>,
    top: OwnedFd,
    whiteouts: Whiteouts,
    file_limit: u64,
) -> Result<Unpacked> {
    let mut unpacker = Unpacker::new(top, whiteouts, file_limit)?;
    let mut entry = tar::Entry::default();
    while reader.next(&mut entry).map_err(archive_error)? {
        unpacker.add(&entry, reader)?;
    }
    unpacker.levels.leave_all().map_err(|errno| entry_error(b"", errno))?;
    Ok(unpacker.done)
}

/// Whether an entry's content is put into a file, so that it is not part of the archive's frame.
pub(crate) fn is_stored(entry: &tar::Entry, whiteouts: Whiteouts) -> bool {
    let Some(components) = path::components(&entry.path) else { return false };
    let is_note = |part: &&[u8]| part.starts_with(b".wh..wh.");
    let whiteout = whiteouts == Whiteouts::Overlay
        && (components.last().is_some_and(|name| name.starts_with(b".wh.")) || components.iter().any(is_note));
    entry.kind == tar::Kind::File && !whiteout
}

struct Unpacker {
    levels: Levels,
    whiteouts: Whiteouts,
    file_limit: u64,
    /// Who files belong to when nothing is said: the owner of the top directory we were given.
    own: (u32, u32),
    done: Unpacked,
}

impl Unpacker {
    fn new(top: OwnedFd, whiteouts: Whiteouts, file_limit: u64) -> Result<Self> {
        let top_error = |errno| entry_error(b"", errno);
        let stat = rustix::fs::fstat(&top).map_err(top_error)?;
        let own = (stat.st_uid, stat.st_gid);
        let levels = Levels::new(top).map_err(top_error)?;
        Ok(Self { levels, whiteouts, file_limit, own, done: Unpacked::default() })
    }

    fn add<R: BufRead>(&mut self, entry: &tar::Entry, reader: &mut tar::Reader<'_, R>) -> Result<()> {
        self.done.entries += 1;
        let fail = |errno| entry_error(&entry.path, errno);
        let refuse = |why: &str| Error::new(OP, lossy(&entry.path), Kind::BadArchive(why.to_owned()));
        let components = path::components(&entry.path).ok_or_else(|| refuse("the path leads outside the archive"))?;
        let Some((name, parents)) = components.split_last() else {
            return self.add_top(entry);
        };
        if parents.len() > DEPTH {
            return Err(refuse("more than 256 directories deep"));
        }
        if self.whiteouts == Whiteouts::Overlay {
            // Notes that aufs left to itself, in images as old as that.
            if components.iter().any(|part| part.starts_with(b".wh..wh.") && *part != OPAQUE_NAME) {
                return Ok(());
            }
            if parents.iter().any(|parent| parent.starts_with(b".wh.")) {
                return Err(refuse("a whiteout is used as a directory"));
            }
            if let Some(hidden) = name.strip_prefix(b".wh.") {
                return self.add_whiteout(parents, hidden).map_err(fail)?.map_err(refuse);
            }
        }
        match entry.kind {
            tar::Kind::CharDevice | tar::Kind::BlockDevice => {
                self.done.devices += 1;
                Ok(())
            }
            tar::Kind::Directory => self.add_directory(parents, name, entry),
            tar::Kind::File => self.add_file(parents, name, entry, reader),
            tar::Kind::HardLink => self.add_hard_link(parents, name, entry),
            tar::Kind::Symlink => {
                let link = entry.link.as_slice();
                self.make(parents, name, |dir| rustix::fs::symlinkat(link, dir, *name)).map_err(fail)?;
                self.finish_special(name, entry)
            }
            tar::Kind::Fifo => {
                let mode = Mode::from_raw_mode(0o600);
                self.make(parents, name, |dir| rustix::fs::mknodat(dir, *name, FileType::Fifo, mode, 0))
                    .map_err(fail)?;
                self.finish_special(name, entry)
            }
        }
    }

    fn go(&mut self, parents: &[&[u8]]) -> rustix::io::Result<()> {
        self.levels.go(parents, &mut make_directory).map(drop)
    }

    /// Makes something in a directory, in place of what is there.
    fn make(
        &mut self,
        parents: &[&[u8]],
        name: &[u8],
        make: impl Fn(BorrowedFd<'_>) -> rustix::io::Result<()>,
    ) -> rustix::io::Result<()> {
        self.go(parents)?;
        match make(self.levels.here().fd()) {
            Err(Errno::EXIST) => {
                self.remove(name)?;
                self.go(parents)?;
                make(self.levels.here().fd())
            }
            other => other,
        }
    }

    /// Removes what an earlier entry made in the directory we are in.
    fn remove(&mut self, name: &[u8]) -> rustix::io::Result<()> {
        let dir = self.levels.here().fd();
        let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            self.done.replaced |= FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_size > 0;
            return rustix::fs::unlinkat(dir, name, AtFlags::empty());
        }
        self.done.replaced = true;
        let removed = remove_whole(dir, Path::new(OsStr::from_bytes(name)));
        // A symlink elsewhere may have led into it: no other directory that is held open may be one of those.
        self.levels.leave_all()?;
        removed
    }

    /// The outer error is the system's, the inner one the archive's.
    fn add_whiteout(
        &mut self,
        parents: &[&[u8]],
        hidden: &[u8],
    ) -> rustix::io::Result<std::result::Result<(), &'static str>> {
        if OPAQUE_NAME.strip_prefix(b".wh.") == Some(hidden) {
            self.go(parents)?;
            set_opaque(self.levels.here().fd())?;
            return Ok(Ok(()));
        }
        if matches!(hidden, b"" | b"." | b"..") {
            return Ok(Err("a whiteout of no file"));
        }
        self.go(parents)?;
        let dir = self.levels.here().fd();
        match rustix::fs::statat(dir, hidden, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => rustix::fs::mknodat(dir, hidden, FileType::CharacterDevice, Mode::empty(), 0)?,
            // It hides what lies below, not what this layer brings.
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                self.levels.descend(hidden)?;
                set_opaque(self.levels.here().fd())?;
            }
            Ok(_) => {}
            Err(errno) => return Err(errno),
        }
        Ok(Ok(()))
    }

    fn add_top(&mut self, entry: &tar::Entry) -> Result<()> {
        if entry.kind != tar::Kind::Directory {
            let why = "the top of the archive is no directory".to_owned();
            return Err(Error::new(OP, lossy(&entry.path), Kind::BadArchive(why)));
        }
        self.done.root = Some(RootAttributes { mode: entry.mode, uid: entry.uid, gid: entry.gid });
        self.go(&[]).map_err(|errno| entry_error(&entry.path, errno))?;
        self.finish_directory(entry)
    }

    fn add_directory(&mut self, parents: &[&[u8]], name: &[u8], entry: &tar::Entry) -> Result<()> {
        self.enter_directory(parents, name).map_err(|errno| entry_error(&entry.path, errno))?;
        self.finish_directory(entry)
    }

    fn enter_directory(&mut self, parents: &[&[u8]], name: &[u8]) -> rustix::io::Result<()> {
        self.go(parents)?;
        match make_directory(self.levels.here().fd(), name) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let stat = rustix::fs::statat(self.levels.here().fd(), name, AtFlags::SYMLINK_NOFOLLOW)?;
                if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
                    self.remove(name)?;
                    make_directory(self.levels.here().fd(), name)?;
                }
            }
            Err(errno) => return Err(errno),
        }
        self.levels.descend(name).map(drop)
    }

    /// Gives the directory we are in its attributes; its time is set when it is left.
    fn finish_directory(&mut self, entry: &tar::Entry) -> Result<()> {
        let own = self.own;
        let level = self.levels.here();
        set_attributes(level.fd(), entry, own, Inherits::Unknown)?;
        level.set_mode(entry.mode);
        level.set_time(timespec(entry.mtime));
        Ok(())
    }

    fn add_file<R: BufRead>(
        &mut self,
        parents: &[&[u8]],
        name: &[u8],
        entry: &tar::Entry,
        reader: &mut tar::Reader<'_, R>,
    ) -> Result<()> {
        if entry.size > self.file_limit {
            return Err(Error::new(OP, lossy(&entry.path), Kind::TooLarge { limit: self.file_limit }));
        }
        let fail = |errno| entry_error(&entry.path, errno);
        let file = self.create(parents, name).map_err(fail)?;
        self.done.size += reader.stored_size();
        reader
            .content(|at, bytes| match entry.sparse {
                None => write_all(&file, bytes).map_err(Failure::Write),
                Some(_) => write_all_at(&file, bytes, at).map_err(Failure::Write),
            })
            .map_err(|failure| match failure {
                Failure::Read(error) => archive_error(error),
                Failure::Write(errno) => fail(errno),
            })?;
        if entry.sparse.is_some() {
            rustix::fs::ftruncate(&file, entry.size).map_err(fail)?;
        }
        let inherits = if self.levels.here().passes_group() { Inherits::Group } else { Inherits::Nothing };
        set_attributes(file.as_fd(), entry, self.own, inherits)?;
        rustix::fs::futimens(&file, &both(timespec(entry.mtime))).map_err(fail)
    }

    fn create(&mut self, parents: &[&[u8]], name: &[u8]) -> rustix::io::Result<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        self.go(parents)?;
        match rustix::fs::openat(self.levels.here().fd(), name, flags, mode) {
            Err(Errno::EXIST) => {
                self.remove(name)?;
                self.go(parents)?;
                rustix::fs::openat(self.levels.here().fd(), name, flags, mode)
            }
            other => other,
        }
    }

    fn add_hard_link(&mut self, parents: &[&[u8]], name: &[u8], entry: &tar::Entry) -> Result<()> {
        let refuse = |why: &str| Error::new(OP, lossy(&entry.path), Kind::BadArchive(why.to_owned()));
        let target = path::components(&entry.link).ok_or_else(|| refuse("a hard link to outside the archive"))?;
        let Some((target_name, target_parents)) = target.split_last() else {
            return Err(refuse("a hard link to a directory"));
        };
        match self.link(parents, name, target_parents, target_name) {
            Ok(()) => Ok(()),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                Err(refuse(&format!("a hard link to {:?}, which the archive does not have", lossy(&entry.link))))
            }
            Err(Errno::PERM) => Err(refuse("a hard link to a directory")),
            Err(errno) => Err(entry_error(&entry.path, errno)),
        }
    }

    /// The last component of the target is not followed: a link to a symlink is that symlink.
    fn link(
        &mut self,
        parents: &[&[u8]],
        name: &[u8],
        target_parents: &[&[u8]],
        target: &[u8],
    ) -> rustix::io::Result<()> {
        self.go(parents)?;
        let from = match target_parents == parents {
            true => None,
            false => Some(open_in_tree(self.levels.top(), target_parents)?),
        };
        let here = self.levels.here().fd();
        let from = from.as_ref().map_or(here, AsFd::as_fd);
        match rustix::fs::linkat(from, target, here, name, AtFlags::empty()) {
            Err(Errno::EXIST) => {}
            other => return other,
        }
        let inode = |dir, name| rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map(|s| (s.st_dev, s.st_ino));
        if inode(from, target)? == inode(here, name)? {
            return Ok(());
        }
        let from = rustix::io::fcntl_dupfd_cloexec(from, 3)?;
        self.remove(name)?;
        self.go(parents)?;
        rustix::fs::linkat(&from, target, self.levels.here().fd(), name, AtFlags::empty())
    }

    /// Owner, mode and time of a symlink or FIFO that we just made in the directory we are in.
    fn finish_special(&mut self, name: &[u8], entry: &tar::Entry) -> Result<()> {
        let own = self.own;
        let level = self.levels.here();
        let fail = |errno| entry_error(&entry.path, errno);
        if (entry.uid, entry.gid) != own || level.passes_group() {
            let (uid, gid) = (Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)));
            rustix::fs::chownat(level.fd(), name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|errno| owner_error(entry, errno))?;
        }
        if entry.kind == tar::Kind::Fifo {
            let mode = Mode::from_raw_mode(entry.mode);
            rustix::fs::chmodat(level.fd(), name, mode, AtFlags::empty()).map_err(fail)?;
        }
        let times = both(timespec(entry.mtime));
        rustix::fs::utimensat(level.fd(), name, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(fail)
    }
}

/// What a new file may have got from its directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inherits {
    Nothing,
    Group,
    Unknown,
}

/// Reading the archive and writing the file fail in different ways.
enum Failure {
    Read(tar::Error),
    Write(Errno),
}

impl From<tar::Error> for Failure {
    fn from(error: tar::Error) -> Self {
        Self::Read(error)
    }
}

/// A directory that the archive has not mentioned yet, in place of a whiteout if there is one: then it is opaque.
fn make_directory(dir: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<()> {
    let mode = Mode::from_raw_mode(0o755);
    match rustix::fs::mkdirat(dir, name, mode) {
        Ok(()) => {
            // The umask may have taken bits away.
            return rustix::fs::chmodat(dir, name, mode, AtFlags::empty());
        }
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice || stat.st_rdev != 0 {
        return Err(Errno::EXIST);
    }
    rustix::fs::unlinkat(dir, name, AtFlags::empty())?;
    rustix::fs::mkdirat(dir, name, mode)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    rustix::fs::fchmod(&made, mode)?;
    set_opaque(made.as_fd())
}

fn set_opaque(dir: BorrowedFd<'_>) -> rustix::io::Result<()> {
    rustix::fs::fsetxattr(dir, OPAQUE.0, OPAQUE.1, XattrFlags::empty())
}

/// Owner, mode, extended attributes, in the order in which none undoes another.
fn set_attributes(fd: BorrowedFd<'_>, entry: &tar::Entry, own: (u32, u32), inherits: Inherits) -> Result<()> {
    let fail = |errno| entry_error(&entry.path, errno);
    if (entry.uid, entry.gid) != own || inherits != Inherits::Nothing {
        rustix::fs::fchown(fd, Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)))
            .map_err(|errno| owner_error(entry, errno))?;
    }
    rustix::fs::fchmod(fd, Mode::from_raw_mode(entry.mode)).map_err(fail)?;
    for (name, value) in entry.xattrs.iter().filter(|(name, _)| is_kept(name)) {
        match rustix::fs::fsetxattr(fd, name.as_slice(), value, XattrFlags::empty()) {
            // The file system has none, or this kind of file cannot have them.
            Ok(()) | Err(Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(fail(errno)),
        }
    }
    Ok(())
}

/// Whether an extended attribute of an archive is taken over.
pub(crate) fn is_kept(name: &[u8]) -> bool {
    match name {
        b"security.capability" | b"system.posix_acl_access" | b"system.posix_acl_default" => true,
        _ => name.starts_with(b"user.") && !name.starts_with(b"user.overlay."),
    }
}

fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn write_all_at(file: &OwnedFd, mut bytes: &[u8], mut at: u64) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, at) {
            Ok(count) => {
                bytes = &bytes[count..];
                at += count as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn timespec(time: tar::Time) -> Timespec {
    Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() }
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn entry_error(path: &[u8], errno: Errno) -> Error {
    let subject = if path.is_empty() { "the top directory".to_owned() } else { lossy(path) };
    let kind = match errno {
        Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::XDEV => {
            Kind::BadArchive(format!("the path cannot be made: {errno}"))
        }
        errno => Kind::from_io(errno.into()),
    };
    Error::new(OP, subject, kind)
}

/// EINVAL from chown: the ID has no place in the user namespace.
fn owner_error(entry: &tar::Entry, errno: Errno) -> Error {
    match errno {
        Errno::INVAL => Error::new(OP, lossy(&entry.path), Kind::UnmappedId { uid: entry.uid, gid: entry.gid }),
        errno => entry_error(&entry.path, errno),
    }
}

fn archive_error(error: tar::Error) -> Error {
    match error {
        tar::Error::Read(error) => Error::new(OP, "archive", Kind::Source(error)),
        malformed => Error::new(OP, "archive", Kind::BadArchive(malformed.to_string())),
    }
}

#[cfg(test)]
mod tests;
