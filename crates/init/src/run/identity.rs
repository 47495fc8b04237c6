//! Who the process is, and what it may do.

use crate::report::Failure;
use rustix::io::Errno;
use rustix::process::{Gid, Uid, dumpable_behavior, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

/// Takes everything else out of the bounding set, up to the last capability that the kernel knows.
pub(super) fn bound(kept: u64) -> Result<(), Failure> {
    for number in 0..64 {
        let one = 1u64 << number;
        if kept & one != 0 {
            continue;
        }
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(one)) {
            Ok(()) => {}
            // Beyond the last one that this kernel has.
            Err(Errno::INVAL) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Sets the supplementary groups, at most 65536 in the kernel, here at most 1024 for want of an allocator.
pub(super) fn groups(groups: &[u32]) -> Result<(), Failure> {
    let mut gids = [Gid::ROOT; 1024];
    let gids = gids.get_mut(..groups.len()).ok_or(Errno::INVAL)?;
    for (gid, number) in gids.iter_mut().zip(groups) {
        *gid = Gid::from_raw(*number);
    }
    Ok(set_thread_groups(gids)?)
}

pub(super) fn group(gid: u32) -> Result<(), Failure> {
    let gid = Gid::from_raw(gid);
    Ok(set_thread_res_gid(gid, gid, gid)?)
}

pub(super) fn user(uid: u32) -> Result<(), Failure> {
    let uid = Uid::from_raw(uid);
    Ok(set_thread_res_uid(uid, uid, uid)?)
}

/// Who sets things up. The kernel takes a change of ids for a reason to let nobody look into this process any more; the launcher has to,
/// unless the curtain was closed before.
pub(super) fn become_setter(uid: u32, gid: u32) -> Result<(), Failure> {
    let before = dumpable_behavior()?;
    group(gid)?;
    user(uid)?;
    Ok(set_dumpable_behavior(before)?)
}

/// What the launcher does not have itself (in a container with fewer capabilities) it cannot give: that much less is given.
pub(super) fn capabilities(effective: u64, permitted: u64, inheritable: u64) -> Result<(), Failure> {
    let had = rustix::thread::capabilities(None)?.permitted;
    let sets = CapabilitySets {
        effective: CapabilitySet::from_bits_retain(effective).intersection(had),
        permitted: CapabilitySet::from_bits_retain(permitted).intersection(had),
        inheritable: CapabilitySet::from_bits_retain(inheritable).intersection(had),
    };
    Ok(set_capabilities(None, sets)?)
}

pub(super) fn ambient(set: u64) -> Result<(), Failure> {
    clear_ambient_capability_set()?;
    let had = rustix::thread::capabilities(None)?.permitted.bits();
    for number in 0..64 {
        let one = 1u64 << number;
        if set & had & one != 0 {
            configure_capability_in_ambient_set(CapabilitySet::from_bits_retain(one), true)?;
        }
    }
    Ok(())
}
