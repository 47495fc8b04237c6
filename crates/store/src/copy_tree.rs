//! Copies directory trees by descriptor, never following a symlink.
//!
//! Every directory is opened from the one above, and must be on the same mount. The source may be an image's: whatever its
//! names and links are, nothing outside `source` is read and nothing outside `target` is written.

use crate::error::{Error, Kind, Result};
use crate::layer::unpack::is_kept;
use crate::owners::Owners;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, Stat, Timespec, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Directories inside one another; two descriptors are held for each.
const DEPTH: usize = 200;
/// Bytes that the kernel copies at a time.
const PIECE: usize = 16 << 20;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Copies everything in the directory `source` into the empty directory `target`.
///
/// Owners, modes, times, symlinks, hard links, FIFOs, holes and the extended attributes that layers keep are kept, and
/// `target` itself takes the attributes of `source`. File content is shared (reflink) where the file system can. Sockets and
/// device nodes are left out. `name` is what `target` is called in messages.
pub fn copy_tree(source: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &Path) -> Result<()> {
    copy(source, target, name, Change::default())
}

/// What becomes different in a copy.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Change<'c> {
    /// Everything belongs to somebody else.
    pub(crate) owners: Option<&'c Owners<'c>>,
    /// Files larger than so many bytes get their attributes alone, and the kernel's marks with which an overlay finds the content at
    /// the same path of a layer below (`lower -> data redirect`).
    pub(crate) references: Option<u64>,
}

/// The same with a change.
pub(crate) fn copy(source: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &Path, change: Change<'_>) -> Result<()> {
    let mut copy = Copy { target, change, links: HashMap::new(), path: Vec::new(), depth: 0 };
    let copied = copy.entries(source, target).and_then(|()| {
        let stat = rustix::fs::fstat(source)?;
        copy.set_attributes(source, target, &stat)
    });
    copied.map_err(|errno| {
        let path = name.join(String::from_utf8_lossy(&copy.path).as_ref());
        match errno {
            Errno::MLINK => Error::new("copy", path.display().to_string(), Kind::BadArchive(TOO_DEEP.into())),
            errno => Error::at("copy", &path, errno),
        }
    })
}

const TOO_DEEP: &str = "more than 200 directories deep";

struct Copy<'t> {
    target: BorrowedFd<'t>,
    change: Change<'t>,
    /// Files with several names that were copied → the path of the copy, below the target.
    links: HashMap<(u64, u64), Vec<u8>>,
    /// Below the top: where we are, and after an error, where it happened.
    path: Vec<u8>,
    depth: usize,
}

impl Copy<'_> {
    fn entries(&mut self, source: BorrowedFd<'_>, target: BorrowedFd<'_>) -> rustix::io::Result<()> {
        if self.depth >= DEPTH {
            return Err(Errno::MLINK);
        }
        self.depth += 1;
        let listing = rustix::fs::openat(source, c".", DIRECTORY, Mode::empty())?;
        let mut buffer = Vec::with_capacity(8 << 10);
        let mut entries = RawDir::new(&listing, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let length = self.path.len();
            if length > 0 {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name.to_bytes());
            self.entry(source, target, name)?;
            self.path.truncate(length);
        }
        self.depth -= 1;
        Ok(())
    }

    fn entry(&mut self, source: BorrowedFd<'_>, target: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<()> {
        let stat = rustix::fs::statat(source, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let from = open_directory(source, name)?;
                rustix::fs::mkdirat(target, name, Mode::from_raw_mode(0o700))?;
                let to = open_directory(target, name)?;
                self.entries(from.as_fd(), to.as_fd())?;
                self.set_attributes(from.as_fd(), to.as_fd(), &rustix::fs::fstat(&from)?)
            }
            FileType::RegularFile => self.file(source, target, name, &stat),
            FileType::Symlink => {
                let link = rustix::fs::readlinkat(source, name, Vec::new())?;
                rustix::fs::symlinkat(&link, target, name)?;
                self.set_special_attributes(target, name, &stat)
            }
            FileType::Fifo => {
                rustix::fs::mknodat(target, name, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
                self.set_special_attributes(target, name, &stat)?;
                rustix::fs::chmodat(target, name, mode_of(&stat), AtFlags::empty())
            }
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &CStr,
        stat: &Stat,
    ) -> rustix::io::Result<()> {
        if stat.st_nlink > 1 {
            let inode = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.links.get(&inode) {
                return rustix::fs::linkat(self.target, first.as_slice(), target, name, AtFlags::empty());
            }
            self.links.insert(inode, self.path.clone());
        }
        // Not blocking: what was a file a moment ago could be a FIFO.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let from = rustix::fs::openat(source, name, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::INVAL);
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let to = rustix::fs::openat(target, name, flags, Mode::from_raw_mode(0o600))?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        match self.change.references.is_some_and(|largest| size > largest) {
            true => self.refer(to.as_fd(), size)?,
            false => copy_content(from.as_fd(), to.as_fd(), size)?,
        }
        self.set_attributes(from.as_fd(), to.as_fd(), &stat)
    }

    /// See Documentation/filesystems/overlayfs.rst, "Metadata only copy up" and "Data-only lower layers".
    fn refer(&self, to: BorrowedFd<'_>, size: u64) -> rustix::io::Result<()> {
        rustix::fs::ftruncate(to, size)?;
        let path = [b"/", self.path.as_slice()].concat();
        rustix::fs::fsetxattr(to, c"user.overlay.metacopy", &[], XattrFlags::empty())?;
        rustix::fs::fsetxattr(to, c"user.overlay.redirect", &path, XattrFlags::empty())
    }

    /// Owner, mode, extended attributes, times, in the order in which none undoes another.
    fn set_attributes(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, stat: &Stat) -> rustix::io::Result<()> {
        let (uid, gid) = self.owner_of(stat);
        rustix::fs::fchown(to, uid, gid)?;
        rustix::fs::fchmod(to, mode_of(stat))?;
        copy_xattrs(from, to, self.change.owners, is_kept)?;
        rustix::fs::futimens(to, &times_of(stat))
    }

    fn set_special_attributes(&self, target: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> rustix::io::Result<()> {
        let (uid, gid) = self.owner_of(stat);
        rustix::fs::chownat(target, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        rustix::fs::utimensat(target, name, &times_of(stat), AtFlags::SYMLINK_NOFOLLOW)
    }

    fn owner_of(&self, stat: &Stat) -> (Option<Uid>, Option<Gid>) {
        let own = (stat.st_uid, stat.st_gid);
        let (uid, gid) = self.change.owners.map_or(own, |owners| owners.give(own.0, own.1));
        (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
    }
}

fn open_directory(dir: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<OwnedFd> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(dir, name, DIRECTORY, Mode::empty(), beneath)
}

/// Shares a file's content of `size` bytes, or copies what is not a hole.
pub fn copy_content(from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> rustix::io::Result<()> {
    if size == 0 || rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(start) => start,
            // No content any more, only a hole.
            Err(Errno::NXIO) => break,
            // A file system that knows no holes.
            Err(Errno::INVAL) => at,
            Err(errno) => return Err(errno),
        };
        let end = match rustix::fs::seek(from, SeekFrom::Hole(start)) {
            Ok(end) => end,
            Err(Errno::INVAL) => size,
            Err(errno) => return Err(errno),
        };
        copy_range(from, to, start, end)?;
        at = end.max(start + 1);
    }
    rustix::fs::ftruncate(to, size)
}

fn copy_range(from: BorrowedFd<'_>, to: BorrowedFd<'_>, mut at: u64, end: u64) -> rustix::io::Result<()> {
    let (mut read, mut written) = (at, at);
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(PIECE);
        match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), length) {
            // Shorter than it was: the rest is a hole.
            Ok(0) => return Ok(()),
            Ok(count) => at += count as u64,
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return send(from, to, at, end),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// From one file system to another, within the kernel.
fn send(from: BorrowedFd<'_>, to: BorrowedFd<'_>, at: u64, end: u64) -> rustix::io::Result<()> {
    rustix::fs::seek(to, SeekFrom::Start(at))?;
    let mut read = at;
    while read < end {
        let length = usize::try_from(end - read).unwrap_or(usize::MAX).min(PIECE);
        match rustix::fs::sendfile(to, from, Some(&mut read), length) {
            // Shorter than it was: the rest is a hole.
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return read_write(from, to, read, end),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn read_write(from: BorrowedFd<'_>, to: BorrowedFd<'_>, mut at: u64, end: u64) -> rustix::io::Result<()> {
    let mut buffer = vec![0; 128 << 10];
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        let count = rustix::io::retry_on_intr(|| rustix::io::pread(from, &mut buffer[..length], at))?;
        if count == 0 {
            return Ok(());
        }
        let mut done = 0;
        while done < count {
            done += rustix::io::retry_on_intr(|| rustix::io::pwrite(to, &buffer[done..count], at + done as u64))?;
        }
        at += count as u64;
    }
    Ok(())
}

/// Copies the extended attributes that layers keep, but those that give programs capabilities.
pub fn copy_plain_xattrs(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> rustix::io::Result<()> {
    copy_xattrs(from, to, None, |name| is_kept(name) && !name.starts_with(b"security."))
}

/// Copies the extended attributes that layers keep.
pub fn copy_kept_xattrs(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> rustix::io::Result<()> {
    copy_xattrs(from, to, None, is_kept)
}

fn copy_xattrs(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    owners: Option<&Owners<'_>>,
    wanted: fn(&[u8]) -> bool,
) -> rustix::io::Result<()> {
    // The kernel's own limit for a list and for a value.
    let mut list = vec![0; 64 << 10];
    let length = match rustix::fs::flistxattr(from, list.as_mut_slice()) {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(()),
        other => other?,
    };
    let mut value = vec![0; 64 << 10];
    for name in list[..length].split(|byte| *byte == 0).filter(|name| wanted(name)) {
        let length = match rustix::fs::fgetxattr(from, name, value.as_mut_slice()) {
            Err(Errno::NODATA | Errno::OPNOTSUPP) => continue,
            other => other?,
        };
        if let Some(owners) = owners.filter(|_| name.starts_with(b"system.posix_acl_")) {
            owners.give_acl(&mut value[..length]);
        }
        match rustix::fs::fsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            Ok(()) | Err(Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn mode_of(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode & 0o7777)
}

fn times_of(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime as _, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scratch, as_root, tree};
    use std::os::unix::fs::{FileExt, MetadataExt, symlink};

    fn copy(from: &Path, to: &Path) -> Result<()> {
        let open = |path: &Path| std::fs::File::open(path).unwrap();
        copy_tree(open(from).as_fd(), open(to).as_fd(), to)
    }

    #[test]
    fn a_copy_is_the_same_tree() {
        as_root("copy_tree::tests::a_copy_is_the_same_tree", || {
            let scratch = Scratch::new();
            let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
            std::fs::create_dir_all(from.join("d/e")).unwrap();
            std::fs::create_dir(&to).unwrap();
            std::fs::write(from.join("d/f"), "content").unwrap();
            std::fs::hard_link(from.join("d/f"), from.join("d/e/g")).unwrap();
            symlink("../../../../etc/passwd", from.join("link")).unwrap();
            let sparse = std::fs::File::create(from.join("sparse")).unwrap();
            sparse.write_at(b"in the middle", 5 << 20).unwrap();
            sparse.set_len(64 << 20).unwrap();
            let at = |path: &str| from.join(path);
            rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o622), 0).unwrap();
            let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
            rustix::fs::chown(at("d/f"), Some(Uid::from_raw(3)), Some(Gid::from_raw(4))).unwrap();
            rustix::fs::chmod(at("d/f"), Mode::from_raw_mode(0o4751)).unwrap();
            rustix::fs::chmod(at("d/e"), Mode::from_raw_mode(0)).unwrap();
            rustix::fs::setxattr(at("d"), "user.kept", b"1", XattrFlags::empty()).unwrap();
            rustix::fs::setxattr(at("d"), "user.overlay.opaque", b"y", XattrFlags::empty()).unwrap();
            for path in ["link", "d/f", "sparse", "d/e", "d", ""] {
                let times = crate::layer::levels::both(Timespec { tv_sec: path.len() as i64, tv_nsec: 7 });
                rustix::fs::utimensat(rustix::fs::CWD, at(path), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
            }
            copy(&from, &to).unwrap();
            let expected: Vec<_> = tree(&from).into_iter().filter(|line| !line.starts_with("socket")).collect();
            assert_eq!(tree(&to), expected);
            assert_eq!(std::fs::metadata(&to).unwrap().mtime(), 0);
            let (f, g) = (to.join("d/f"), to.join("d/e/g"));
            assert_eq!(std::fs::metadata(f).unwrap().ino(), std::fs::metadata(g).unwrap().ino());
            assert!(std::fs::metadata(to.join("sparse")).unwrap().blocks() < 1024);
            assert!(std::fs::read(to.join("sparse")).unwrap() == std::fs::read(from.join("sparse")).unwrap());
            let mut value = [0; 8];
            assert_eq!(rustix::fs::getxattr(to.join("d"), "user.kept", value.as_mut_slice()), Ok(1));
            let dropped = rustix::fs::getxattr(to.join("d"), "user.overlay.opaque", value.as_mut_slice());
            assert_eq!(dropped, Err(Errno::NODATA));
        });
    }

    #[test]
    fn every_way_of_copying_gives_the_same_bytes() {
        let scratch = Scratch::new();
        let content: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(scratch.path().join("from"), &content).unwrap();
        let from = std::fs::File::open(scratch.path().join("from")).unwrap();
        for way in [send, read_write, copy_range] {
            let path = scratch.path().join("to");
            let to = std::fs::File::create(&path).unwrap();
            way(from.as_fd(), to.as_fd(), 1000, 2_999_000).unwrap();
            let found = std::fs::read(path).unwrap();
            assert!(
                found.len() == 2_999_000 && found[..1000] == [0; 1000] && found[1000..] == content[1000..2_999_000]
            );
        }
    }

    #[test]
    fn a_tree_too_deep_is_refused_and_named() {
        let scratch = Scratch::new();
        let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
        std::fs::create_dir(&to).unwrap();
        std::fs::create_dir_all(from.join("d/".repeat(300))).unwrap();
        let error = copy(&from, &to).unwrap_err().to_string();
        assert!(error.contains("/d/d/") && error.ends_with(TOO_DEEP), "{error}");
    }
}
