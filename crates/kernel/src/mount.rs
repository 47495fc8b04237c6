//! mount_setattr(2), which rustix lacks.

use crate::arch::syscall;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Result;

/// What changes: `struct mount_attr`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Change {
    /// `MOUNT_ATTR_*` that are set.
    pub set: u64,
    /// `MOUNT_ATTR_*` that are taken away.
    pub clear: u64,
    /// One of `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`, `MS_UNBINDABLE`, or 0.
    pub propagation: u64,
    /// Descriptor of a user namespace for `MOUNT_ATTR_IDMAP`, else 0.
    pub user_namespace: u64,
}

/// How far a change reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This mount.
    One,
    /// It and all mounts below.
    All,
}

/// Changes a mount by a descriptor of its root: mount_setattr(2), Linux 5.12. All or nothing.
///
/// # Errors
/// As mount_setattr(2): `EPERM` when it would lift what a more privileged namespace has locked.
pub fn set_attributes(mount: BorrowedFd<'_>, change: &Change, reach: Reach) -> Result<()> {
    let mut flags = libc::AT_EMPTY_PATH as usize;
    if reach == Reach::All {
        flags |= libc::AT_RECURSIVE as usize;
    }
    let fd = mount.as_raw_fd() as usize;
    let empty = c"".as_ptr() as usize;
    // SAFETY: `change` has the layout and size of `struct mount_attr`, and both pointers are read only.
    unsafe {
        syscall(
            libc::SYS_mount_setattr,
            [fd, empty, flags, core::ptr::from_ref(change) as usize, size_of::<Change>(), 0],
        )
    }
    .map(drop)
}
