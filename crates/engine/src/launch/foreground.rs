//! A container in the foreground: the caller's terminal and signals are its own until it ends.

use super::output::{Carried, Output, StandardInput, Wiring};
use super::{Started, Surroundings, cgroup, notify, service};
use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::resolve::resources::{self, Controllers};
use crate::resolve::systemd::{self, Program};
use crate::{Engine, inherited, runtime_error, store_error, unit};
use jiff::Timestamp;
use runtime::Exit;
use runtime::foreground::{DetachKeys, Foreground, Input, Outcome, Signals};
use runtime::plan::{Parent, Plan, WindowSize};
use rustix::termios::{isatty, tcgetwinsize};
use spec::ContainerSpec;
use spec::logging::LogDriver;
use std::time::Duration;
use store::{ContainerRecord, ExitRecord};

/// What the caller lends to a container in the foreground.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its standard input.
    pub input: StandardInput,
    /// What is seen of its standard output and standard error.
    pub output: [Output; 2],
    /// `--sig-proxy`
    pub signals: Signals,
    /// `--detach-keys`; only of use to a companion ([`Engine::beside_caller`]).
    pub keys: DetachKeys,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The exit status, as a shell has it.
    pub code: u8,
}

impl Engine {
    /// Starts a container as this process's child and stays until it ends; then removes it, if that was asked for.
    pub fn run_in_foreground(&self, record: &ContainerRecord, attachment: Attachment) -> Result<Ended> {
        // Before the bus is used: what it leaves in this process would keep it from joining a namespace.
        let entered = self.approach_with_mounts(&record.spec).and_then(|()| self.own_scope(record));
        entered.inspect_err(|_| self.drop_auto_remove(record))?;
        // Of what is removed at its end nobody can read a log.
        let driver = match record.spec.logging.driver {
            Some(LogDriver::Passthrough) => LogDriver::Passthrough,
            _ if record.auto_remove => LogDriver::None,
            _ => self.log_driver(record),
        };
        let mut wiring = Wiring::foreground(driver, attachment.input, attachment.output, window());
        let group = self.divisible_group(record).inspect_err(|_| self.drop_auto_remove(record))?;
        let around = Surroundings {
            parent: Parent::Launcher,
            unit: None,
            restarts: 0,
            notify_socket: self.notify_socket(record),
            manager: None,
            group,
        };
        // From here on a signal is the container's business; one that comes early waits until somebody can pass it on.
        let _held = runtime::foreground::hold_signals().map_err(runtime_error)?;
        let started = self.start_process(record, &mut wiring, around).inspect_err(|_| self.drop_auto_remove(record))?;
        let mut state = started.state;
        self.tell_start(record, state.started_at);
        self.tell_container(record, Act::Attach);
        self.send_events();
        // A record that did not reach the disk is told when the container, which runs already, has ended.
        let synced = self.sync_record(record);
        if let Some(socket) = self.host.unit_to_take_over(&record.spec).and_then(|unit| unit.notify_socket.as_ref()) {
            notify::send(socket, &format!("MAINPID={}\n", state.main.pid))?;
        }
        let foreground = Foreground {
            limit: time_limit(&record.spec),
            signals: attachment.signals,
            detach: attachment.keys,
            ..lent(attachment.input, record.spec.process.tty, std::mem::take(&mut wiring.carried))?
        };
        let mut outcome = runtime::foreground::attend(&started.running, foreground).map_err(runtime_error)?;
        if outcome == Outcome::Detached {
            let age = Duration::try_from(Timestamp::now().duration_since(state.started_at)).unwrap_or_default();
            let left = time_limit(&record.spec).map(|limit| limit.saturating_sub(age));
            (outcome, state) = self.stay_behind(record, Started { running: started.running, state }, left)?;
        }
        let (code, signal) = match outcome {
            Outcome::Exited(Exit::Signal(signal)) => (Exit::Signal(signal).code().into(), Some(signal)),
            Outcome::Exited(exit) => (exit.code().into(), None),
            Outcome::TimedOut => (service::TIMED_OUT, None),
            Outcome::Detached => return Err(Error::other("the container was left behind")),
        };
        self.tell_end(record, Act::Died, Some(code));
        service::await_relay(&state)?;
        self.end_helpers(record, &state);
        if record.auto_remove {
            self.remove_stopped(record)?;
        } else {
            let record_of_end = ExitRecord {
                exit_code: code,
                signal,
                oom_killed: resources::asked(&record.spec.resources) && cgroup::oom_killed(),
                started_at: state.started_at,
                finished_at: Timestamp::now(),
                error: None,
                restarts: 0,
            };
            self.store.write_exit(&record.id, &record_of_end).map_err(store_error)?;
            self.tell_container(record, Act::Cleanup);
        }
        synced?;
        // As exit(2) takes it: of -1 it makes 255.
        Ok(Ended { code: code as u8 })
    }

    /// What a start would do between clone and execve, one line for each step (`--show-ops`). Nothing runs.
    pub fn show_ops(&self, record: &ContainerRecord, input: StandardInput) -> Result<String> {
        let plan = self.plan_to_look_at(record, input)?;
        Ok(runtime::compile(&plan).map_err(runtime_error)?.to_string())
    }

    /// What a start would do, without a network and a log.
    pub(crate) fn plan_to_look_at(&self, record: &ContainerRecord, input: StandardInput) -> Result<Plan> {
        self.approach_with_mounts(&record.spec)?;
        let mut wiring = Wiring::foreground(LogDriver::None, input, [Output::Shown; 2], window());
        let around = Surroundings {
            parent: Parent::Launcher,
            unit: None,
            restarts: 0,
            notify_socket: None,
            manager: None,
            group: None,
        };
        self.plan(record, &mut wiring, &around).map(|(plan, _)| plan)
    }

    /// Limits need a control group of their own, and so does systemd inside: a foreground container with either gets a scope.
    fn own_scope(&self, record: &ContainerRecord) -> Result<()> {
        let resources = &record.spec.resources;
        let slice = unit::slice(&record.spec)?;
        let divides = systemd::program(&record.spec, &self.image_defaults(record)?) == Program::Systemd;
        if !resources::asked(resources) && slice.is_none() && !divides {
            return Ok(());
        }
        let mut properties = resources::properties(resources, &Controllers::read(self.host.uid))?;
        properties.extend(slice);
        let Some(manager) = &self.host.systemd else {
            return Err(match divides {
                true => Error::new(Kind::NoOwnGroup),
                false => Error::new(Kind::NoSystemd).within("set limits"),
            });
        };
        manager.start_scope(&unit::scope_name(&record.name), std::process::id(), &properties)?;
        cgroup::demand_limits(resources)
    }

    fn notify_socket(&self, record: &ContainerRecord) -> Option<std::path::PathBuf> {
        let socket = self.host.unit.as_ref()?.notify_socket.clone()?;
        unit::program_notifies(&record.spec, true).then_some(socket)
    }
}

/// `--timeout`
fn time_limit(spec: &ContainerSpec) -> Option<Duration> {
    spec.lifecycle.timeout.filter(|seconds| seconds.0 > 0).map(|seconds| Duration::from_secs(seconds.0.into()))
}

/// The caller's window; a container without one gets its size at the first change.
pub(crate) fn window() -> WindowSize {
    let none = WindowSize { rows: 0, columns: 0 };
    [rustix::stdio::stdin(), rustix::stdio::stdout()]
        .into_iter()
        .find(|fd| isatty(fd))
        .and_then(|fd| tcgetwinsize(fd).ok())
        .map_or(none, |size| WindowSize { rows: size.ws_row, columns: size.ws_col })
}

/// What the caller lends: his terminal, where the container has one, else the pipes between.
pub(crate) fn lent(input: StandardInput, tty: bool, carried: Carried) -> Result<Foreground> {
    let missing = |what: &str| Error::other(format!("standard {what} is not open"));
    let output = inherited::duplicate(1).ok_or_else(|| missing("output"))?;
    let Carried { inward, outward, copy } = carried;
    let input = match (input, tty) {
        (StandardInput::Caller, true) => Input::From(inherited::duplicate(0).ok_or_else(|| missing("input"))?),
        _ => Input::Closed,
    };
    Ok(Foreground { input, copy, inward, outward, ..Foreground::new(output) })
}
