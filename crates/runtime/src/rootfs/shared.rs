//! A mount that a running container has, cloned for another container of the same user, or for whoever looks at its files.
//!
//! What it is called is the kernel's word (`/proc/PID/mountinfo`); that the place which is then opened is that mount, and not what
//! somebody has put at its path meanwhile, is checked by the mount's number. See proc_pid_mountinfo(5), mount_setattr(2).

use crate::detached;
use crate::error::{Context, Error, Kind};
use crate::plan::mounting::{Depth, Propagation};
use crate::process::{self, ProcessId};
use crate::userns;
use init::inside;
use init::op::Attributes;
use kernel::mount::{Change, Reach, set_attributes};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, StatxFlags, statx};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const OPERATION: &str = "share the memory of another container";

/// No container has so many mounts.
const LIMIT: u64 = 4 << 20;

/// The tmpfs that the container of `process` has mounted from `source`, as a mount of its own without restrictions; `None` when it has
/// none. The caller has one thread and a mount namespace of its own ([`userns::private_mounts`]).
///
/// # Errors
/// When the process is in another user namespace, or ends meanwhile.
pub fn shared_tmpfs(process: &ProcessId, source: &str) -> Result<Option<OwnedFd>, Error> {
    let theirs = process::namespace(process, "mnt")?;
    let Some(found) = find(process, source)? else { return Ok(None) };
    let own = userns::mounts()?;
    let here = rustix::fs::open(c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).context("open", ".")?;
    move_into_link_name_space(theirs.as_fd(), Some(LinkNameSpaceType::Mount)).context(OPERATION, source)?;
    let taken = take(&found).context(OPERATION, source);
    userns::return_to_mounts(&own)?;
    rustix::process::fchdir(&here).context("return to", ".")?;
    taken.map(Some)
}

/// The root file system of the container of `process`, without what is mounted in it, as a mount that can be written to. The caller has
/// one thread and a mount namespace of its own.
///
/// # Errors
/// When the process is in another user namespace, or ends meanwhile.
pub fn shared_root(process: &ProcessId) -> Result<OwnedFd, Error> {
    let theirs = process::namespace(process, "mnt")?;
    let own = userns::mounts()?;
    let here = rustix::fs::open(c".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).context("open", ".")?;
    let name = process.pid.to_string();
    move_into_link_name_space(theirs.as_fd(), Some(LinkNameSpaceType::Mount)).context(ROOT, &name)?;
    let root = rustix::fs::open(c"/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let taken = root.and_then(|root| unrestricted(root.as_fd())).context(ROOT, &name);
    userns::return_to_mounts(&own)?;
    rustix::process::fchdir(&here).context("return to", ".")?;
    taken
}

const ROOT: &str = "show the root file system of process";

struct Found {
    id: u64,
    path: CString,
}

fn find(process: &ProcessId, source: &str) -> Result<Option<Found>, Error> {
    use std::io::Read;
    let path = format!("/proc/{}/mountinfo", process.pid);
    let file = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).context("open", &path)?;
    let mut text = Vec::new();
    let read = std::fs::File::from(file).take(LIMIT).read_to_end(&mut text);
    read.map_err(|error| Error::new("read", &path, Kind::System).because(error))?;
    let mut lines = text.split(|&byte| byte == b'\n');
    Ok(lines.find_map(|line| parse(line, source)))
}

/// `36 35 98:0 / /t rw,noatime master:1 - tmpfs SOURCE rw`
fn parse(line: &[u8], source: &str) -> Option<Found> {
    let line = std::str::from_utf8(line).ok()?;
    let (mount, filesystem) = line.split_once(" - ")?;
    let mut filesystem = filesystem.split(' ');
    if (filesystem.next()?, filesystem.next()?) != ("tmpfs", source) {
        return None;
    }
    let mut fields = mount.split(' ');
    let id = fields.next()?.parse().ok()?;
    // The whole of it, not a part that was bound elsewhere.
    let (root, path) = (fields.nth(2)?, fields.next()?);
    (root == "/").then_some(())?;
    Some(Found { id, path: CString::new(unescape(path)).ok()? })
}

/// `\040` is a space: three octal digits after a backslash.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.get(..3).filter(|_| byte == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = &after[3..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    bytes
}

/// In the other's mount namespace.
fn take(found: &Found) -> rustix::io::Result<OwnedFd> {
    let root = rustix::fs::open(c"/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let place = inside::locate(root.as_fd(), &found.path, ResolveFlags::NO_SYMLINKS)?;
    let status = statx(&place, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    if status.stx_mnt_id != found.id {
        return Err(Errno::STALE);
    }
    unrestricted(place.as_fd())
}

/// A mount of the same, without what was forbidden of it.
fn unrestricted(place: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let mount = detached::clone(place, Depth::Single, Attributes::default(), Propagation::Private)?;
    let all = Attributes::SAFE.and(Attributes::READ_ONLY);
    let clear = u64::from(detached::flags(all).bits());
    set_attributes(mount.as_fd(), &Change { clear, ..Change::default() }, Reach::One)?;
    Ok(mount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_known_by_what_it_is_of() {
        let line = |text: &str| parse(text.as_bytes(), "volume:data").map(|found| (found.id, found.path));
        let known = line("36 35 0:98 / /a\\040b rw,nosuid master:1 shared:7 - tmpfs volume:data rw,size=1024k");
        assert_eq!(known, Some((36, c"/a b".into())));
        for other in [
            "36 35 0:98 / /t rw - tmpfs volume:data2 rw",
            "36 35 0:98 /part /t rw - tmpfs volume:data rw",
            "36 35 0:98 / /t rw - ext4 volume:data rw",
            "36 35 0:98 / /t rw",
            "x 35 0:98 / /t rw - tmpfs volume:data rw",
            "",
        ] {
            assert_eq!(line(other), None, "{other}");
        }
    }
}
