//! Ending containers: `stop`, `kill`, `rm`.

use super::Container;
use super::mount::Unmount;
use crate::error::{Error, Result};
use crate::events::{Act, Subject};
use crate::launch::LOCK_WAIT;
use crate::resolve::systemd::{self, Program};
use crate::{Engine, runtime_error, store_error, unit};
use runtime::ProcessId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use spec::lifecycle::Restart;
use spec::signal::Signal;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use store::{Access, ContainerRecord, Durability, RunState, Wait};

/// How often a container is ended that another hand starts while it is to be removed.
const REMOVALS: u32 = 10;

/// Whether a running container may be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// No.
    No,
    /// Yes: it is killed at once.
    Kill,
    /// Yes: it is stopped in its own time first, at most these seconds.
    Stop(u32),
}

/// Whether a removed container's anonymous volumes go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volumes {
    /// They stay.
    Keep,
    /// They go.
    Remove,
}

/// How long after its first process a container's exit record may take.
const RECORD_WAIT: Duration = Duration::from_secs(5);

impl Engine {
    /// Whether a container gets what systemd demands of a container manager.
    pub fn runs_systemd(&self, record: &ContainerRecord) -> bool {
        self.image_defaults(record).is_ok_and(|image| systemd::program(&record.spec, &image) == Program::Systemd)
    }

    /// The signal that asks a container to end: as asked, else the image's, else SIGTERM, or what systemd takes for it.
    pub fn stop_signal(&self, record: &ContainerRecord) -> Result<Signal> {
        if let Some(signal) = record.spec.lifecycle.stop_signal {
            return Ok(signal);
        }
        let image = self.image_defaults(record)?;
        let default = match systemd::program(&record.spec, &image) {
            Program::Systemd => systemd::STOP,
            Program::Ordinary => Signal::TERM,
        };
        // The image's word is only a default: one that makes no sense is passed over.
        Ok(Signal::parse(&image.stop_signal).unwrap_or(default))
    }

    /// Asks a container to end, and kills it when it has not after `timeout` seconds (absent = the container's own).
    /// `Ok(false)`: it did not run.
    pub fn stop(&self, container: &Container, timeout: Option<u32>) -> Result<bool> {
        let record = &container.record;
        if let Some(state) = &container.running {
            self.let_end(state);
        }
        // Before the bus is used: what it leaves in this process would keep it from joining a namespace.
        self.approach(&record.spec)?;
        let Some(state) = &container.running else {
            // A unit between two restarts has no process.
            if let (Some(systemd), true) = (&self.host.systemd, container.exit.is_some()) {
                systemd.stop(&unit::of(record))?;
            }
            return Ok(false);
        };
        let own = record.spec.lifecycle.stop_timeout.map_or(unit::STOP_TIMEOUT, |seconds| seconds.0);
        let patience = timeout.unwrap_or(own);
        let process = match process_id(state).open() {
            // Meanwhile, by itself.
            Err(error) if error.kind() == runtime::Kind::Gone => None,
            other => Some(other.map_err(runtime_error)?),
        };
        let ended = |limit| process.as_ref().map_or(Ok(true), |process| ended_within(process, limit));
        self.store.request_stop(&record.id).map_err(store_error)?;
        match (&state.unit, &self.host.systemd) {
            (Some(unit), Some(systemd)) if *unit == unit::of(record) => {
                if timeout.is_none_or(|timeout| timeout >= own) && patience == own {
                    systemd.stop(unit)?;
                } else {
                    systemd.stop_later(unit)?;
                    if !ended(Duration::from_secs(u64::from(patience)))? {
                        self.send_signal(state, Signal::KILL)?;
                    }
                    systemd.stop(unit)?;
                }
            }
            _ => self.stop_process(record, state, ended, patience)?,
        }
        self.await_record(record, state)?;
        self.tell_container(record, Act::Stop);
        Ok(true)
    }

    /// Stops a container, if it runs, and starts it again.
    pub fn restart(&self, container: &Container, timeout: Option<u32>) -> Result<()> {
        self.stop(container, timeout)?;
        self.tell_container(&container.record, Act::Restart);
        self.start_detached(&self.container(container.record.id.as_str())?)
    }

    /// `ended` waits for the end as long as it is told, and says whether it came.
    fn stop_process(
        &self,
        record: &ContainerRecord,
        state: &RunState,
        ended: impl Fn(Duration) -> Result<bool>,
        patience: u32,
    ) -> Result<()> {
        let signal = if patience == 0 { Signal::KILL } else { self.stop_signal(record)? };
        self.send_signal(state, signal)?;
        let limit = if patience == u32::MAX { Duration::MAX } else { Duration::from_secs(u64::from(patience)) };
        if !ended(limit)? {
            self.send_signal(state, Signal::KILL)?;
            ended(RECORD_WAIT)?;
        }
        Ok(())
    }

    /// Sends a signal to a container's first process. A container that is killed so stays down, whatever its restart policy.
    pub fn kill(&self, container: &Container, signal: Signal) -> Result<()> {
        let Some(state) = &container.running else { return Err(self.wrong_state(container, "kill")) };
        let record = &container.record;
        // Before the bus is used, as above.
        self.approach(&record.spec)?;
        self.tell_container(record, Act::Kill);
        let restarts = record.spec.lifecycle.restart.is_some_and(|policy| policy != Restart::No);
        if !restarts || signal != Signal::KILL {
            return self.send_signal(state, signal);
        }
        self.store.request_stop(&record.id).map_err(store_error)?;
        if let (Some(unit), Some(systemd)) = (&state.unit, &self.host.systemd) {
            if *unit == unit::of(record) {
                systemd.stop_later(unit)?;
            }
        }
        self.send_signal(state, signal)
    }

    /// The process may belong to a subordinate id, which only root of the user's namespace may signal: the caller has approached it.
    fn send_signal(&self, state: &RunState, signal: Signal) -> Result<()> {
        match process_id(state).signal(signal.number()) {
            Err(error) if error.kind() == runtime::Kind::Gone => Ok(()),
            other => other.map_err(runtime_error),
        }
    }

    /// Removes a container with its files, and with its anonymous volumes if that is asked for or it was made with `--rm`.
    pub fn remove(&self, container: &Container, force: Force, volumes: Volumes) -> Result<()> {
        if self.may_mount() {
            // Before root leaves the machine's mounts for those of its containers.
            self.unmount(container, Unmount::Whole)?;
        }
        self.approach(&container.record.spec)?;
        self.end_before_removal(container, force)?;
        let volumes = if container.record.auto_remove { Volumes::Remove } else { volumes };
        for _ in 0..REMOVALS {
            let id = &container.record.id;
            // Nobody starts it from here on.
            let lock = match self.store.lock_container(id, Access::Exclusive, Wait::at_most(LOCK_WAIT)) {
                Err(error) if matches!(error.kind, store::Kind::Locked { .. }) => return Err(store_error(error)),
                // It is gone (its own cleanup, another hand), or the disk has no room for a lock: then removing makes some.
                other => other.ok(),
            };
            let now = self.look_at(container.record.clone())?;
            if lock.is_none() || now.running.is_none() {
                return self.remove_with(&container.record, volumes);
            }
            drop(lock);
            self.end_before_removal(&now, force)?;
        }
        Err(Error::other(format!("container {} is started as often as it is stopped", container.record.name)))
    }

    /// Removes a container whose record cannot be read, by its ID or name. What runs of it is not known, and not stopped.
    pub fn remove_damaged(&self, name: &str) -> Result<()> {
        self.enter_user_namespace()?;
        self.store.remove_damaged_container(name).map_err(store_error)
    }

    /// Stops what runs, if that is allowed, and whatever systemd may still want to do with it.
    fn end_before_removal(&self, container: &Container, force: Force) -> Result<()> {
        let restarts = container.record.spec.lifecycle.restart.is_some_and(|policy| policy != Restart::No);
        if container.running.is_some() {
            match force {
                Force::No => return Err(self.wrong_state(container, "remove")),
                Force::Kill => self.stop(container, Some(0)).map(drop)?,
                Force::Stop(seconds) => self.stop(container, Some(seconds)).map(drop)?,
            }
        } else if let Some(systemd) = self.host.systemd.as_ref().filter(|_| container.exit.is_some() || restarts) {
            // It may be waiting for a restart, even of a start that was killed before it could note anything, or its failed
            // unit still holds the name.
            systemd.stop(&unit::of(&container.record))?;
        }
        let was_started = container.running.is_some() || container.exit.is_some() || restarts;
        if let Some(systemd) = self.host.systemd.as_ref().filter(|_| was_started) {
            systemd.reset_failed(&unit::of(&container.record))?;
        }
        Ok(())
    }

    /// Removes what is left of a `--rm` container that does not run.
    pub(crate) fn remove_stopped(&self, record: &ContainerRecord) -> Result<()> {
        self.remove_with(record, Volumes::Remove)
    }

    fn remove_with(&self, record: &ContainerRecord, volumes: Volumes) -> Result<()> {
        self.approach(&record.spec)?;
        if volumes == Volumes::Keep {
            self.leave_volumes(record)?;
        }
        let code = self.store.read_exit(&record.id).ok().flatten().map(|exit| exit.exit_code);
        match self.store.remove_container(&record.id) {
            // Its own cleanup (--rm) came first.
            Err(error) if error.is_not_found() => {}
            other => {
                other.map_err(store_error)?;
                self.tell_end(record, Act::Remove, code);
            }
        }
        for name in record.volumes.iter().filter(|_| volumes == Volumes::Remove) {
            let anonymous = self.store.volume(name).is_ok_and(|volume| volume.anonymous);
            if anonymous {
                match self.store.remove_volume(name) {
                    Err(error) if matches!(error.kind, store::Kind::InUse { .. } | store::Kind::NotFound(_)) => {}
                    other => {
                        other.map_err(store_error)?;
                        self.tell_named(Subject::Volume, Act::Remove, name);
                    }
                }
            }
        }
        if record.spec.lifecycle.remove_image {
            if let Some(image) = &record.image {
                // In use by others, it stays.
                let _ = self.remove_image(&image.name, store::image::Removal::Careful);
            }
        }
        Ok(())
    }

    /// Anonymous volumes that stay without their container are nobody's leftovers any more.
    fn leave_volumes(&self, record: &ContainerRecord) -> Result<()> {
        for name in &record.volumes {
            let Ok(mut volume) = self.store.volume(name) else { continue };
            if volume.creator.take().is_some() {
                self.store.update_volume(&volume, Durability::Durable).map_err(store_error)?;
            }
        }
        Ok(())
    }

    /// Lets the processes beside a container go once it has ended; the log relay ends by itself when all is written.
    pub(crate) fn end_helpers(&self, record: &ContainerRecord, state: &RunState) {
        use network::pasta::{Until, stop};
        let until = if record.spec.network.publish.is_empty() { Until::Told } else { Until::Gone };
        for helper in state.helpers.iter().filter(|helper| helper.role == "pasta") {
            let process = ProcessId { pid: helper.process.pid as i32, start_time: helper.process.start_time };
            let process = process.open().ok();
            // Its ports are free afterwards; gone already is what is wanted.
            let _ = stop(&self.store.netns_link(&record.id), process.as_ref().map(AsFd::as_fd), until);
        }
    }

    /// Waits until the end of this run is on record (or the container is removed), for a bounded time.
    pub(crate) fn await_record(&self, record: &ContainerRecord, state: &RunState) -> Result<Option<store::ExitRecord>> {
        let deadline = Instant::now() + RECORD_WAIT;
        loop {
            let exit = match self.store.read_exit(&record.id) {
                Err(error) if error.is_not_found() => return Ok(None),
                other => other.map_err(store_error)?,
            };
            if let Some(exit) = exit.filter(|exit| exit.finished_at >= state.started_at) {
                return Ok(Some(exit));
            }
            if Instant::now() > deadline || self.store.container(&record.id).is_err() {
                return self.exit_of(&record.id, Some(state));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

pub(crate) fn process_id(state: &RunState) -> ProcessId {
    ProcessId { pid: state.main.pid as i32, start_time: state.main.start_time }
}

/// A descriptor of a container's first process.
pub(crate) fn open(state: &RunState) -> Result<OwnedFd> {
    process_id(state).open().map_err(runtime_error)
}

/// Whether a process ends within a time.
pub(crate) fn ended_within(process: &OwnedFd, limit: Duration) -> Result<bool> {
    let mut fds = [PollFd::new(process, PollFlags::IN)];
    let deadline = Instant::now().checked_add(limit);
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
        match poll(&mut fds, left.as_ref()) {
            Ok(count) => return Ok(count > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::io("wait for a process", errno.into())),
        }
    }
}
