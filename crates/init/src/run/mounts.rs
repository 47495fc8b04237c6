//! Mounts of the child: everything by descriptor, attached with move_mount(2), never by a path that somebody could change.

use crate::inside;
use crate::op::{Attributes, Filesystem, Guard, Make};
use crate::report::{Failure, In, Part};
use core::ffi::CStr;
use kernel::mount::{Change, Reach, set_attributes};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, PROC_SUPER_MAGIC, ResolveFlags, fstat, fstatfs};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_reconfigure, fsconfig_set_string, fsmount, fsopen, fspick, move_mount, open_tree,
    unmount,
};

/// `MOUNT_ATTR_*` of a set of restrictions.
fn flags(attributes: Attributes) -> MountAttrFlags {
    [
        (Attributes::READ_ONLY, MountAttrFlags::MOUNT_ATTR_RDONLY),
        (Attributes::NO_SUID, MountAttrFlags::MOUNT_ATTR_NOSUID),
        (Attributes::NO_DEV, MountAttrFlags::MOUNT_ATTR_NODEV),
        (Attributes::NO_EXEC, MountAttrFlags::MOUNT_ATTR_NOEXEC),
    ]
    .into_iter()
    .filter(|(one, _)| attributes.0 & one.0 != 0)
    .fold(MountAttrFlags::empty(), |all, (_, flag)| all | flag)
}

/// A change that only restricts.
fn restriction(attributes: Attributes) -> Change {
    Change { set: u64::from(flags(attributes).bits()), ..Change::default() }
}

/// Makes a file system of the child's own namespaces. Where the kernel refuses (a namespace of the host's, or no full view of it in a nested
/// container), the host's own tree has to do.
pub(super) fn make(filesystem: Filesystem, attributes: Attributes) -> Result<OwnedFd, Failure> {
    let (name, host, closed) = match filesystem {
        Filesystem::Proc => return fresh(c"proc", attributes),
        Filesystem::Mqueue => (c"mqueue", c"/dev/mqueue", attributes),
        Filesystem::Sysfs => (c"sysfs", c"/sys", attributes.and(Attributes::READ_ONLY)),
        Filesystem::Cgroup2 => (c"cgroup2", c"/sys/fs/cgroup", attributes.and(Attributes::READ_ONLY)),
    };
    match fresh(name, attributes) {
        Err(Failure { errno: Errno::PERM | Errno::BUSY | Errno::NODEV, .. }) => match clone_host(host, closed) {
            Err(_) if filesystem != Filesystem::Sysfs => fresh(c"tmpfs", attributes),
            result => result,
        },
        result => result,
    }
}

fn fresh(name: &CStr, attributes: Attributes) -> Result<OwnedFd, Failure> {
    let context = fsopen(name, FsOpenFlags::FSOPEN_CLOEXEC).during(Part::Make)?;
    fsconfig_create(&context).during(Part::Make)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags(attributes)).during(Part::Make)
}

/// Sets an option of a file system by a mount of it.
pub(super) fn configure(mount: BorrowedFd<'_>, key: &CStr, value: &CStr) -> Result<(), Failure> {
    let flags = FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_EMPTY_PATH;
    let context = fspick(mount, c"", flags).during(Part::Make)?;
    fsconfig_set_string(&context, key, value).during(Part::Make)?;
    fsconfig_reconfigure(&context).during(Part::Make)
}

/// A clone of a tree of the host, whose root is still the process's.
fn clone_host(path: &CStr, attributes: Attributes) -> Result<OwnedFd, Failure> {
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, path, clone).during(Part::Clone)?;
    set_attributes(tree.as_fd(), &restriction(attributes), Reach::All).during(Part::Attributes)?;
    Ok(tree)
}

/// A clone of what is open, as a mount that is attached nowhere.
pub(super) fn clone_open(file: BorrowedFd<'_>, reach: Reach) -> Result<OwnedFd, Failure> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    if reach == Reach::All {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(file, c"", flags).during(Part::Clone)
}

/// A clone of a numbered entry of a mount that the parent has made.
pub(super) fn clone_entry(from: BorrowedFd<'_>, name: u16, attributes: Attributes) -> Result<OwnedFd, Failure> {
    let mut digits = [0u8; 11];
    let digits = super::decimal(i32::from(name), &mut digits);
    let mut buffer = [0u8; 12];
    buffer.get_mut(..digits.len()).ok_or(Errno::INVAL)?.copy_from_slice(digits);
    let name = CStr::from_bytes_until_nul(&buffer).map_err(|_| Errno::INVAL)?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    let clone = open_tree(from, name, flags).during(Part::Clone)?;
    set_attributes(clone.as_fd(), &restriction(attributes), Reach::One).during(Part::Attributes)?;
    Ok(clone)
}

/// Attaches a mount over a path of the host's root.
pub(super) fn attach_over(mount: BorrowedFd<'_>, path: &CStr) -> Result<(), Failure> {
    move_mount(mount, c"", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).during(Part::Attach)
}

fn attach_at(mount: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Result<(), Failure> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, c"", place, c"", flags).during(Part::Attach)
}

/// Attaches a mount inside the root.
pub(super) fn attach(
    root: BorrowedFd<'_>,
    mount: BorrowedFd<'_>,
    target: &CStr,
    make: Make,
    guard: Guard,
) -> Result<(), Failure> {
    let place = match guard {
        Guard::NoLinks => exact(root, target, make)?,
        Guard::NotProc | Guard::ProcFile => inside::ensure(root, target, make).during(Part::Resolve)?,
    };
    if guard == Guard::NotProc && fstatfs(&place)?.f_type == PROC_SUPER_MAGIC {
        return Err(Failure { errno: Errno::PERM, part: Part::Refuse });
    }
    attach_at(mount, place.as_fd())
}

/// The place of a path without any link; a missing one is made. An image that has a link at `/dev` is refused here (`ELOOP`).
fn exact(root: BorrowedFd<'_>, target: &CStr, make: Make) -> Result<OwnedFd, Failure> {
    match inside::locate(root, target, ResolveFlags::NO_SYMLINKS) {
        Err(Errno::NOENT) => {
            inside::ensure(root, target, make).during(Part::Resolve)?;
            inside::locate(root, target, ResolveFlags::NO_SYMLINKS)
        }
        result => result,
    }
    .map_err(|errno| Failure { errno, part: if errno == Errno::LOOP { Part::Refuse } else { Part::Resolve } })
}

/// Attaches a mount at an entry of a directory of the parent's making.
pub(super) fn attach_entry(mount: BorrowedFd<'_>, directory: BorrowedFd<'_>, name: &CStr) -> Result<(), Failure> {
    move_mount(mount, c"", directory, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).during(Part::Attach)
}

/// The place of a path that may be missing, which is no failure.
fn existing(root: BorrowedFd<'_>, target: &CStr) -> Result<Option<OwnedFd>, Failure> {
    match inside::locate(root, target, ResolveFlags::empty()) {
        Ok(place) => Ok(Some(place)),
        // Neither does what lies below a file, or behind a dangling link, exist.
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(Failure { errno, part: Part::Resolve }),
    }
}

/// What hides a path.
#[derive(Clone, Copy)]
pub(super) struct Cover<'c> {
    pub(super) mount: BorrowedFd<'c>,
    /// It is in use already, so that a clone is needed.
    pub(super) attached: bool,
}

/// Hides a path; which of the two was used, if it exists. What hides it is a mount of our own, or a clone of it, never looked up by a name that
/// the image could have changed. The first use takes the mount itself: before Linux 6.15 only what is attached can be cloned, and a mount
/// that never is costs a grace period of the kernel when it is closed.
pub(super) fn mask(
    root: BorrowedFd<'_>,
    target: &CStr,
    null: Cover<'_>,
    empty: Cover<'_>,
) -> Result<Option<Make>, Failure> {
    let Some(place) = existing(root, target)? else { return Ok(None) };
    let directory = FileType::from_raw_mode(fstat(&place)?.st_mode) == FileType::Directory;
    let (kind, cover) = if directory { (Make::Directory, empty) } else { (Make::File, null) };
    if cover.attached {
        let clone = clone_open(cover.mount, Reach::One)?;
        attach_at(clone.as_fd(), place.as_fd())?;
    } else {
        attach_at(cover.mount, place.as_fd())?;
    }
    Ok(Some(kind))
}

/// Makes a path read-only with all mounts below it.
pub(super) fn read_only(root: BorrowedFd<'_>, target: &CStr) -> Result<(), Failure> {
    let Some(place) = existing(root, target)? else { return Ok(()) };
    let clone = clone_open(place.as_fd(), Reach::All)?;
    set_attributes(clone.as_fd(), &restriction(Attributes::READ_ONLY), Reach::All).during(Part::Attributes)?;
    attach_at(clone.as_fd(), place.as_fd())
}

/// Makes the root mount itself read-only; what is mounted below stays as it is.
pub(super) fn restrict_root(root: BorrowedFd<'_>) -> Result<(), Failure> {
    set_attributes(root, &restriction(Attributes::READ_ONLY), Reach::One).during(Part::Attributes)
}

/// Makes the attached root the process's, and lets go of the host's: pivot_root(2), "pivot_root(".", ".")".
pub(super) fn pivot(root: BorrowedFd<'_>) -> Result<(), Failure> {
    rustix::process::fchdir(root)?;
    rustix::process::pivot_root(c".", c".")?;
    unmount(c".", UnmountFlags::DETACH)?;
    Ok(rustix::process::chdir(c"/")?)
}
