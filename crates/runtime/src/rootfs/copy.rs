//! Copying a directory out of a root file system: for a tmpfs or a fresh volume that starts with what the image has.

use crate::error::{Context, Error};
use crate::plan::path::GuestPath;
use init::inside;
use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, RawMode, ResolveFlags, Stat, Timespec, Timestamps, Uid, chownat, fchmod,
    fchown, fstat, linkat, mkdirat, mknodat, openat, readlinkat, statat, symlinkat, utimensat,
};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Deeper than any image goes; bounds the descriptors that are open at once.
const DEEPEST: usize = 200;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// See [`super::Rootfs::copy_out`].
pub(crate) fn copy_out(root: BorrowedFd<'_>, path: &GuestPath, target: BorrowedFd<'_>) -> Result<(), Error> {
    let source = match inside::open(root, path.as_c_str(), OFlags::RDONLY | OFlags::DIRECTORY, ResolveFlags::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        result => result.context("copy from root", path)?,
    };
    // A mount's descriptor is only a place (`O_PATH`).
    let target = openat(target, c".", DIRECTORY, Mode::empty()).context("copy from root", path)?;
    Copy { links: HashMap::new() }.directory(source, target.as_fd(), 0).context("copy from root", path)
}

/// One copy in progress.
struct Copy {
    /// Device and inode of files with several names, and the first one's place in the target: so that they stay one file.
    links: HashMap<(u64, u64), (OwnedFd, CString)>,
}

impl Copy {
    fn directory(&mut self, source: OwnedFd, target: BorrowedFd<'_>, depth: usize) -> rustix::io::Result<()> {
        if depth > DEEPEST {
            return Err(Errno::LOOP);
        }
        let status = fstat(&source)?;
        let mut entries = Dir::read_from(&source)?;
        while let Some(entry) = entries.read() {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                self.entry(source.as_fd(), target, name, depth)?;
            }
        }
        own(target, &status)?;
        copy_attributes(source.as_fd(), target)?;
        rustix::fs::futimens(target, &times(&status))
    }

    fn entry(
        &mut self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &CStr,
        depth: usize,
    ) -> rustix::io::Result<()> {
        let status = statat(source, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(status.st_mode) {
            FileType::Directory => {
                let inner = openat(source, name, DIRECTORY, Mode::empty())?;
                match mkdirat(target, name, Mode::from_raw_mode(0o700)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno),
                }
                let made = openat(target, name, DIRECTORY, Mode::empty())?;
                self.directory(inner, made.as_fd(), depth + 1)
            }
            FileType::RegularFile => self.file(source, target, name, &status),
            FileType::Symlink => {
                symlinkat(readlinkat(source, name, Vec::new())?, target, name)?;
                own_entry(target, name, &status)
            }
            FileType::Fifo | FileType::Socket => {
                let mode = Mode::from_raw_mode(status.st_mode as RawMode);
                mknodat(target, name, FileType::from_raw_mode(status.st_mode), mode, 0)?;
                own_entry(target, name, &status)
            }
            // A device node, or a whiteout that an overlay has let through, has no business in a volume.
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        source: BorrowedFd<'_>,
        target: BorrowedFd<'_>,
        name: &CStr,
        status: &Stat,
    ) -> rustix::io::Result<()> {
        let key = (status.st_dev, status.st_ino);
        if let Some((directory, first)) = self.links.get(&key) {
            return linkat(directory, first, target, name, AtFlags::empty());
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let from = openat(source, name, flags, Mode::empty())?;
        let create = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let to = openat(target, name, create, Mode::from_raw_mode(0o600))?;
        copy_content(&from, &to)?;
        own(to.as_fd(), status)?;
        copy_attributes(from.as_fd(), to.as_fd())?;
        rustix::fs::futimens(&to, &times(status))?;
        if status.st_nlink > 1 {
            self.links.insert(key, (target.try_clone_to_owned().map_err(|_| Errno::MFILE)?, name.to_owned()));
        }
        Ok(())
    }
}

/// By the kernel where it can, else through memory.
fn copy_content(from: &OwnedFd, to: &OwnedFd) -> rustix::io::Result<()> {
    let mut copied = false;
    loop {
        match rustix::fs::copy_file_range(from, None, to, None, 1 << 30) {
            Ok(0) => return Ok(()),
            Ok(_) => copied = true,
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) if !copied => break,
            Err(errno) => return Err(errno),
        }
    }
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        let length = rustix::io::read(from, &mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            rest = &rest[rustix::io::write(to, rest)?..];
        }
    }
}

fn owner(status: &Stat) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(status.st_uid)), Some(Gid::from_raw(status.st_gid)))
}

/// The mode after the owner, since a change of owner takes set-user-id away.
fn own(target: BorrowedFd<'_>, status: &Stat) -> rustix::io::Result<()> {
    let (uid, gid) = owner(status);
    fchown(target, uid, gid)?;
    fchmod(target, Mode::from_raw_mode(status.st_mode as RawMode & 0o7777))
}

fn own_entry(directory: BorrowedFd<'_>, name: &CStr, status: &Stat) -> rustix::io::Result<()> {
    let (uid, gid) = owner(status);
    chownat(directory, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
    utimensat(directory, name, &times(status), AtFlags::SYMLINK_NOFOLLOW)
}

fn times(status: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds| Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ };
    Timestamps {
        last_access: time(status.st_atime, status.st_atime_nsec),
        last_modification: time(status.st_mtime, status.st_mtime_nsec),
    }
}

/// Extended attributes, but for those of overlays; what the target cannot hold is left out.
fn copy_attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let mut names = [MaybeUninit::<u8>::uninit(); 1 << 12];
    let names = match rustix::fs::flistxattr(from, &mut names) {
        Ok((names, _)) => names,
        Err(Errno::OPNOTSUPP | Errno::RANGE) => return Ok(()),
        Err(errno) => return Err(errno),
    };
    let mut buffer = vec![0u8; 1 << 16];
    for name in names.split_inclusive(|&byte| byte == 0).filter_map(|name| CStr::from_bytes_with_nul(name).ok()) {
        if name.to_bytes().windows(9).any(|part| part == b".overlay.") {
            continue;
        }
        let Ok(length) = rustix::fs::fgetxattr(from, name, &mut buffer[..]) else { continue };
        let _ = rustix::fs::fsetxattr(to, name, &buffer[..length], rustix::fs::XattrFlags::empty());
    }
    Ok(())
}
