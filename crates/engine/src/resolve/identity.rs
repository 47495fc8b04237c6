//! Who the process is inside: user, groups, home, and the entries that make it known there.

use super::files::guest;
use crate::error::{Error, Result};
use crate::runtime_error;
use runtime::Rootfs;
use runtime::plan::{Access, File, Groups, Mount};
use runtime::users::{self, User};
use spec::process::Process;

/// Larger than any real `/etc/passwd`; an image cannot make a start read more.
const LIMIT: u64 = 4 << 20;

/// The user with what is mounted to make it known.
pub(crate) struct Identity {
    pub(crate) user: User,
    pub(crate) groups: Groups,
    pub(crate) mounts: Vec<Mount>,
}

/// Looks the user up inside the root file system.
pub(crate) fn resolve(process: &Process, image_user: &str, rootfs: &Rootfs) -> Result<Identity> {
    let passwd = read(rootfs, "/etc/passwd")?;
    let group = read(rootfs, "/etc/group")?;
    let text = process.user.as_deref().unwrap_or(image_user);
    let bytes = |file: &Option<Vec<u8>>| file.clone().unwrap_or_default();
    let (passwd_text, group_text) = (bytes(&passwd), bytes(&group));
    let user = users::resolve(text, &passwd_text, &group_text).map_err(runtime_error)?;
    let groups = supplementary(process, &user, &group_text)?;
    let mut mounts = Vec::new();
    let wanted = process.passwd.unwrap_or(true);
    if wanted && passwd.is_some() && user.name.is_none() {
        let line = format!("{0}:*:{0}:{1}:container user:{2}:/bin/sh\n", user.uid, user.gid, user.home);
        mounts.push(with_line("/etc/passwd", passwd_text, &line));
    }
    if wanted && group.is_some() && user.gid != 0 && !names_group(&group_text, user.gid) {
        mounts.push(with_line("/etc/group", group_text, &format!("{0}:x:{0}:\n", user.gid)));
    }
    Ok(Identity { user, groups, mounts })
}

fn supplementary(process: &Process, user: &User, group: &[u8]) -> Result<Groups> {
    if process.groups.iter().any(|name| name == "keep-groups") {
        return Ok(Groups::Keep);
    }
    let mut groups = user.groups.clone();
    for name in &process.groups {
        groups.push(users::resolve_group(name, group).map_err(runtime_error)?);
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(Groups::Set(groups))
}

fn read(rootfs: &Rootfs, path: &str) -> Result<Option<Vec<u8>>> {
    rootfs.read_bounded(&guest(path)?, LIMIT).map_err(|e| runtime_error(e).within("look up the user"))
}

fn with_line(path: &'static str, mut contents: Vec<u8>, line: &str) -> Mount {
    if contents.last().is_some_and(|last| *last != b'\n') {
        contents.push(b'\n');
    }
    contents.extend_from_slice(line.as_bytes());
    let target = guest(path).expect("a constant absolute path");
    Mount::File(File { target, contents, mode: 0o644, uid: 0, gid: 0, access: Access::Writable })
}

fn names_group(group: &[u8], gid: u32) -> bool {
    let gid = gid.to_string();
    group.split(|byte| *byte == b'\n').any(|line| line.split(|byte| *byte == b':').nth(2) == Some(gid.as_bytes()))
}

/// The process's limits: those asked for, and podman's defaults for open files and processes as far as the caller's hard
/// limits reach.
pub(crate) fn rlimits(process: &Process) -> Result<Vec<runtime::plan::Rlimit>> {
    use runtime::plan::{Resource, Rlimit};
    use spec::process::{Ulimit, UlimitName as Name};
    let resource = |name: Name| match name {
        Name::Core => Resource::Core,
        Name::Cpu => Resource::Cpu,
        Name::Data => Resource::Data,
        Name::Fsize => Resource::Fsize,
        Name::Locks => Resource::Locks,
        Name::Memlock => Resource::Memlock,
        Name::Msgqueue => Resource::Msgqueue,
        Name::Nice => Resource::Nice,
        Name::Nofile => Resource::Nofile,
        Name::Nproc => Resource::Nproc,
        Name::Rss => Resource::Rss,
        Name::Rtprio => Resource::Rtprio,
        Name::Rttime => Resource::Rttime,
        Name::Sigpending => Resource::Sigpending,
        Name::Stack => Resource::Stack,
        Name::As => Resource::As,
    };
    if process.ulimits.contains(&Ulimit::Host) {
        return Ok(Vec::new());
    }
    let mut limits: Vec<Rlimit> = Vec::new();
    let defaults = [
        (Resource::Nofile, rustix::process::Resource::Nofile, 1 << 20),
        (Resource::Nproc, rustix::process::Resource::Nproc, 1 << 22),
    ];
    for (resource, kernel, most) in defaults {
        let hard = rustix::process::getrlimit(kernel).maximum.unwrap_or(u64::MAX).min(most);
        limits.push(Rlimit { resource, soft: hard, hard });
    }
    for ulimit in &process.ulimits {
        let Ulimit::Set { name, soft, hard } = ulimit else { continue };
        if soft > hard {
            return Err(Error::invalid(format!("--ulimit: the soft limit {soft} is above the hard limit {hard}")));
        }
        let resource = resource(*name);
        limits.retain(|limit| limit.resource != resource);
        limits.push(Rlimit { resource, soft: *soft, hard: *hard });
    }
    Ok(limits)
}
