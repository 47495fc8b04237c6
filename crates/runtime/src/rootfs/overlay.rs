//! Mounting an overlay, with directories by descriptor.
//!
//! Linux 6.13 takes descriptors; before that they are named relative to `/proc/self/fd`, so that neither a path of the host can be
//! swapped nor the length of paths limits the number of layers.
//!
//! See Documentation/filesystems/overlayfs.rst.

use crate::error::{Error, Kind};
use crate::userns;
use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_fd, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen,
};
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The directories of an overlay.
#[derive(Debug)]
pub struct Overlay {
    /// Read-only layers, topmost first; at least one.
    pub lowers: Vec<OwnedFd>,
    /// Where changes go.
    pub upper: OwnedFd,
    /// The kernel's scratch directory, empty, on the file system of `upper`.
    pub work: OwnedFd,
    /// What a power cut may cost.
    pub durability: Durability,
}

/// What a power cut may cost of an overlay's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As the file system below.
    Durable,
    /// All of them: nothing is ever synced.
    Volatile,
}

/// Mounts an overlay, attached nowhere.
pub(super) fn mount(overlay: &Overlay, name: &str) -> Result<OwnedFd, Error> {
    if overlay.lowers.is_empty() {
        return Err(Error::new("mount overlay", name, Kind::Invalid("it has no layer")));
    }
    forget_volatile(overlay.work.as_fd());
    let context =
        fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(|errno| Error::system("mount overlay", name, errno))?;
    let mounted = configure(&context, overlay).and_then(|()| {
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
    });
    mounted.map_err(|errno| match kernel_message(&context) {
        Some(message) => Error::new("mount overlay", name, Kind::System).because(message),
        None => Error::system("mount overlay", name, errno),
    })
}

fn configure(context: &OwnedFd, overlay: &Overlay) -> rustix::io::Result<()> {
    fsconfig_set_string(context, c"source", c"overlay")?;
    match by_descriptor(context, overlay) {
        Err(Errno::INVAL | Errno::NOTSUP | Errno::BADF) => by_number(context, overlay)?,
        result => result?,
    }
    fsconfig_set_string(context, c"index", c"off")?;
    if !userns::is_initial() {
        fsconfig_set_flag(context, c"userxattr")?;
    }
    if overlay.durability == Durability::Volatile {
        fsconfig_set_flag(context, c"volatile")?;
    }
    Ok(())
}

/// Linux 6.13.
fn by_descriptor(context: &OwnedFd, overlay: &Overlay) -> rustix::io::Result<()> {
    for lower in &overlay.lowers {
        fsconfig_set_fd(context, c"lowerdir+", lower)?;
    }
    fsconfig_set_fd(context, c"upperdir", &overlay.upper)?;
    fsconfig_set_fd(context, c"workdir", &overlay.work)
}

/// Before: the kernel looks names up when it is told them, so that the working directory can be put back at once, but for
/// `fsconfig_create` with a list in one string, where it does so only then. A string has at most 255 bytes; in a single one there is
/// room for about 60 layers, with one for each (Linux 6.5) for as many as an overlay takes.
fn by_number(context: &OwnedFd, overlay: &Overlay) -> rustix::io::Result<()> {
    let before = rustix::fs::open(c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    rustix::process::chdir(c"/proc/self/fd")?;
    let result = set_numbers(context, overlay);
    rustix::process::fchdir(&before)?;
    result
}

fn set_numbers(context: &OwnedFd, overlay: &Overlay) -> rustix::io::Result<()> {
    let number = |fd: &OwnedFd| fd.as_raw_fd().to_string();
    let mut lowers = overlay.lowers.iter();
    if let Some(first) = lowers.next() {
        match fsconfig_set_string(context, c"lowerdir+", number(first)) {
            Ok(()) => lowers.try_for_each(|lower| fsconfig_set_string(context, c"lowerdir+", number(lower)))?,
            Err(Errno::INVAL) => {
                let all: Vec<String> = overlay.lowers.iter().map(number).collect();
                fsconfig_set_string(context, c"lowerdir", all.join(":"))?;
            }
            Err(errno) => return Err(errno),
        }
    }
    fsconfig_set_string(context, c"upperdir", number(&overlay.upper))?;
    fsconfig_set_string(context, c"workdir", number(&overlay.work))?;
    // Kernels that only remember the names look them up now.
    fsconfig_set_string(context, c"index", c"off")
}

/// The kernel refuses (`EINVAL`) a work directory that a volatile mount has left behind (`work/incompat/volatile/dirty`), since its upper
/// directory may have lost data. Whoever mounts it again has decided that this is so or does not matter.
fn forget_volatile(work: BorrowedFd<'_>) {
    let open = |directory: BorrowedFd<'_>, name: &CStr| {
        openat(directory, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
    };
    let _ = (|| {
        let inner = open(work, c"work")?;
        let incompat = open(inner.as_fd(), c"incompat")?;
        let volatile = open(incompat.as_fd(), c"volatile")?;
        unlinkat(&volatile, c"dirty", AtFlags::empty())?;
        unlinkat(&incompat, c"volatile", AtFlags::REMOVEDIR)?;
        unlinkat(&inner, c"incompat", AtFlags::REMOVEDIR)
    })();
}

/// What the kernel says of a failed mount: lines `e message` in the context.
fn kernel_message(context: &OwnedFd) -> Option<String> {
    let mut buffer = [0u8; 1024];
    let length = rustix::io::read(context, &mut buffer).ok()?;
    let text = String::from_utf8_lossy(&buffer[..length]).trim_end().to_owned();
    let text = text.strip_prefix("e ").unwrap_or(&text).to_owned();
    (!text.is_empty()).then_some(text)
}
