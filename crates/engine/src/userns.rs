//! The user namespace that a user's containers share: joined in 0.1 ms where somebody keeps it, made in 3 ms where nobody does.
//!
//! `STORE/keeper` names a process that is in it: the keeper, or the first process of some container. It is believed only
//! after a look at the kernel. Losing it costs the next start those 3 ms and nothing else.

use crate::error::{Error, Kind, Result};
use crate::events::{self, Act, Event};
use crate::host::{Host, IdRange};
use crate::{Engine, runtime_error, store_error};
use kernel::clone::{Namespaces, Parent};
use runtime::userns::{self, Map, Range};
use runtime::{ProcessId, userns::Created};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use spec::ContainerSpec;
use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// How far the process has gone into the user's namespace; it never comes back.
#[derive(Debug, Default)]
pub(crate) struct Entered {
    /// Root's process that stays what it is for good, see [`Engine::stay_outside`].
    outside: Cell<bool>,
    /// The mounts as everybody sees them, from then on.
    mounts_of_all: RefCell<Option<OwnedFd>>,
    namespace: Cell<bool>,
    mounts: Cell<bool>,
    /// What holds a namespace that this process has made within a unit, until a container does.
    holder: RefCell<Option<Created>>,
}

impl Entered {
    /// For a process that was born in the namespace.
    pub(crate) fn by_birth(host: &Host) -> Self {
        Self { namespace: Cell::new(host.inside), ..Self::default() }
    }
}

/// Makes root's store, owned by root of its containers' range: in a child that goes there, while this process stays what it is.
pub(crate) fn prepare_store_of_root(host: &Host, root: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, chown};
    let fail = |e| Error::io(format!("create store {root:?}"), e);
    let (uids, gids) = host.subordinate_ids()?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(fail)?;
    chown(root, uids.first().map(|range| range.first), gids.first().map(|range| range.first)).map_err(fail)?;
    let created = userns::create(&map(host)?).map_err(runtime_error)?;
    let child = kernel::clone::spawn(Namespaces::NONE, Parent::Caller, None, || {
        let made = userns::enter(&created.namespace).is_ok() && store::Store::open(root).is_ok();
        kernel::clone::exit(u8::from(!made))
    });
    let (_, pidfd) = child.map_err(|e| fail(e.into()))?;
    // That it failed is told, with the reason, by whoever opens the store next.
    let _ = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
    Ok(())
}

impl Engine {
    /// What a child that starts containers is told when this process is in the namespace already: it is born inside, where
    /// everybody looks like root.
    pub(crate) fn inside(&self) -> Vec<(&'static str, String)> {
        let entered = self.entered.namespace.get();
        let inside = entered.then(|| (crate::host::INSIDE, format!("{}:{}", self.host.uid, self.host.gid)));
        inside.into_iter().chain(self.events_variable()).collect()
    }

    /// As root, enters the namespace before anything is written, so that all of the store belongs to its containers' range.
    pub(crate) fn before_writing(&self) -> Result<()> {
        if self.host.rootless() { Ok(()) } else { self.enter_user_namespace() }
    }

    /// Whether this process has entered the kept namespace.
    pub(crate) fn is_inside(&self) -> bool {
        self.entered.namespace.get()
    }

    /// The same, where it is about this one container.
    pub(crate) fn before_writing_for(&self, spec: &ContainerSpec) -> Result<()> {
        if self.host.rootless() { Ok(()) } else { self.approach(spec) }
    }

    /// Whether a container has the host's ids: root's with `--userns=host`.
    pub fn has_host_ids(&self, spec: &ContainerSpec) -> bool {
        self.host.has_host_ids(spec)
    }

    /// Before several containers are stopped or removed: where one of them has the host's ids, from where all are reached.
    pub fn approach_all(&self, ids: &[store::ContainerId]) -> Result<()> {
        let of_host = |id| self.store.container(id).is_ok_and(|record| self.has_host_ids(&record.spec));
        if !self.host.rootless() && ids.iter().any(of_host) { self.stay_outside() } else { Ok(()) }
    }

    /// Brings this process where it has power over a container's processes and files.
    pub(crate) fn approach(&self, spec: &ContainerSpec) -> Result<()> {
        if self.has_host_ids(spec) { self.stay_outside() } else { self.enter_user_namespace() }
    }

    /// The same, with a private view of the mounts.
    pub(crate) fn approach_with_mounts(&self, spec: &ContainerSpec) -> Result<()> {
        self.reach_for_start(spec)?;
        if self.has_host_ids(spec) { self.stay_outside() } else { self.enter_namespaces() }
    }

    /// Brings this process where it can read every file of the store and yet write what its caller can: as root it stays root.
    pub(crate) fn approach_store(&self) -> Result<()> {
        if self.host.rootless() { self.enter_user_namespace() } else { self.stay_outside() }
    }

    /// For a container with the host's ids: root stays root, and from now on sees its store, all of which belongs to ids of the
    /// range, as if it were its own; what it makes there is stored with ids of the range. So whatever becomes part of the
    /// container (layers, volumes) comes with the ids that it is to have, and nothing needs changing when others use it.
    ///
    /// It serves the containers of the range as well, short of being their parent.
    fn stay_outside(&self) -> Result<()> {
        if self.entered.namespace.get() {
            return Err(Error::other(
                "a container with --userns=host cannot be reached from within the id range of the others: name it alone",
            ));
        }
        if self.entered.outside.get() {
            return Ok(());
        }
        let map = map(&self.host)?;
        self.entered.mounts_of_all.replace(Some(userns::mounts().map_err(runtime_error)?));
        userns::private_mounts()
            .and_then(|()| userns::show_as_inside(self.store.root(), &map))
            .map_err(|error| runtime_error(error).within("--userns=host"))?;
        self.store.reopen().map_err(store_error)?;
        self.entered.outside.set(true);
        Ok(())
    }

    /// Before a process is started that is to see the store as it is; this one goes on through what it has opened.
    pub(crate) fn leave_private_mounts(&self) -> Result<()> {
        match self.entered.mounts_of_all.take() {
            Some(before) => userns::return_to_mounts(&before).map_err(runtime_error),
            None => Ok(()),
        }
    }

    /// Moves this process into the user's kept namespace, where it is root. Needs a single thread; the second call does nothing.
    ///
    /// As root too: its containers and images live in a range of their own.
    pub(crate) fn enter_user_namespace(&self) -> Result<()> {
        if self.entered.outside.get() || self.entered.namespace.replace(true) {
            return Ok(());
        }
        if !self.host.rootless() {
            self.host.connect_ahead();
            // Its files are root's own. A mistake in one is told by whoever needs it.
            let _ = self.defaults();
        }
        if let Some(namespace) = self.kept_namespace() {
            return userns::enter(&namespace).map_err(runtime_error);
        }
        // One at a time, or each of several first commands would leave a keeper. Without the lock it works as well.
        let _making = self.store.lock_keeper().ok();
        if let Some(namespace) = self.kept_namespace() {
            return userns::enter(&namespace).map_err(runtime_error);
        }
        let created = userns::create(&map(&self.host)?).map_err(runtime_error)?;
        userns::enter(&created.namespace).map_err(runtime_error)?;
        if self.host.unit.is_none() {
            // The first command after a boot.
            self.tell(Event::new(events::Subject::System, Act::Refresh));
        }
        self.keep(created)
    }

    /// The same, with a private view of the mounts.
    pub(crate) fn enter_namespaces(&self) -> Result<()> {
        self.enter_user_namespace()?;
        if !self.entered.outside.get() && !self.entered.mounts.replace(true) {
            userns::private_mounts().map_err(runtime_error)?;
            self.reach_places()?;
        }
        Ok(())
    }

    /// Remembers a container's first process as a way into the namespace, where no keeper lives.
    pub(crate) fn remember_member(&self, member: ProcessId) {
        if self.entered.outside.get() {
            return;
        }
        let path = self.keeper_path();
        let holder = self.entered.holder.take();
        let passing = holder.as_ref().map(Created::process);
        let known = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<ProcessId>().ok());
        if known.is_none_or(|known| Some(known) == passing || !known.is_alive()) {
            // Only a short cut: without it the next start makes a namespace of its own.
            let _ = std::fs::write(path, member.to_string());
        }
    }

    fn kept_namespace(&self) -> Option<OwnedFd> {
        let known =
            std::fs::read_to_string(self.keeper_path()).ok().and_then(|text| text.trim().parse::<ProcessId>().ok());
        if let Some(namespace) = known.and_then(|member| userns::open(&member).ok()) {
            return Some(namespace);
        }
        let running = self.store.running().ok()?;
        running.into_iter().take(8).find_map(|(_, process)| {
            let process = ProcessId { pid: process.pid as i32, start_time: process.start_time };
            // One with the host's ids is in none.
            userns::open(&process).ok().filter(|_| !userns::is_of_caller(&process))
        })
    }

    /// Lets a tiny process keep the namespace; not from within a unit, where it would be killed with the unit's other
    /// processes: there the container itself keeps the namespace, and until it runs, a child of this process.
    fn keep(&self, created: Created) -> Result<()> {
        if self.host.unit.is_some() {
            let named = std::fs::write(self.keeper_path(), created.process().to_string());
            self.entered.holder.replace(named.is_ok().then_some(created));
            return Ok(());
        }
        // First the name, then the life: killed in between, neither is left. Where there is no space for a name the namespace
        // serves this command alone.
        if std::fs::write(self.keeper_path(), created.process().to_string()).is_err() {
            return Ok(());
        }
        let keeper = created.keep(Some(self.store.root())).map_err(runtime_error)?;
        if let Some(systemd) = &self.host.systemd {
            // Best effort: in the caller's session it works as well, until the session ends.
            let _ = systemd.start_scope(&format!("lodger-keeper-{}.scope", keeper.pid), keeper.pid as u32, &[]);
        }
        Ok(())
    }

    fn keeper_path(&self) -> PathBuf {
        self.store.keeper_file()
    }
}

/// Root inside is the user; ids from 1 on are the subordinate ones. For root, all ids are of its containers' range.
pub(crate) fn map(host: &Host) -> Result<Map> {
    let (uids, gids) = host.subordinate_ids()?;
    if !host.rootless() {
        return Ok(Map { uids: lines(None, &uids), gids: lines(None, &gids) });
    }
    Ok(Map { uids: lines(Some(host.uid), &uids), gids: lines(Some(host.gid), &gids) })
}

fn lines(own: Option<u32>, ranges: &[IdRange]) -> Vec<Range> {
    let mut lines: Vec<Range> = own.iter().map(|own| Range { inside: 0, outside: *own, count: 1 }).collect();
    let mut inside = lines.len() as u32;
    for range in ranges {
        // The kernel takes no id twice, and 2^32 - 1 is none.
        let count = range.count.min(u32::MAX - inside);
        if count > 0 {
            lines.push(Range { inside, outside: range.first, count });
        }
        inside += count;
    }
    lines
}

/// How a failure to make or enter the namespace is told.
pub(crate) fn kind_of(error: &runtime::Error) -> Option<Kind> {
    use runtime::Kind as From;
    Some(match error.kind() {
        From::NoUserNamespaces(_) => Kind::UserNamespacesDisabled,
        From::MapperMissing => Kind::MissingProgram { program: error.subject().to_owned(), package: "uidmap" },
        From::MapperUnprivileged => Kind::MapperUnprivileged(error.subject().to_owned()),
        From::RangeRefused => Kind::RangeRefused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_id_first_then_the_ranges_without_a_gap() {
        let range = |first, count| IdRange { first, count };
        let line = |inside, outside, count| Range { inside, outside, count };
        let ranges = [range(100_000, 65_536), range(300_000, 10)];
        assert_eq!(lines(Some(1000), &ranges), [line(0, 1000, 1), line(1, 100_000, 65_536), line(65_537, 300_000, 10)]);
        assert_eq!(lines(None, &ranges[..1]), [line(0, 100_000, 65_536)]);
    }
}
