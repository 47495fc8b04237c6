//! Layers as one tree, read as the kernel's overlay shows them but without a mount.
//!
//! A directory of the tree is the directories of that name in every layer that has a part in it, top first. A whiteout (char
//! device 0:0) or anything else that is no directory ends the list; an opaque directory ends it after itself. Everything is opened
//! from the directory above and never through a symlink.
//!
//! ```text
//! top     etc/ [new, gone=whiteout]        tree:  etc/ [kept, new]
//! bottom  etc/ [gone, kept]
//! ```
//!
//! What a container that runs changes meanwhile is seen or not, entry by entry.

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const OPAQUE: &str = "user.overlay.opaque";

/// What the marks of an overlay mean in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Nothing: it is an ordinary directory.
    None,
    /// They hide what lies below.
    Overlay,
}

/// One directory.
#[derive(Debug)]
pub(crate) struct Merged {
    parts: Vec<OwnedFd>,
    marks: Marks,
}

/// Something in a directory.
pub(crate) struct Found {
    /// The part that it is in.
    part: usize,
    pub(crate) stat: Stat,
}

impl Found {
    pub(crate) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// Device and number: the same for what is the same on the disk.
    pub(crate) fn inode(&self) -> (u64, u64) {
        (self.stat.st_dev, self.stat.st_ino)
    }
}

impl Merged {
    /// The top of a tree: the layers' top directories, top first.
    pub(crate) fn new(layers: Vec<OwnedFd>) -> Self {
        Self { parts: layers, marks: Marks::Overlay }
    }

    /// An ordinary directory.
    pub(crate) fn plain(directory: OwnedFd) -> Self {
        Self { parts: vec![directory], marks: Marks::None }
    }

    /// Its topmost part, whose attributes it has.
    pub(crate) fn top(&self) -> io::Result<BorrowedFd<'_>> {
        self.parts.first().map(AsFd::as_fd).ok_or_else(|| Errno::NOENT.into())
    }

    /// The part that something is in.
    pub(crate) fn part(&self, found: &Found) -> BorrowedFd<'_> {
        self.parts[found.part].as_fd()
    }

    /// Whether two trees show the very same directories here, so that nothing below can differ.
    pub(crate) fn is_same(&self, other: &Self) -> io::Result<bool> {
        if self.parts.len() != other.parts.len() {
            return Ok(false);
        }
        let inode = |fd: &OwnedFd| rustix::fs::fstat(fd).map(|stat| (stat.st_dev, stat.st_ino));
        for (own, their) in self.parts.iter().zip(&other.parts) {
            if inode(own)? != inode(their)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The names in it, each once and in order.
    pub(crate) fn names(&self) -> io::Result<Vec<CString>> {
        let mut names = BTreeSet::new();
        for part in &self.parts {
            read_names(part, |name| {
                names.insert(name.to_owned());
            })?;
        }
        Ok(names.into_iter().collect())
    }

    /// What bears a name; `None` when nothing does, or it is hidden.
    pub(crate) fn look(&self, name: &CStr) -> io::Result<Option<Found>> {
        for (part, directory) in self.parts.iter().enumerate() {
            match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if self.marks == Marks::Overlay && is_whiteout(&stat) => return Ok(None),
                Ok(stat) => return Ok(Some(Found { part, stat })),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(None)
    }

    /// Goes into a directory; `None` when it was deleted meanwhile.
    pub(crate) fn enter(&self, name: &CStr, found: &Found) -> io::Result<Option<Self>> {
        let mut parts = Vec::new();
        for directory in &self.parts[found.part..] {
            let inner = match open(directory.as_fd(), name, DIRECTORY) {
                Ok(inner) => inner,
                Err(Errno::NOENT) if parts.is_empty() => return Ok(None),
                Err(Errno::NOENT) => continue,
                // Of the topmost something else was expected: it has changed meanwhile.
                Err(errno) if parts.is_empty() => return Err(errno.into()),
                Err(Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => break,
                Err(errno) => return Err(errno.into()),
            };
            let last = self.marks == Marks::None || is_opaque(inner.as_fd())?;
            parts.push(inner);
            if last {
                break;
            }
        }
        Ok(Some(Self { parts, marks: self.marks }))
    }
}

/// Opens an entry of a directory, across mounts, and never through a symlink.
pub(crate) fn open(directory: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    rustix::fs::openat2(directory, name, flags, Mode::empty(), beneath)
}

/// Whether it hides what bears its name below.
pub(crate) fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Whether a directory hides the directories of its name below.
pub(crate) fn is_opaque(directory: BorrowedFd<'_>) -> io::Result<bool> {
    let mut value = [0; 2];
    match rustix::fs::fgetxattr(directory, OPAQUE, value.as_mut_slice()) {
        Ok(length) => Ok(&value[..length] == b"y"),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn read_names(directory: &OwnedFd, mut take: impl FnMut(&CStr)) -> io::Result<()> {
    // A descriptor of its own, so that reading begins at the beginning.
    let listing = rustix::fs::openat(directory, c".", DIRECTORY, Mode::empty())?;
    let mut buffer = Vec::with_capacity(16 << 10);
    let mut entries = RawDir::new(&listing, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            take(name);
        }
    }
    Ok(())
}
