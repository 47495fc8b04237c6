//! `pause`, `unpause`: a container's processes held still by the kernel's freezer (cgroup-v2.rst), without their noticing.
//!
//! Only the container's own processes are held, in a group of their own below that of their unit. systemd's FreezeUnit would
//! hold the log relay too and, worse, what systemd itself starts in the unit when the container ends: it waits for that
//! with the whole manager (systemd 257).
//!
//! ```text
//! …/lodger-web.service/                  pasta, the log relay
//! …/lodger-web.service/lodger-<id>/      the container while it is paused; frozen
//! ```

use super::Container;
use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::launch::LOCK_WAIT;
use crate::{Engine, store_error, unit};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use store::{Access, ContainerId, ProcessId, RunState, Wait};

/// How long the kernel may take to hold everything; a process that waits for a disk is held when it has its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the processes are looked at anew; one that forks faster than it can be moved is not moved at all.
const ROUNDS: usize = 100;
/// The group in which systemd runs commands of a delegated unit.
const CONTROL: &str = ".control";

impl Engine {
    /// Holds all processes of a container until [`Engine::unpause`].
    pub fn pause(&self, container: &Container) -> Result<()> {
        let record = &container.record;
        let _lock =
            self.store.lock_container(&record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT)).map_err(store_error)?;
        let container = self.look_at(record.clone())?;
        let Some(state) = container.running.as_ref().filter(|state| state.paused.is_none()) else {
            return Err(self.wrong_state(&container, "pause"));
        };
        // A user must be inside to look at the processes; root must be outside to change its groups.
        if self.host.rootless() {
            self.approach(&record.spec)?;
        }
        let home = self.home_group(&container, state)?;
        let group = home.join(group_name(&record.id));
        let held = self.hold(&container, state, &home, &group);
        let noted = held.and_then(|()| {
            self.before_writing_for(&record.spec)?;
            let paused = Some(relative(&group));
            self.store.write_state(&record.id, &RunState { paused, ..state.clone() }).map_err(store_error)
        });
        noted.inspect_err(|_| let_go(&group))?;
        self.tell_container(record, Act::Pause);
        Ok(())
    }

    /// Lets a paused container go on.
    pub fn unpause(&self, container: &Container) -> Result<()> {
        let record = &container.record;
        let _lock =
            self.store.lock_container(&record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT)).map_err(store_error)?;
        let container = self.look_at(record.clone())?;
        let paused = container.running.as_ref().and_then(|state| Some((state, state.paused.as_deref()?)));
        let Some((state, group)) = paused else { return Err(self.wrong_state(&container, "unpause")) };
        let group = absolute(group);
        thaw(&group)?;
        let_go(&group);
        self.before_writing_for(&record.spec)?;
        self.store.write_state(&record.id, &RunState { paused: None, ..state.clone() }).map_err(store_error)?;
        self.tell_container(record, Act::Unpause);
        Ok(())
    }

    /// The same for one that is about to end, if it is paused at all: held processes take no signal but SIGKILL.
    pub(crate) fn let_end(&self, state: &RunState) {
        if let Some(group) = &state.paused {
            let_go(&absolute(group));
        }
    }

    /// The group below which the container's processes are held: their unit's, or the one they are in.
    fn home_group(&self, container: &Container, state: &RunState) -> Result<PathBuf> {
        let pid = state.main.pid;
        let current = group_of(pid)?;
        if let Some(home) = state.unit.as_deref().and_then(|unit| up_to(&current, unit)) {
            return Ok(home);
        }
        let scope = unit::scope_name(&container.record.name);
        if let Some(home) = up_to(&current, &scope) {
            return Ok(home);
        }
        // In the group of whoever called `run`, where a user may make no group: systemd makes one elsewhere.
        match (&self.host.systemd, self.host.rootless()) {
            (Some(systemd), true) => {
                systemd.start_scope(&scope, pid, &[]).map_err(|error| {
                    error.within(format!("give container {} a control group of its own", container.record.name))
                })?;
                group_of(pid)
            }
            _ => Ok(current),
        }
    }

    /// Moves what belongs to the container into the frozen group, until nothing is left outside.
    fn hold(&self, container: &Container, state: &RunState, home: &Path, group: &Path) -> Result<()> {
        match fs::create_dir(group) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(not_delegated(home, error)),
            _ => {}
        }
        freeze(group)?;
        let mut frozen = BTreeSet::from([group.to_owned()]);
        let mut refused = None;
        for _ in 0..ROUNDS {
            let mut moved = false;
            for pid in self.members(container, state, Some(home))? {
                let Ok(current) = group_of(pid) else { continue };
                match below(&current, home) {
                    // The container made groups of its own: they are held as they are.
                    Some(own) if own != *group => frozen.extend(freeze(&own).map(|()| own).ok()),
                    Some(_) => {}
                    None => match self.bring(pid, group) {
                        Ok(found) => moved |= found,
                        // It may just be ending, which the next look tells.
                        Err(error) => (moved, refused) = (true, Some(error)),
                    },
                }
            }
            if !moved {
                return frozen.iter().try_for_each(|group| await_frozen(group));
            }
        }
        let too_quick =
            || Error::other(format!("pause container {}: it starts processes too quickly", container.record.name));
        Err(refused.map_or_else(too_quick, |error| not_delegated(home, error)))
    }

    /// Moves a process into the group; whether it was still there. Where it comes from another session, only systemd may do that.
    fn bring(&self, pid: u32, group: &Path) -> io::Result<bool> {
        let unit = group.parent().and_then(|home| home.file_name()?.to_str());
        match (put(pid, group), &self.host.systemd, unit) {
            (Err(error), Some(systemd), Some(unit)) if error.kind() == io::ErrorKind::PermissionDenied => {
                // That it failed is told by the second try.
                let _ = systemd.attach(unit, pid);
                put(pid, group)
            }
            (moved, _, _) => moved,
        }
    }

    /// The container's processes: those of its pid namespace and their descendants; where it shares the host's, those of its
    /// unit that are no helper of lodger's.
    fn members(&self, container: &Container, state: &RunState, home: Option<&Path>) -> Result<Vec<u32>> {
        let main = state.main.pid;
        let namespace = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let own = namespace(main).filter(|own| Some(own) != namespace(std::process::id()).as_ref());
        let others: BTreeSet<u32> = state
            .helpers
            .iter()
            .map(|helper| helper.process.pid)
            .chain(parent(main))
            .chain([1, std::process::id()])
            .collect();
        let Some(own) = own else {
            let home = home.filter(|_| state.unit.is_some()).ok_or_else(|| {
                Error::invalid(format!(
                    "cannot pause container {}: it shares the host's processes and has no control group of its own",
                    container.record.name
                ))
            })?;
            let all = all_processes()?.into_iter().filter(|pid| !others.contains(pid));
            let inside = |pid: &u32| group_of(*pid).is_ok_and(|group| group == home || below(&group, home).is_some());
            return Ok(all.filter(inside).collect());
        };
        let mut found = BTreeSet::new();
        for pid in all_processes()?.into_iter().filter(|pid| !others.contains(pid)) {
            if namespace(pid).as_ref() == Some(&own) || parent(pid).is_some_and(|parent| found.contains(&parent)) {
                found.insert(pid);
            }
        }
        Ok(found.into_iter().collect())
    }
}

/// Whether the kernel holds the group's processes.
pub(super) fn is_frozen(group: &str) -> bool {
    says_frozen(&fs::read_to_string(absolute(group).join("cgroup.events")).unwrap_or_default())
}

fn says_frozen(events: &str) -> bool {
    events.lines().any(|line| line == "frozen 1") && events.lines().any(|line| line == "populated 1")
}

fn group_name(id: &ContainerId) -> String {
    format!("lodger-{}", id.short())
}

/// Where the hierarchy of version 2 is mounted.
fn hierarchy() -> &'static Path {
    let usual = Path::new("/sys/fs/cgroup");
    if usual.join("cgroup.controllers").exists() { usual } else { Path::new("/sys/fs/cgroup/unified") }
}

fn absolute(group: &str) -> PathBuf {
    hierarchy().join(group.trim_start_matches('/'))
}

fn relative(group: &Path) -> String {
    format!("/{}", group.strip_prefix(hierarchy()).unwrap_or(group).display())
}

fn group_of(pid: u32) -> Result<PathBuf> {
    let path = format!("/proc/{pid}/cgroup");
    let text = fs::read_to_string(&path).map_err(|e| Error::io(format!("read {path:?}"), e))?;
    let group = text.lines().find_map(|line| line.strip_prefix("0::"));
    group.map(absolute).ok_or_else(|| Error::other(format!("process {pid} is in no control group of version 2")))
}

/// The part of a path that ends with this unit's own group.
fn up_to(group: &Path, unit: &str) -> Option<PathBuf> {
    group.ancestors().find(|path| path.file_name().is_some_and(|name| name == unit)).map(Path::to_owned)
}

/// The group directly below `home` that `group` is in, or is.
fn below(group: &Path, home: &Path) -> Option<PathBuf> {
    group.strip_prefix(home).ok()?.components().next().map(|first| home.join(first))
}

/// Field 4 of `/proc/PID/stat`.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 0)
}

/// In the order of their numbers, so that a parent usually comes before its children.
fn all_processes() -> Result<BTreeSet<u32>> {
    let entries = fs::read_dir("/proc").map_err(|e| Error::io("read \"/proc\"", e))?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // A zombie is in no group any more, whatever it says, and its parent may be held already.
    Ok(numbers.filter(|pid| ProcessId::of(*pid).is_some()).collect())
}

/// Moves a process; whether it was still there.
fn put(pid: u32, group: &Path) -> io::Result<bool> {
    match fs::write(group.join("cgroup.procs"), pid.to_string()) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(false),
        other => other.map(|()| true),
    }
}

fn freeze(group: &Path) -> Result<()> {
    let file = group.join("cgroup.freeze");
    fs::write(&file, "1").map_err(|e| Error::io(format!("write {file:?}"), e))
}

fn thaw(group: &Path) -> Result<()> {
    let file = group.join("cgroup.freeze");
    fs::write(&file, "0").map_err(|e| Error::io(format!("write {file:?}"), e))
}

fn await_frozen(group: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let file = group.join("cgroup.events");
    loop {
        let events = fs::read_to_string(&file).map_err(|e| Error::io(format!("read {file:?}"), e))?;
        if events.lines().any(|line| line == "frozen 1") {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::other(format!("the processes in {group:?} did not come to rest within {PATIENCE:?}")));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Thaws a group and those that the container made beside it, and gives the processes back to their unit's group. Best effort: what
/// has ended meanwhile needs nothing.
fn let_go(group: &Path) {
    let Some(home) = group.parent() else { return };
    let _ = thaw(group);
    let of_unit = home.extension().is_some_and(|kind| kind == "service" || kind == "scope");
    let siblings = fs::read_dir(home).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    for sibling in siblings.filter(|path| of_unit && path.is_dir() && !path.ends_with(CONTROL)) {
        let _ = thaw(&sibling);
    }
    for pid in fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines() {
        let _ = fs::write(home.join("cgroup.procs"), pid);
    }
    let _ = fs::remove_dir(group);
}

fn not_delegated(home: &Path, error: io::Error) -> Error {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return Error::io(format!("make a group in {home:?}"), error);
    }
    Error::caused(Kind::NotDelegated, error).within(format!("hold processes below {home:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_group_is_found_above_those_of_the_container() {
        let group = Path::new("/sys/fs/cgroup/user.slice/lodger-web.service/init.scope/x");
        let home = up_to(group, "lodger-web.service").unwrap();
        assert_eq!(home, Path::new("/sys/fs/cgroup/user.slice/lodger-web.service"));
        assert_eq!(up_to(group, "lodger-we.service"), None);
        assert_eq!(below(group, &home), Some(home.join("init.scope")));
        assert_eq!(below(&home, &home), None);
    }

    #[test]
    fn only_a_group_with_processes_counts_as_frozen() {
        assert!(says_frozen("populated 1\nfrozen 1\n"));
        assert!(!says_frozen("populated 0\nfrozen 1\n"));
        assert!(!says_frozen("populated 1\nfrozen 0\n"));
        assert!(!says_frozen(""));
    }

    #[test]
    fn a_parent_is_found_behind_a_hostile_name() {
        assert_eq!(parent(std::process::id()), Some(std::os::unix::process::parent_id()));
        assert_eq!(parent(0), None);
    }
}
