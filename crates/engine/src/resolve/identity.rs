//! Who the process is inside: user, groups, home, and the entries that make it known there.

use super::files::guest;
use crate::Engine;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runtime_error;
use runtime::Rootfs;
use runtime::plan::{Access, File, Groups, Mount};
use runtime::users::{self, User};
use spec::ContainerSpec;
use spec::namespaces::{KeepId, UserNs};
use spec::oci::ContainerDefaults;
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
pub(crate) fn resolve(
    engine: &Engine,
    spec: &ContainerSpec,
    image: &ContainerDefaults,
    rootfs: &Rootfs,
) -> Result<Identity> {
    let process = &spec.process;
    let passwd = read(rootfs, "/etc/passwd")?;
    let group = read(rootfs, "/etc/group")?;
    let text = process.user.as_deref().unwrap_or(&image.user);
    let bytes = |file: &Option<Vec<u8>>| file.clone().unwrap_or_default();
    let (mut passwd_text, group_text) = (bytes(&passwd), bytes(&group));
    let workdir = process.workdir.as_deref().unwrap_or(&image.working_dir);
    let mut added = host_users(engine, process, workdir, &passwd_text)?;
    added.push_str(&caller_line(engine, spec, workdir, &passwd_text));
    add_line(&mut passwd_text, &added);
    let user = users::resolve(text, &passwd_text, &group_text).map_err(runtime_error)?;
    // Whoever was asked for has the own group among the others, as after a login; podman does so for nobody else.
    let own = if text.is_empty() { None } else { Some(user.gid) };
    let groups = supplementary(process, own, &user, &group_text)?;
    let mut mounts = Vec::new();
    let wanted = process.passwd.unwrap_or(true);
    let own_group = caller_group(engine, spec, &group_text);
    let line = if user.name.is_none() { passwd_line(process, &user) } else { String::new() };
    if wanted && passwd.is_some() && (user.name.is_none() || !added.is_empty()) {
        mounts.push(with_line("/etc/passwd", passwd_text, &line));
    }
    let mut lines = own_group.unwrap_or_default();
    if user.gid != 0 && !names_group(&group_text, user.gid) && !names_group(lines.as_bytes(), user.gid) {
        lines.push_str(&group_line(process, &user));
    }
    if wanted && group.is_some() && !lines.is_empty() {
        mounts.push(with_line("/etc/group", group_text, &lines));
    }
    Ok(Identity { user, groups, mounts })
}

/// The line of a user that the image lacks: podman's, or as `--passwd-entry` has it.
fn passwd_line(process: &Process, user: &User) -> String {
    let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
    let entry = process.passwd_entry.as_deref().unwrap_or("$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh");
    let words = [
        ("$USERNAME", uid.as_str()),
        ("$UID", &uid),
        ("$GID", &gid),
        ("$NAME", "container user"),
        ("$HOME", &user.home),
    ];
    filled(entry, &words)
}

fn group_line(process: &Process, user: &User) -> String {
    let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
    let entry = process.group_entry.as_deref().unwrap_or("$GROUPNAME:x:$GID:$USERLIST");
    filled(entry, &[("$GROUPNAME", gid.as_str()), ("$GID", &gid), ("$USERLIST", &uid)])
}

fn filled(entry: &str, words: &[(&str, &str)]) -> String {
    let line = words.iter().fold(entry.to_owned(), |line, (name, value)| line.replace(name, value));
    format!("{}\n", line.trim_end_matches('\n'))
}

/// `--hostuser`: lines of users of the host that the image does not know by name.
fn host_users(engine: &Engine, process: &Process, workdir: &str, passwd: &[u8]) -> Result<String> {
    let mut lines = String::new();
    for name in &process.host_users {
        let file = engine.read_file("/etc/passwd")?.unwrap_or_default();
        let found = users::resolve(name, &file, b"").ok().filter(|user| user.name.is_some());
        let unknown = || Error::invalid(format!("--hostuser: unknown user {name}"));
        let user = found.ok_or_else(unknown)?;
        let name = user.name.clone().unwrap_or_default();
        if users::resolve(&name, passwd, b"").is_ok_and(|known| known.name.is_some()) {
            continue;
        }
        let home = if workdir.is_empty() { "/" } else { workdir };
        lines.push_str(&format!("{name}:*:{}:{}::{home}:/bin/sh\n", user.uid, user.gid));
    }
    Ok(lines)
}

/// `keep-id` without other numbers: the caller by name, unless the image has somebody of that name or number.
fn caller_line(engine: &Engine, spec: &ContainerSpec, workdir: &str, passwd: &[u8]) -> String {
    let Host { user, uid, gid, .. } = &engine.host;
    let known = |text: &str| users::resolve(text, passwd, b"").is_ok_and(|known| known.name.is_some());
    if !keeps_caller(spec) || known(user) || known(&uid.to_string()) {
        return String::new();
    }
    let home = if workdir.is_empty() { "/" } else { workdir };
    match &spec.process.passwd_entry {
        Some(_) => String::new(),
        None => format!("{user}:*:{uid}:{gid}::{home}:/bin/sh\n"),
    }
}

fn caller_group(engine: &Engine, spec: &ContainerSpec, group: &[u8]) -> Option<String> {
    let Host { user, gid, .. } = &engine.host;
    let unknown = keeps_caller(spec) && spec.process.group_entry.is_none() && !names_group(group, *gid);
    unknown.then(|| format!("{user}:x:{gid}:{user}\n"))
}

fn keeps_caller(spec: &ContainerSpec) -> bool {
    matches!(&spec.namespaces.user, Some(UserNs::KeepId(KeepId { uid: None, gid: None, .. })))
}

fn add_line(contents: &mut Vec<u8>, line: &str) {
    if !line.is_empty() && contents.last().is_some_and(|last| *last != b'\n') {
        contents.push(b'\n');
    }
    contents.extend_from_slice(line.as_bytes());
}

pub(crate) fn supplementary(process: &Process, own: Option<u32>, user: &User, group: &[u8]) -> Result<Groups> {
    if process.groups.iter().any(|name| name == "keep-groups") {
        return Ok(Groups::Keep);
    }
    let mut groups: Vec<u32> = own.into_iter().collect();
    groups.extend(&user.groups);
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
    add_line(&mut contents, line);
    let target = guest(path).expect("a constant absolute path");
    Mount::File(File { target, contents, mode: 0o644, uid: 0, gid: 0, access: Access::Writable })
}

fn names_group(group: &[u8], gid: u32) -> bool {
    let gid = gid.to_string();
    group.split(|byte| *byte == b'\n').any(|line| line.split(|byte| *byte == b':').nth(2) == Some(gid.as_bytes()))
}

/// The process's limits: those asked for, and podman's defaults for open files and processes as far as the caller's hard
/// limits reach. "Unlimited" of a user is as far as that, too.
pub(crate) fn rlimits(process: &Process, host: &Host) -> Result<Vec<runtime::plan::Rlimit>> {
    use runtime::plan::{Resource, Rlimit};
    use spec::process::Ulimit;
    if process.ulimits.contains(&Ulimit::Host) {
        return Ok(Vec::new());
    }
    let hard_limit = |kernel| rustix::process::getrlimit(kernel).maximum.unwrap_or(u64::MAX);
    let mut limits: Vec<Rlimit> = Vec::new();
    let defaults = [
        (Resource::Nofile, rustix::process::Resource::Nofile, 1 << 20),
        (Resource::Nproc, rustix::process::Resource::Nproc, 1 << 22),
    ];
    for (resource, kernel, most) in defaults {
        let hard = hard_limit(kernel).min(most);
        limits.push(Rlimit { resource, soft: hard, hard });
    }
    for ulimit in &process.ulimits {
        let Ulimit::Set { name, soft, hard } = ulimit else { continue };
        if soft > hard {
            return Err(Error::invalid(format!("--ulimit: the soft limit {soft} is above the hard limit {hard}")));
        }
        let (resource, kernel) = resource(*name);
        let reach = |limit: u64| if limit == u64::MAX && host.rootless() { hard_limit(kernel) } else { limit };
        limits.retain(|limit| limit.resource != resource);
        limits.push(Rlimit { resource, soft: reach(*soft), hard: reach(*hard) });
    }
    Ok(limits)
}

fn resource(name: spec::process::UlimitName) -> (runtime::plan::Resource, rustix::process::Resource) {
    use runtime::plan::Resource;
    use rustix::process::Resource as Kernel;
    use spec::process::UlimitName as Name;
    match name {
        Name::Core => (Resource::Core, Kernel::Core),
        Name::Cpu => (Resource::Cpu, Kernel::Cpu),
        Name::Data => (Resource::Data, Kernel::Data),
        Name::Fsize => (Resource::Fsize, Kernel::Fsize),
        Name::Locks => (Resource::Locks, Kernel::Locks),
        Name::Memlock => (Resource::Memlock, Kernel::Memlock),
        Name::Msgqueue => (Resource::Msgqueue, Kernel::Msgqueue),
        Name::Nice => (Resource::Nice, Kernel::Nice),
        Name::Nofile => (Resource::Nofile, Kernel::Nofile),
        Name::Nproc => (Resource::Nproc, Kernel::Nproc),
        Name::Rss => (Resource::Rss, Kernel::Rss),
        Name::Rtprio => (Resource::Rtprio, Kernel::Rtprio),
        Name::Rttime => (Resource::Rttime, Kernel::Rttime),
        Name::Sigpending => (Resource::Sigpending, Kernel::Sigpending),
        Name::Stack => (Resource::Stack, Kernel::Stack),
        Name::As => (Resource::As, Kernel::As),
    }
}
