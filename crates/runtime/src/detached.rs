//! Mounts that are attached nowhere yet: clones of what is open, and their attributes.

use crate::plan::mounting::{Depth, Propagation};
use init::op::Attributes;
use kernel::mount::{Change, Reach, set_attributes};
use rustix::mount::{MountAttrFlags, MountPropagationFlags, OpenTreeFlags, open_tree};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// `MOUNT_ATTR_*` of a set of restrictions.
pub(crate) fn flags(attributes: Attributes) -> MountAttrFlags {
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

/// A clone of what is open, private to the container unless asked otherwise.
pub(crate) fn clone(
    source: BorrowedFd<'_>,
    depth: Depth,
    attributes: Attributes,
    propagation: Propagation,
) -> rustix::io::Result<OwnedFd> {
    let mut how = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let mut reach = Reach::One;
    if depth == Depth::Recursive {
        how |= OpenTreeFlags::AT_RECURSIVE;
        reach = Reach::All;
    }
    let mount = open_tree(source, c"", how)?;
    let (kind, recursive) = match propagation {
        // Of a tree, always all of it: a part that stays joined to the host would be a surprise.
        Propagation::Private | Propagation::RPrivate => (MountPropagationFlags::PRIVATE, reach),
        // As it came out of the launcher's namespace.
        Propagation::Slave | Propagation::RSlave => (MountPropagationFlags::empty(), reach),
        Propagation::Shared => (MountPropagationFlags::SHARED, Reach::One),
        Propagation::RShared => (MountPropagationFlags::SHARED, reach),
        Propagation::Unbindable => (MountPropagationFlags::UNBINDABLE, Reach::One),
        Propagation::RUnbindable => (MountPropagationFlags::UNBINDABLE, reach),
    };
    let propagate = Change { propagation: u64::from(kind.bits()), ..Change::default() };
    let mut change = Change { set: u64::from(flags(attributes).bits()), ..Change::default() };
    if recursive == reach {
        change.propagation = propagate.propagation;
    } else {
        set_attributes(mount.as_fd(), &propagate, recursive)?;
    }
    if change != Change::default() {
        set_attributes(mount.as_fd(), &change, reach)?;
    }
    Ok(mount)
}
