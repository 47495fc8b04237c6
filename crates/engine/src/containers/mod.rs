//! Containers as the verbs see them: a record on disk, and what the kernel and systemd say of it.

mod accounts;
mod clone;
mod commit;
mod copy;
mod create;
mod depend;
mod diff;
mod exec;
mod export;
mod health;
mod layers;
mod list;
mod mount;
mod mounts;
mod names;
mod observe;
mod pause;
mod prepare;
mod rename;
mod start;
mod stats;
mod stop;
mod tidy;
mod update;
mod view;
mod wait;

pub use accounts::Accounts;
pub use clone::{NewClone, Original};
pub use commit::{CommitLayers, CommitVolumes, Meanwhile, NewCommit};
pub use copy::{Clash, Owners, Place};
pub use create::{NewContainer, Starter};
pub use depend::Joining;
pub use exec::{ExecPrivileges, ExecRequest};
pub use health::Checked;
pub use layers::Tree;
pub use list::Listed;
pub use mount::Unmount;
pub use observe::{Capabilities, PortBinding, capability_names};
pub use stats::Usage;
pub use stop::{Force, Volumes};
pub(crate) use stop::{ended_within, open, process_id};
pub use store::{Change, ChangeKind};
pub use wait::Condition;

use crate::error::{Error, Kind, Result};
use crate::{Engine, store_error};
use std::time::Duration;
use store::{ContainerId, ContainerRecord, ExitRecord, RunState, Seen};

/// podman's word for how a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Made, never started.
    Created,
    /// Made and made ready by `init`, not started since.
    Initialized,
    /// Its first process runs.
    Running,
    /// Its processes are held still.
    Paused,
    /// Its first process has ended.
    Exited,
}

impl Status {
    /// `created`, `initialized`, `running`, `paused`, `exited`
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Initialized => "initialized",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Exited => "exited",
        }
    }
}

/// One container with what is known of it now.
#[derive(Debug, Clone)]
pub struct Container {
    /// What it is.
    pub record: ContainerRecord,
    /// Its process, if that runs (checked against the kernel).
    pub running: Option<RunState>,
    /// How it last ended.
    pub exit: Option<ExitRecord>,
}

impl Container {
    /// How it is.
    pub fn status(&self) -> Status {
        match (&self.running, &self.exit) {
            (Some(state), _) if state.paused.is_some() => Status::Paused,
            (Some(_), _) => Status::Running,
            (None, Some(exit)) if !never_ran(exit) => Status::Exited,
            (None, _) if self.record.initialized => Status::Initialized,
            (None, _) => Status::Created,
        }
    }
}

/// Whether the record is of a start that failed before the program ran.
fn never_ran(exit: &ExitRecord) -> bool {
    exit.error.is_some() && matches!(exit.exit_code, 125..=127)
}

impl Engine {
    /// One container, by name, ID or the beginning of an ID.
    pub fn container(&self, text: &str) -> Result<Container> {
        let record = self.store.find_container(text).map_err(store_error)?;
        self.look_at(record)
    }

    /// The newest container (`--latest`).
    pub fn latest(&self) -> Result<Container> {
        let all = self.store.container_summaries().map_err(store_error)?;
        let newest = all.items.into_iter().max_by_key(|summary| summary.created);
        let newest = newest
            .ok_or_else(|| Error::new(Kind::NoSuchContainer(String::new())).within("find the latest container"))?;
        self.container(newest.id.as_str())
    }

    pub(crate) fn look_at(&self, record: ContainerRecord) -> Result<Container> {
        let state = self.store.read_state(&record.id).map_err(store_error)?;
        let exit = self.exit_of(&record.id, state.as_ref())?;
        Ok(Self::judge(record, state, exit))
    }

    /// The same of what was read already.
    fn look_at_seen(&self, Seen { record, state, exit }: Seen) -> Result<Container> {
        match state {
            // It ended unseen, or a moment ago, with its cleanup under way.
            Some(state) if !state.is_alive() => self.look_at(record),
            state => Ok(Self::judge(record, state, exit)),
        }
    }

    fn judge(record: ContainerRecord, state: Option<RunState>, exit: Option<ExitRecord>) -> Container {
        let mut running = state.filter(RunState::is_alive);
        if let Some(state) = &mut running {
            state.paused = state.paused.take().filter(|group| pause::is_frozen(group));
        }
        Container { record, running, exit }
    }

    /// The exit record; for a container that ended with nobody there to write it (a power cut, a killed cleanup) one that
    /// says so.
    pub(crate) fn exit_of(&self, id: &ContainerId, state: Option<&RunState>) -> Result<Option<ExitRecord>> {
        let written = || self.store.read_exit(id).map_err(store_error);
        let Some(state) = state.filter(|state| !state.is_alive()) else { return written() };
        let mut current = written()?.filter(|exit| exit.finished_at >= state.started_at);
        // It may have ended a moment ago, with its cleanup under way.
        while current.is_none() && state.boot_id == self.host.boot_id && self.has_patience() {
            current = written()?.filter(|exit| exit.finished_at >= state.started_at);
        }
        Ok(Some(current.unwrap_or_else(|| ExitRecord {
            exit_code: 255,
            signal: None,
            oom_killed: false,
            started_at: state.started_at,
            finished_at: state.started_at,
            error: Some("it ended unseen: the machine lost power or the unit was killed whole".to_owned()),
            restarts: state.restarts,
        })))
    }

    /// Naps, as long as this command has not waited too long for cleanups already.
    fn has_patience(&self) -> bool {
        let left = self.patience.get();
        let nap = left.min(Duration::from_millis(10));
        self.patience.set(left - nap);
        std::thread::sleep(nap);
        !nap.is_zero()
    }

    /// An error that says which state stands in the way.
    pub(crate) fn wrong_state(&self, container: &Container, wanted: &str) -> Error {
        Error::new(Kind::State {
            container: container.record.id.to_string(),
            state: container.status().word().to_owned(),
            wanted: wanted.to_owned(),
        })
    }
}
