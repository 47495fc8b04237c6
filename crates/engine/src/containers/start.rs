//! `start`: a made container becomes a unit, or a process below lodger's supervisor.

use super::{Container, Starter, Status};
use crate::error::{Error, Kind, Result};
use crate::resolve::resources::{self, Controllers};
use crate::systemd::Began;
use crate::unit::{self, Parts};
use crate::{Engine, boot, store_error};
use runtime::beside::{self, Environment};
use rustix::pipe::{PipeFlags, pipe_with};
use spec::ContainerSpec;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::PathBuf;
use store::ContainerRecord;

impl Engine {
    /// Starts a container in the background and returns once it runs (and, where it says so itself, is ready).
    ///
    /// Within a unit of its own the container takes that unit over: this process is then the unit's start.
    pub fn start_detached(&self, container: &Container) -> Result<()> {
        let record = &container.record;
        match container.status() {
            Status::Running => return Ok(()),
            Status::Paused => return Err(self.wrong_state(container, "start")),
            Status::Created | Status::Initialized | Status::Exited => {}
        }
        self.prepare_boot_as_root(&record.spec)?;
        if self.starts_here(&record.spec, Starter::Detached) {
            self.reach_for_start(&record.spec)?;
        }
        self.before_writing_for(&record.spec)?;
        self.store.clear_exit(&record.id).map_err(store_error)?;
        if self.host.unit_to_take_over(&record.spec).is_some() {
            let launched = self.divisible_group(record).and_then(|group| self.launch_record(record, group));
            return launched.inspect_err(|_| self.drop_auto_remove(record));
        }
        let result = match &self.host.systemd {
            Some(_) => self.start_unit(record),
            None => self.start_supervised(record),
        };
        result.or_else(|error| self.told_by_start(record, error)).inspect_err(|_| self.drop_auto_remove(record))
    }

    /// Whether it is this very process that starts a container.
    pub(crate) fn starts_here(&self, spec: &ContainerSpec, starter: Starter) -> bool {
        match starter {
            Starter::Foreground => true,
            Starter::Detached => self.host.unit_to_take_over(spec).is_some(),
            Starter::Anybody => false,
        }
    }

    fn start_unit(&self, record: &ContainerRecord) -> Result<()> {
        if record.auto_remove {
            // It may have to be removed again, and after the bus was used no namespace can be joined.
            self.approach(&record.spec)?;
        }
        let Some(systemd) = &self.host.systemd else { return Err(Error::new(Kind::NoSystemd)) };
        let record = &self.leave_old_unit(record)?;
        let limits = resources::properties(&record.spec.resources, &Controllers::read(self.host.uid))?;
        let program = own_program()?;
        let parts = Parts {
            record,
            program: &program,
            root: self.store.root(),
            stop_signal: self.stop_signal(record)?,
            limits,
            variables: self.events_variable(),
        };
        let properties = unit::properties(parts)?;
        if self.host.rootless() {
            boot::prepare(self, &record.spec)?;
        }
        let unit = unit::name(&record.name);
        let meanwhile = || {
            self.send_events();
            self.sync_record(record)
        };
        match systemd.start_transient(&unit, &properties, meanwhile)? {
            Began::Here => Ok(()),
            Began::Elsewhere => self.started_elsewhere(record, &unit),
        }
    }

    /// Whether the unit that somebody else has started is this container's: another hand's `start`, or one that was killed.
    fn started_elsewhere(&self, record: &ContainerRecord, unit: &str) -> Result<()> {
        let runs = self.store.read_state(&record.id).map_err(store_error)?.is_some_and(|state| state.is_alive());
        let ran = self.store.read_exit(&record.id).map_err(store_error)?.is_some_and(|exit| exit.error.is_none());
        match runs || ran {
            true => Ok(()),
            false => Err(Error::other(format!("the unit {unit} belongs to something else, which is running"))),
        }
    }

    /// Where there is no systemd: a supervisor of a few pages stays beside the container, restarts it and notes its end.
    fn start_supervised(&self, record: &ContainerRecord) -> Result<()> {
        // Of a container that was made where there was one.
        if record.spec.lifecycle.timeout.is_some_and(|seconds| seconds.0 > 0) {
            return Err(Error::new(Kind::NoSystemd).within("--timeout with a detached container"));
        }
        if resources::asked(&record.spec.resources) {
            // Names the flag and the controller.
            resources::properties(&record.spec.resources, &Controllers::default())?;
        }
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| Error::io("make a pipe", e.into()))?;
        let program = own_program()?.display().to_string();
        let root = self.store.root().display().to_string();
        let command =
            |verb: &str| [program.as_str(), "--root", &root, "container", verb, record.id.as_str()].map(str::to_owned);
        let launch = command("launch");
        let mut words = vec!["supervise".to_owned(), launch.len().to_string()];
        words.extend(launch);
        words.push("--".to_owned());
        words.extend(command("cleanup"));
        let words = words.iter().map(|word| crate::resolve::files::c_string(word)).collect::<Result<Vec<_>>>()?;
        let null = std::fs::File::open("/dev/null").map_err(|e| Error::io("open \"/dev/null\"", e))?;
        let errors = crate::inherited::duplicate(2);
        let mut descriptors = vec![(0, null.as_fd()), (1, null.as_fd()), (3, write.as_fd())];
        descriptors.push((2, errors.as_ref().map_or(null.as_fd(), AsFd::as_fd)));
        let inside = self.inside();
        self.leave_private_mounts()?;
        beside::start(&words, &descriptors, Environment::CallerAnd(&inside))
            .map_err(|e| Error::io("start the supervisor", e))?;
        drop(write);
        self.send_events();
        self.sync_record(record)?;
        let mut status = [0u8; 1];
        let count = std::fs::File::from(read).read(&mut status).map_err(|e| Error::io("wait for the supervisor", e))?;
        if count == 1 && status[0] == 0 { Ok(()) } else { Err(Error::new(Kind::StartFailed)) }
    }

    /// The launcher ran in another process; what it said is in the exit record.
    fn told_by_start(&self, record: &ContainerRecord, error: Error) -> Result<()> {
        if error.kind != Kind::StartFailed {
            return Err(error);
        }
        // A program that says itself when it is ready has failed when it ends before; any other one was just quick.
        let waits = unit::program_notifies(&record.spec, false);
        if !waits && record.auto_remove && self.store.container(&record.id).is_err() {
            return Ok(());
        }
        let Ok(Some(exit)) = self.store.read_exit(&record.id) else { return Err(error) };
        match (exit.error, exit.exit_code) {
            (Some(text), 127) => Err(Error::new(Kind::CommandNotFound(text))),
            (Some(text), 126) => Err(Error::new(Kind::CommandNotInvocable(text))),
            (Some(text), _) => Err(Kind::of_words(&text).map_or_else(|| Error::other(text), Error::new)),
            (None, _) if !waits => Ok(()),
            (None, code) => {
                Err(error.within(format!("container {} ended with status {code} before it was ready", record.name)))
            }
        }
    }

    /// Brings the record to the disk while the container starts; one that goes with its process need not get there.
    pub(crate) fn sync_record(&self, record: &ContainerRecord) -> Result<()> {
        if record.auto_remove { Ok(()) } else { self.store.sync_container(&record.id).map_err(store_error) }
    }

    /// A `--rm` container that could not be started does not stay behind.
    pub(crate) fn drop_auto_remove(&self, record: &ContainerRecord) {
        if record.auto_remove {
            let _ = self.remove_stopped(record);
        }
    }
}

/// This program's own path, for units and the supervisor.
fn own_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| Error::io("find lodger's own program file", e))
}
