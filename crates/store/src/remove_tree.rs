//! Deletes directory trees by descriptor, never following a symlink.
//!
//! Several processes may delete one tree at the same time. Depth and number of entries are whatever a container made of them: memory and open descriptors stay bounded. A
//! directory below `DEPTH` levels is first moved up beside the tree's top and deleted from there. Directories that even
//! their owner may not enter (an overlay's `work/work` has mode 000) are opened up first.

use crate::error::{Error, Result};
use crate::record;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Levels, and so descriptors, that one deletion opens at a time.
const DEPTH: usize = 32;

/// Deletes `path` (relative to `dir`), whatever it is. Not being there is success.
///
/// `root` is only for messages: what `dir` is called.
pub(crate) fn remove_tree(dir: BorrowedFd<'_>, path: &Path, root: &Path) -> Result<()> {
    remove_whole(dir, path).map_err(|errno| Error::at("delete", &root.join(path), errno))
}

/// Deletes `path` (relative to `dir`), whatever it is, with everything below it. Not being there is success; what is mounted below is
/// not entered (EXDEV).
pub fn remove_whole(dir: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(dir, path, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    let top = match open_dir(dir, path) {
        Err(Errno::NOENT) => return Ok(()),
        other => other?,
    };
    loop {
        // What is moved up from the depths becomes another entry of `top`, so `empty` sees it in a later round.
        empty(&top, &top, 0)?;
        match rustix::fs::unlinkat(dir, path, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            // Somebody else deletes it too, and has just moved something up.
            Err(Errno::NOTEMPTY) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Opens a directory, giving its owner the right to when it lacks it. What is mounted there is not entered (EXDEV).
fn open_dir(dir: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let open = |flags| {
        let flags = flags | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat2(dir, path, flags, Mode::empty(), beneath)
    };
    match open(OFlags::RDONLY) {
        Err(Errno::ACCESS) => {
            // chmod by descriptor: an O_PATH handle pins the directory against a swap for a symlink.
            let handle = open(OFlags::PATH)?;
            let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&handle));
            rustix::fs::chmod(link, Mode::from_raw_mode(0o700))?;
            open(OFlags::RDONLY)
        }
        other => other,
    }
}

/// Deletes all entries of `dir`. At the depth limit, directories are moved to `top` instead.
fn empty(dir: &OwnedFd, top: &OwnedFd, depth: usize) -> rustix::io::Result<()> {
    // Deleting while reading may make the kernel skip entries: repeat until a round finds none.
    loop {
        let mut found = false;
        rustix::fs::seek(dir, rustix::fs::SeekFrom::Start(0))?;
        let mut buffer = Vec::with_capacity(16 << 10);
        let mut entries = RawDir::new(dir, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                // The directory itself is gone: somebody else deletes the tree too.
                Err(Errno::NOENT) => return Ok(()),
                other => other?,
            };
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            found = true;
            remove_entry(dir, name, entry.file_type(), top, depth)?;
        }
        if !found {
            return Ok(());
        }
    }
}

fn remove_entry(dir: &OwnedFd, name: &CStr, kind: FileType, top: &OwnedFd, depth: usize) -> rustix::io::Result<()> {
    if kind != FileType::Directory {
        match unlink(dir, name, AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => {}
            other => return other,
        }
    }
    if unlink(dir, name, AtFlags::REMOVEDIR).is_ok() {
        return Ok(());
    }
    if depth + 1 >= DEPTH {
        let name_above = CString::new(record::random_name()).expect("hex digits hold no zero");
        match rustix::fs::renameat(dir, name, top, &name_above) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            // Moving a directory rewrites its "..", which needs the right to write in it.
            Err(Errno::ACCESS) => drop(open_dir(dir.as_fd(), path_of(name))?),
            Err(errno) => return Err(errno),
        }
        return rustix::fs::renameat(dir, name, top, &name_above);
    }
    match open_dir(dir.as_fd(), path_of(name)) {
        Ok(child) => empty(&child, top, depth + 1)?,
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(errno),
    }
    unlink(dir, name, AtFlags::REMOVEDIR)
}

/// Unlinks; somebody else having done so is success.
fn unlink(dir: &OwnedFd, name: &CStr, flags: AtFlags) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(dir, name, flags) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

fn path_of(name: &CStr) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()))
}
