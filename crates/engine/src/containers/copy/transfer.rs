//! One tree into another, entry by entry, by descriptor: what is there is replaced, directories are joined.
//!
//! Content is shared where the file system can (reflink), else copied by the kernel; holes stay holes.

use super::Clash;
use crate::error::Error;
use runtime::userns::{Map, Range};
use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, Uid, chownat, fchmod, fchown,
    fstat, futimens, mkdirat, mknodat, openat, openat2, readlinkat, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Directories inside one another; two descriptors are held for each.
const DEPTH: usize = 200;

/// Which way ids are translated, for root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// The owner of each copy.
pub(super) enum Ids {
    /// This one.
    All(u32, u32),
    /// The source's, translated where there is a map.
    Kept(Option<Map>, Way),
}

impl Ids {
    /// The user and group of a container, as this process sees them.
    pub(super) fn all(uid: u32, gid: u32, map: Option<&Map>) -> Self {
        let outside = |id, lines: fn(&Map) -> &Vec<Range>| map.map_or(id, |map| translate(id, lines(map), Way::In));
        Self::All(outside(uid, |map| &map.uids), outside(gid, |map| &map.gids))
    }

    /// As they are.
    pub(super) fn kept(map: Option<Map>, way: Way) -> Self {
        Self::Kept(map, way)
    }

    fn of(&self, stat: &Stat) -> (Option<Uid>, Option<Gid>) {
        let (uid, gid) = match self {
            Self::All(uid, gid) => (*uid, *gid),
            Self::Kept(None, _) => (stat.st_uid, stat.st_gid),
            Self::Kept(Some(map), way) => {
                (translate(stat.st_uid, &map.uids, *way), translate(stat.st_gid, &map.gids, *way))
            }
        };
        (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
    }
}

/// An id that the map does not have stays what it is.
fn translate(id: u32, lines: &[Range], way: Way) -> u32 {
    let translated = |line: &Range| {
        let (from, to) = if way == Way::In { (line.inside, line.outside) } else { (line.outside, line.inside) };
        id.checked_sub(from).filter(|offset| *offset < line.count).map(|offset| to + offset)
    };
    lines.iter().find_map(translated).unwrap_or(id)
}

/// What went wrong, and where below the top.
pub(super) struct Failed {
    path: PathBuf,
    errno: Errno,
}

impl Failed {
    /// The sentence.
    pub(super) fn told(self, operation: &str, top: &Path) -> Error {
        let path = top.join(&self.path);
        match self.errno {
            Errno::ISDIR => Error::invalid(format!("cannot overwrite directory {path:?} with non-directory")),
            Errno::NOTDIR => Error::invalid(format!("cannot overwrite non-directory {path:?} with directory")),
            errno => Error::io(format!("{operation} to {path:?}"), errno.into()),
        }
    }
}

/// As whom entries are made; they get their owners afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// This process.
    Caller,
    /// Whoever owns the directory: of files in a container's overlay the machine's root can make none, since its own id is none there.
    Owner,
}

impl Maker {
    fn make<T>(self, directory: BorrowedFd<'_>, make: impl FnOnce() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
        if self == Self::Caller {
            return make();
        }
        let stat = fstat(directory)?;
        kernel::session::set_file_owner(stat.st_uid, stat.st_gid);
        let made = make();
        kernel::session::set_file_owner(0, 0);
        made
    }
}

/// What becomes of the marks by which a program runs as its owner (setuid, setgid) or with capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privileges {
    /// The copy has them too.
    Kept,
    /// The copy has none: whoever made the source is not trusted with the target's users.
    Dropped,
}

/// How a copy is made.
pub(super) struct Transfer {
    pub(super) maker: Maker,
    pub(super) ids: Ids,
    pub(super) clash: Clash,
    pub(super) privileges: Privileges,
}

type Done = Result<(), Failed>;

fn at(name: &CStr) -> impl Fn(Errno) -> Failed + '_ {
    move |errno| Failed { path: PathBuf::from(String::from_utf8_lossy(name.to_bytes()).into_owned()), errno }
}

impl Transfer {
    /// Everything in one directory into another, which takes its attributes as well.
    pub(super) fn entries(&self, source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Done {
        self.directory(source, target, 0)
    }

    /// An opened file or directory under a name in a directory.
    pub(super) fn one(&self, source: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &CStr) -> Done {
        let stat = fstat(source).map_err(at(name))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => self.joined_directory(source, target, name, 0),
            FileType::RegularFile => self.file(source, target, name, &stat).map_err(at(name)),
            _ => Err(at(name)(Errno::INVAL)),
        }
    }

    fn directory(&self, source: BorrowedFd<'_>, target: BorrowedFd<'_>, depth: usize) -> Done {
        if depth >= DEPTH {
            return Err(at(c".")(Errno::NAMETOOLONG));
        }
        let mut entries = Dir::read_from(source).map_err(at(c"."))?;
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(at(c"."))?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                self.entry(source, target, name, depth)?;
            }
        }
        Ok(())
    }

    fn entry(&self, source: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &CStr, depth: usize) -> Done {
        let stat = match statat(source, name, AtFlags::SYMLINK_NOFOLLOW) {
            // Deleted meanwhile.
            Err(Errno::NOENT) => return Ok(()),
            other => other.map_err(at(name))?,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let source = beneath(source, name, DIRECTORY).map_err(at(name))?;
                self.joined_directory(source.as_fd(), target, name, depth + 1)
            }
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let source = beneath(source, name, flags).map_err(at(name))?;
                let stat = fstat(&source).map_err(at(name))?;
                if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                    return Err(at(name)(Errno::INVAL));
                }
                self.file(source.as_fd(), target, name, &stat).map_err(at(name))
            }
            FileType::Symlink => self.symlink(source, target, name, &stat).map_err(at(name)),
            FileType::Fifo => {
                self.make_room(target, name).map_err(at(name))?;
                let make = || mknodat(target, name, FileType::Fifo, mode(&stat), 0);
                self.maker.make(target, make).map_err(at(name))?;
                self.special(target, name, &stat).map_err(at(name))
            }
            // Sockets belong to a process, and devices to the kernel.
            _ => Ok(()),
        }
    }

    fn joined_directory(&self, source: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &CStr, depth: usize) -> Done {
        match self.directory_named(target, name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(at(name)(errno)),
        }
        let opened = match beneath(target, name, DIRECTORY) {
            Err(Errno::NOTDIR | Errno::LOOP) if self.clash == Clash::Overwrite => {
                unlinkat(target, name, AtFlags::empty()).map_err(at(name))?;
                self.directory_named(target, name).map_err(at(name))?;
                beneath(target, name, DIRECTORY)
            }
            Err(Errno::LOOP) => Err(Errno::NOTDIR),
            other => other,
        }
        .map_err(at(name))?;
        let below = |failed: Failed| Failed { path: at(name)(failed.errno).path.join(failed.path), ..failed };
        self.directory(source, opened.as_fd(), depth).map_err(below)?;
        let stat = fstat(source).map_err(at(name))?;
        self.attributes(source, opened.as_fd(), &stat).map_err(at(name))
    }

    fn file(&self, source: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> rustix::io::Result<()> {
        self.make_room(target, name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let copy = self.maker.make(target, || openat(target, name, flags, Mode::from_raw_mode(0o600)))?;
        store::copy_content(source, copy.as_fd(), u64::try_from(stat.st_size).unwrap_or(0))?;
        self.attributes(source, copy.as_fd(), stat)
    }

    fn symlink(
        &self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &CStr,
        stat: &Stat,
    ) -> rustix::io::Result<()> {
        let link = readlinkat(source, name, Vec::new())?;
        self.make_room(target, name)?;
        self.maker.make(target, || symlinkat(&link, target, name))?;
        self.special(target, name, stat)
    }

    fn directory_named(&self, target: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<()> {
        self.maker.make(target, || mkdirat(target, name, Mode::from_raw_mode(0o700)))
    }

    /// What bears the name gives way; a directory only where that was said.
    fn make_room(&self, target: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<()> {
        match unlinkat(target, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::ISDIR) if self.clash == Clash::Overwrite => {
                store::remove_whole(target, Path::new(OsStr::from_bytes(name.to_bytes())))
            }
            Err(errno) => Err(errno),
        }
    }

    fn attributes(&self, source: BorrowedFd<'_>, copy: BorrowedFd<'_>, stat: &Stat) -> rustix::io::Result<()> {
        let (uid, gid) = self.ids.of(stat);
        fchown(copy, uid, gid)?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        match self.privileges {
            Privileges::Dropped if is_file => {
                fchmod(copy, mode(stat).difference(Mode::SUID | Mode::SGID))?;
                store::copy_plain_xattrs(source, copy)?;
            }
            _ => {
                fchmod(copy, mode(stat))?;
                store::copy_kept_xattrs(source, copy)?;
            }
        }
        futimens(copy, &times(stat))
    }

    fn special(&self, target: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> rustix::io::Result<()> {
        let (uid, gid) = self.ids.of(stat);
        chownat(target, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        utimensat(target, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)
    }
}

/// Across mounts, and never along a symlink.
fn beneath(directory: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    openat2(directory, name, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode & 0o7777)
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime as _, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_translated_both_ways_and_strangers_stay() {
        let lines = [Range { inside: 0, outside: 1000, count: 1 }, Range { inside: 1, outside: 100_000, count: 10 }];
        assert_eq!([0, 3, 11].map(|id| translate(id, &lines, Way::In)), [1000, 100_002, 11]);
        assert_eq!([1000, 100_002, 11].map(|id| translate(id, &lines, Way::Out)), [0, 3, 11]);
    }
}
