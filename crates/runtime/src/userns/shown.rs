//! A directory tree of a namespace's ids, shown to processes outside of it as processes inside see it.
//!
//! What root inside owns on the disk, root outside then sees as its own, and what it makes is stored as root inside would have
//! made it. See mount_setattr(2), `MOUNT_ATTR_IDMAP`; overlays take such layers since Linux 5.19.

use super::{Map, Range, create};
use crate::detached;
use crate::error::{Context, Error, Kind};
use crate::plan::{Depth, Propagation};
use init::op::Attributes;
use kernel::mount::{Change, Reach, set_attributes};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, move_mount};
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;

/// From linux/mount.h.
const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;

/// Covers a directory, with all that is mounted below it, by itself with the ids that `map` gives its files inside: for this
/// process's own mount namespace ([`super::private_mounts`] before), where it is root of the first user namespace.
///
/// # Errors
/// [`Kind::NotShown`] when the kernel or the file system cannot do that.
pub fn show_as_inside(directory: &Path, map: &Map) -> Result<(), Error> {
    const OPERATION: &str = "show with ids of the host";
    let name = || directory.display();
    // The kernel takes what is on the disk for an id inside, and shows it as the id outside.
    let swapped = create(&Map { uids: swapped(&map.uids), gids: swapped(&map.gids) })?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let place = rustix::fs::open(directory, flags, Mode::empty()).context(OPERATION, name())?;
    let mount = detached::clone(place.as_fd(), Depth::Recursive, Attributes::default(), Propagation::RPrivate)
        .context(OPERATION, name())?;
    let user_namespace = swapped.namespace.as_raw_fd() as u64;
    let change = Change { set: MOUNT_ATTR_IDMAP, user_namespace, ..Change::default() };
    set_attributes(mount.as_fd(), &change, Reach::All).map_err(|errno| {
        let error = Error::system(OPERATION, name(), errno);
        match errno {
            Errno::INVAL | Errno::PERM | Errno::NOSYS => error.of_kind(Kind::NotShown),
            _ => error,
        }
    })?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&mount, c"", &place, c"", flags).context(OPERATION, name())
}

fn swapped(ranges: &[Range]) -> Vec<Range> {
    ranges.iter().map(|&Range { inside, outside, count }| Range { inside: outside, outside: inside, count }).collect()
}
