//! A container's root file system as a mount that is attached nowhere yet.
//!
//! Made by the launching process, which may read it (users, groups, what a volume starts with) before any process of the
//! container exists. Every path is resolved with `openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)`: an image's links lead to
//! other places of the image, never out of it.

mod copy;
mod overlay;
mod shared;

pub(crate) use copy::copy_out;
pub use overlay::{Changes, Durability, Overlay};
pub use shared::{shared_root, shared_tmpfs};

use crate::detached;
use crate::error::{Context, Error, Kind};
use crate::plan::mounting::{Depth, Propagation};
use crate::plan::path::GuestPath;
use init::inside;
use init::op::Attributes;
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, fstatfs, major, minor};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, UnmountFlags, move_mount, unmount};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A detached mount.
#[derive(Debug)]
pub struct Rootfs {
    pub(crate) mount: OwnedFd,
    pub(crate) name: CString,
}

impl Rootfs {
    /// `name` is for messages and `--show-ops`: the container's or image's.
    ///
    /// # Errors
    /// When the kernel refuses the overlay.
    pub fn overlay(overlay: &Overlay, name: &str) -> Result<Self, Error> {
        Ok(Self { mount: overlay::mount(overlay, name)?, name: text(name) })
    }

    /// A directory of the host (`--rootfs`), opened after [`crate::userns::private_mounts`], with all that is mounted below.
    ///
    /// # Errors
    /// When the directory cannot be cloned.
    pub fn directory(directory: &OwnedFd, name: &str) -> Result<Self, Error> {
        let mount = detached::clone(directory.as_fd(), Depth::Recursive, Attributes::NO_DEV, Propagation::RPrivate);
        Ok(Self { mount: mount.context("bind root", name)?, name: text(name) })
    }

    /// Opens for reading whatever is there; never blocks, never a device's driver is called.
    ///
    /// # Errors
    /// When it does not exist, or is neither a regular file nor a directory.
    pub fn open(&self, path: &GuestPath) -> Result<OwnedFd, Error> {
        open_plain(self.mount.as_fd(), path)?.ok_or_else(|| Error::system("open in root", path, Errno::NOENT))
    }

    /// The content of a regular file of at most `limit` bytes; `None` when it does not exist.
    ///
    /// # Errors
    /// When it is anything but a regular file, or larger.
    pub fn read_bounded(&self, path: &GuestPath, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        use std::io::Read;
        let Some(file) = open_plain(self.mount.as_fd(), path)? else { return Ok(None) };
        let status = fstat(&file).context("look at", path)?;
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            return Err(Error::new("read in root", path, Kind::Hostile));
        }
        let mut content = Vec::new();
        // One byte more, since the size may be a lie (it is in procfs) or change.
        let mut limited = std::fs::File::from(file).take(limit.saturating_add(1));
        limited
            .read_to_end(&mut content)
            .map_err(|error| Error::new("read in root", path, Kind::System).because(error))?;
        if content.len() as u64 > limit {
            return Err(Error::new("read in root", path, Kind::TooLarge));
        }
        Ok(Some(content))
    }

    /// Copies what the directory at `path` holds, with owners, modes, times and extended attributes, into `target`, which also
    /// gets the directory's own owner and mode; nothing when it does not exist or is no directory.
    ///
    /// # Errors
    /// When something in it cannot be read or written.
    pub fn copy_out(&self, path: &GuestPath, target: &OwnedFd) -> Result<(), Error> {
        copy_out(self.mount.as_fd(), path, target.as_fd())
    }

    /// The detached mount, to be attached somewhere inside.
    #[must_use]
    pub fn into_mount(self) -> OwnedFd {
        self.mount
    }

    /// A part of it as a mount of its own: a directory or file at `path`, found without ever leaving it.
    ///
    /// Only what is attached can be cloned before Linux 6.15: for a moment it is, in this process's own mount namespace, at `place`.
    ///
    /// # Errors
    /// When there is nothing at `path`.
    pub fn part(&self, path: &GuestPath, place: &OwnedFd) -> Result<OwnedFd, Error> {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(&self.mount, c"", place, c"", flags).context("attach", self.name.to_string_lossy())?;
        let part = inside::locate(self.mount.as_fd(), path.as_c_str(), ResolveFlags::empty()).and_then(|part| {
            detached::clone(part.as_fd(), Depth::Recursive, Attributes::default(), Propagation::RPrivate)
        });
        let attached = format!("/proc/self/fd/{}", self.mount.as_raw_fd());
        unmount(attached, UnmountFlags::DETACH).context("detach", self.name.to_string_lossy())?;
        part.context("open in root", path)
    }

    /// The detached mount itself, for what resolves paths in it as this type does.
    #[must_use]
    pub fn as_mount(&self) -> BorrowedFd<'_> {
        self.mount.as_fd()
    }
}

/// Attaches a mount at a place of the calling process's mount namespace.
///
/// # Errors
/// When the process may mount nothing there.
pub fn attach(mount: &OwnedFd, place: &OwnedFd) -> Result<(), Error> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, c"", place, c"", flags).context("attach", "root file system")
}

/// What is mounted at a place, as a further mount.
///
/// # Errors
/// When the place is in another mount namespace.
pub fn again(place: &OwnedFd) -> Result<OwnedFd, Error> {
    detached::clone(place.as_fd(), Depth::Single, Attributes::default(), Propagation::Private)
        .context("clone mount of", "root file system")
}

fn text(name: &str) -> CString {
    CString::new(name.replace('\0', "")).unwrap_or_default()
}

/// Opens a regular file or directory for reading; `None` when there is nothing. Located first without being opened, so that neither a FIFO
/// blocks nor a device's driver runs; then the very same file is opened.
fn open_plain(root: BorrowedFd<'_>, path: &GuestPath) -> Result<Option<OwnedFd>, Error> {
    let place = match inside::locate(root, path.as_c_str(), ResolveFlags::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        result => result.context("open in root", path)?,
    };
    match FileType::from_raw_mode(fstat(&place).context("look at", path)?.st_mode) {
        FileType::RegularFile => reopen(&place, OFlags::RDONLY).context("open in root", path).map(Some),
        FileType::Directory => {
            reopen(&place, OFlags::RDONLY | OFlags::DIRECTORY).context("open in root", path).map(Some)
        }
        _ => Err(Error::new("open in root", path, Kind::Hostile)),
    }
}

/// Opens what an `O_PATH` descriptor stands for.
pub(crate) fn reopen(place: &OwnedFd, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    rustix::fs::open(path, flags | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty())
}

/// The multiplexer of the devpts that is at `/dev/pts` of a running container, which may have put anything there.
pub(crate) fn open_ptmx(root: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    const DEVPTS_SUPER_MAGIC: rustix::fs::FsWord = 0x1cd1;
    const PATH: &CStr = c"/dev/pts/ptmx";
    let name = "/dev/pts/ptmx";
    let place = inside::locate(root, PATH, ResolveFlags::NO_SYMLINKS).context("open terminal", name)?;
    let status = fstat(&place).context("look at", name)?;
    let is_ptmx = FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
        && (major(status.st_rdev), minor(status.st_rdev)) == (5, 2)
        && fstatfs(&place).context("look at", name)?.f_type == DEVPTS_SUPER_MAGIC;
    if !is_ptmx {
        return Err(Error::new("open terminal", name, Kind::Hostile));
    }
    let path = format!("/proc/self/fd/{}", place.as_raw_fd());
    rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
        .context("open terminal", name)
}
