//! A container's root file system as a mount that is attached nowhere yet.
//!
//! Made by the launching process, which may read it (users, groups, what a volume starts with) before any process of the
//! container exists. Every path is resolved with `openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)`: an image's links lead to
//! other places of the image, never out of it.

use crate::error::Error;
use crate::plan::GuestPath;
use std::ffi::CString;
use std::os::fd::OwnedFd;

/// A detached mount.
#[derive(Debug)]
pub struct Rootfs {
    pub(crate) mount: OwnedFd,
    pub(crate) name: CString,
}

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

impl Rootfs {
    /// `name` is for messages and `--show-ops`: the container's or image's.
    ///
    /// # Errors
    /// When the kernel refuses the overlay.
    pub fn overlay(_overlay: &Overlay, _name: &str) -> Result<Self, Error> {
        todo!("not yet")
    }

    /// A directory of the host (`--rootfs`), opened after [`crate::userns::private_mounts`].
    ///
    /// # Errors
    /// When the directory cannot be cloned.
    pub fn directory(_directory: &OwnedFd, _name: &str) -> Result<Self, Error> {
        todo!("not yet")
    }

    /// Opens for reading whatever is there; never blocks, never a device's driver is called.
    ///
    /// # Errors
    /// When it does not exist, or is neither a regular file nor a directory.
    pub fn open(&self, _path: &GuestPath) -> Result<OwnedFd, Error> {
        todo!("not yet")
    }

    /// The content of a regular file of at most `limit` bytes; `None` when it does not exist.
    ///
    /// # Errors
    /// When it is anything but a regular file, or larger.
    pub fn read_bounded(&self, _path: &GuestPath, _limit: u64) -> Result<Option<Vec<u8>>, Error> {
        todo!("not yet")
    }

    /// Copies what the directory at `path` holds, with owners, modes, times and extended attributes, into `target`, which also
    /// gets the directory's own owner and mode; nothing when it does not exist or is no directory.
    ///
    /// # Errors
    /// When something in it cannot be read or written.
    pub fn copy_out(&self, _path: &GuestPath, _target: &OwnedFd) -> Result<(), Error> {
        todo!("not yet")
    }
}
