//! The cgroup of the unit that this process runs in: what it enforces, and what the kernel has killed in it.
//!
//! systemd drops a limit in silence when its manager does not have the controller, and tells of an OOM kill only in units whose
//! cgroup it does not delegate; so the kernel's own files are read (cgroup-v2.rst).

use crate::error::{Error, Kind, Result};
use crate::resolve::resources::{self, Controllers};
use spec::resources::Resources;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// The group below a delegated unit's own in which systemd runs commands such as `ExecStopPost=`.
const CONTROL: &str = "/.control";
/// The group below a unit's own of a container that divides it.
const CONTAINER: &str = "container";

/// Demands that the unit's cgroup has the controllers of all limits that were asked for.
pub(super) fn demand_limits(asked: &Resources) -> Result<()> {
    if !resources::asked(asked) {
        return Ok(());
    }
    let file = own_unit().map(|group| group.join("cgroup.controllers"));
    let text = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    resources::check(asked, &Controllers::parse(&text))
}

/// Makes the group that a program may divide: below the unit's own, in which lodger's helpers are.
///
/// `owner` is root inside, for a process that is somebody else. The child is moved there by whoever that is, which takes the
/// right to write the list of processes of both groups and of the one above.
pub(super) fn divisible(owner: Option<(u32, u32)>) -> Result<OwnedFd> {
    let refused = |error| Error::caused(Kind::NoOwnGroup, error);
    let unit = own_unit().ok_or_else(|| Error::new(Kind::NoOwnGroup))?;
    let group = unit.join(CONTAINER);
    match fs::create_dir(&group) {
        // A start before this one, of the same unit.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        other => other.map_err(refused)?,
    }
    if let Some((uid, gid)) = owner {
        let own = ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"].map(|file| group.join(file));
        for path in own.into_iter().chain([group.clone(), unit.join("cgroup.procs")]) {
            chown(&path, Some(uid), Some(gid)).map_err(refused)?;
        }
    }
    File::open(&group).map(OwnedFd::from).map_err(refused)
}

/// Whether the kernel has killed a process of the unit for lack of memory. `false` too where the memory controller is not there.
pub(super) fn oom_killed() -> bool {
    let file = own_unit().map(|group| group.join("memory.events"));
    kills(&file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default()) > 0
}

/// Writes to files of the control group that a process is in (`--cgroup-conf`), which is the container's own.
pub(super) fn write_files(files: &[(String, String)], pid: i32) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let path = format!("/proc/{pid}/cgroup");
    let membership = fs::read_to_string(&path).map_err(|e| Error::io(format!("read {path:?}"), e))?;
    let group = unified(&membership).map(|group| Path::new("/sys/fs/cgroup").join(group.trim_start_matches('/')));
    for (name, value) in files {
        let controller = name.split('.').next().unwrap_or_default().to_owned();
        let flag = "--cgroup-conf";
        let missing = |legacy| Error::new(Kind::MissingController { controller: controller.clone(), flag, legacy });
        let file = group.as_ref().ok_or_else(|| missing(true))?.join(name);
        if !file.exists() {
            return Err(missing(!Path::new("/sys/fs/cgroup/cgroup.controllers").exists()));
        }
        fs::write(&file, value).map_err(|e| Error::io(format!("{flag}: write {value:?} to {file:?}"), e))?;
    }
    Ok(())
}

fn own_unit() -> Option<PathBuf> {
    let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
    Some(Path::new("/sys/fs/cgroup").join(unified(&membership)?.trim_start_matches('/')))
}

/// The unit's group, from `/proc/self/cgroup`.
fn unified(membership: &str) -> Option<&str> {
    let group = membership.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(group.strip_suffix(CONTROL).unwrap_or(group))
}

/// What is read from the kernel's words, for fuzzing.
#[cfg(test)]
pub(crate) fn words(text: &str) -> (u64, bool) {
    (kills(text), unified(text).is_some())
}

fn kills(events: &str) -> u64 {
    events.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kills_count() {
        assert_eq!(kills("low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 0\n"), 2);
        assert_eq!(kills("low 0\nhigh 0\nmax 7\noom 1\noom_kill 0\noom_group_kill 1\n"), 0);
        assert_eq!(kills(""), 0);
    }

    #[test]
    fn the_unit_is_above_the_group_of_its_commands() {
        assert_eq!(unified("1:name=systemd:/x\n0::/a/lodger-web.service/.control\n"), Some("/a/lodger-web.service"));
        assert_eq!(unified("0::/a/lodger-web.scope\n"), Some("/a/lodger-web.scope"));
        assert_eq!(unified("1:name=systemd:/x\n"), None);
    }
}
