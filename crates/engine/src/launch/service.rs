//! `lodger container launch` and `cleanup`: the two ends of a detached container's life, called by systemd or by lodger's
//! supervisor.

use super::output::Wiring;
use super::{Surroundings, cgroup};
use crate::containers::ended_within;
use crate::error::{Error, Result};
use crate::events::Act;
use crate::{Engine, store_error, unit};
use jiff::Timestamp;
use runtime::ProcessId;
use runtime::plan::Parent;
use spec::lifecycle::Restart;
use spec::signal::Signal;
use std::env;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::time::Duration;
use store::{ContainerRecord, ExitRecord, RunState};

/// What the supervisor is to do after a cleanup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing more.
    End,
    /// Launch again; the delay has been told.
    Restart,
}

/// The supervisor's descriptor, by its number in this variable.
const SUPERVISOR: &str = "LODGER_SUPERVISOR_FD";
/// The longest pause between two restarts by the supervisor, in milliseconds.
const LONGEST_PAUSE: u64 = 10_000;
/// What podman notes of a container that `--timeout` has ended.
pub(super) const TIMED_OUT: i32 = -1;
/// How long the relay may take for the last words; something else may still hold the other end.
const RELAY_WAIT: Duration = Duration::from_secs(5);

impl Engine {
    /// Starts a container as the child of this process's parent, tells the manager, and returns.
    ///
    /// A failure is also written into the container's exit record, where whoever asked for the start finds it.
    pub fn launch(&self, id: &str) -> Result<()> {
        let record = self.store.find_container(id).inspect_err(|error| {
            if error.is_not_found() {
                self.end_own_unit();
            }
        });
        let record = record.map_err(store_error)?;
        self.reach_for_start(&record.spec)?;
        let group = self.divisible_group(&record);
        self.before_writing_for(&record.spec)?;
        let launched = group.and_then(|group| self.launch_record(&record, group));
        launched.inspect_err(|error| self.note_failed_start(&record, error))
    }

    /// The unit of a container that is gone, removed while nobody knew of the unit: it is not to be restarted for ever.
    fn end_own_unit(&self) {
        let name = self.host.unit.as_ref().and_then(|unit| unit.name.as_ref());
        if let (Some(name), Some(systemd)) = (name, &self.host.systemd) {
            // What cannot be told now will be at the next restart.
            let _ = systemd.stop_later(name);
        }
    }

    pub(crate) fn launch_record(&self, record: &ContainerRecord, group: Option<OwnedFd>) -> Result<()> {
        // Only lodger's own units, which wait for a word, get here with --sdnotify=ignore.
        let own_unit = self.host.unit.as_ref().filter(|unit| unit.notify_socket.is_some());
        let socket = own_unit.and_then(|unit| unit.notify_socket.clone());
        let by_lodger = own_unit.and_then(|own| own.name.as_deref()) == Some(&unit::of(record));
        if by_lodger {
            cgroup::demand_limits(&record.spec.resources)?;
        }
        let program_notifies = unit::program_notifies(&record.spec, socket.is_some() && !by_lodger);
        let around = Surroundings {
            parent: Parent::Sibling,
            unit: own_unit.and_then(|unit| unit.name.clone()),
            restarts: self.restarts_so_far(record)?,
            notify_socket: socket.clone().filter(|_| program_notifies),
            manager: socket,
            group,
        };
        let mut wiring = Wiring::detached(self.log_driver(record), &record.spec);
        let started = self.start_process(record, &mut wiring, around)?;
        let pid = started.state.main.pid;
        tell_supervisor(&format!("MAINPID={pid}\n"))?;
        self.tell_start(record, started.state.started_at);
        Ok(())
    }

    /// After the end: notes how it ended, lets its helpers go, removes it if that was asked for, decides about a restart.
    ///
    /// How it ended is in the environment, in systemd.exec(5)'s words.
    pub fn cleanup(&self, id: &str) -> Result<Next> {
        let record = match self.store.find_container(id) {
            Ok(record) => record,
            // Removed by force meanwhile.
            Err(error) if error.is_not_found() => return Ok(Next::End),
            Err(error) => return Err(store_error(error)),
        };
        self.before_writing_for(&record.spec)?;
        // As ExecStop= while the container still runs: systemd's signal is what stops it.
        if env::var_os("MAINPID").is_some() {
            return Ok(Next::End);
        }
        let state = self.store.read_state(&record.id).map_err(store_error)?;
        if let Some(state) = &state {
            await_relay(state)?;
            // As ExecStop= after the container's own end: how it ended is told to ExecStopPost=.
            if env::var_os("SERVICE_RESULT").is_some() && env::var_os("EXIT_CODE").is_none() {
                return Ok(Next::End);
            }
            if let Some(mut exit) = exit_from_environment(state.started_at, state.restarts) {
                if self.timed_out(&record, &exit) {
                    (exit.exit_code, exit.signal) = (TIMED_OUT, None);
                }
                self.store.write_exit(&record.id, &exit).map_err(store_error)?;
                self.tell_end(&record, Act::Died, Some(exit.exit_code));
            }
            self.end_helpers(&record, state);
            self.tell_container(&record, Act::Cleanup);
        }
        let next = if env::var_os(SUPERVISOR).is_some() { self.supervised_restart(&record)? } else { Next::End };
        let restarts_by_systemd = env::var("SERVICE_RESULT").is_ok()
            && record.spec.lifecycle.restart.is_some_and(|policy| policy != Restart::No);
        // A start that failed is read and removed by whoever asked for it.
        let failed_start =
            self.store.read_exit(&record.id).map_err(store_error)?.is_some_and(|exit| exit.error.is_some());
        if record.auto_remove && next == Next::End && !restarts_by_systemd && !failed_start {
            self.remove_stopped(&record)?;
        }
        Ok(next)
    }

    /// Whether it was `--timeout` that ended a service. A stop that took too long has the same word, but comes before that time
    /// or is known.
    fn timed_out(&self, record: &ContainerRecord, exit: &ExitRecord) -> bool {
        let ran = exit.finished_at.duration_since(exit.started_at).as_secs();
        let limit = record.spec.lifecycle.timeout.filter(|limit| limit.0 > 0);
        env::var("SERVICE_RESULT").is_ok_and(|result| result == "timeout")
            && limit.is_some_and(|limit| ran >= i64::from(limit.0))
            && !self.store.stop_requested(&record.id)
    }

    /// The supervisor's restart policy, systemd's being its own.
    fn supervised_restart(&self, record: &ContainerRecord) -> Result<Next> {
        let exit = self.store.read_exit(&record.id).map_err(store_error)?;
        let restarts = exit.as_ref().map_or(0, |exit| exit.restarts);
        let failed = exit.as_ref().is_none_or(|exit| exit.exit_code != 0);
        let stopped = env::var_os("LODGER_STOP").is_some() || self.store.stop_requested(&record.id);
        let again = !stopped
            && match record.spec.lifecycle.restart.unwrap_or(Restart::No) {
                Restart::No => false,
                Restart::Always | Restart::UnlessStopped => true,
                Restart::OnFailure(most) => failed && most.is_none_or(|most| restarts < most),
            };
        if !again {
            return Ok(Next::End);
        }
        let pause = (100u64 << restarts.min(7)).min(LONGEST_PAUSE);
        tell_supervisor(&format!("RESTART_MS={pause}\n"))?;
        Ok(Next::Restart)
    }

    /// How often this container was restarted. `start` removes the exit record, so one that is there is of the run before.
    fn restarts_so_far(&self, record: &ContainerRecord) -> Result<u32> {
        let exit = self.store.read_exit(&record.id).map_err(store_error)?;
        Ok(exit.map_or(0, |exit| exit.restarts + 1))
    }

    pub(super) fn note_failed_start(&self, record: &ContainerRecord, error: &Error) {
        let now = Timestamp::now();
        let exit = ExitRecord {
            exit_code: error.kind.container_exit_code(),
            signal: None,
            oom_killed: false,
            started_at: now,
            finished_at: now,
            error: Some(error.chain()),
            restarts: 0,
        };
        // The error itself is told in any case.
        let _ = self.store.write_exit(&record.id, &exit);
    }
}

/// Waits until the last words are written: systemd kills what is left of a unit when its main process is gone.
pub(super) fn await_relay(state: &RunState) -> Result<()> {
    for helper in state.helpers.iter().filter(|helper| helper.role == "log") {
        let relay = ProcessId { pid: helper.process.pid as i32, start_time: helper.process.start_time };
        if let Ok(relay) = relay.open() {
            ended_within(&relay, RELAY_WAIT)?;
        }
    }
    Ok(())
}

/// Writes a line to the supervisor, where there is one.
fn tell_supervisor(line: &str) -> Result<()> {
    let Some(number) = env::var(SUPERVISOR).ok().and_then(|number| number.parse().ok()) else { return Ok(()) };
    let fd = crate::inherited::duplicate(number)
        .ok_or_else(|| Error::other(format!("{SUPERVISOR}={number} is not open")))?;
    std::fs::File::from(fd).write_all(line.as_bytes()).map_err(|e| Error::io("tell the supervisor", e))
}

/// `EXIT_CODE`, `EXIT_STATUS` and `SERVICE_RESULT` as systemd sets them for `ExecStopPost=`.
fn exit_from_environment(started_at: Timestamp, restarts: u32) -> Option<ExitRecord> {
    let status = env::var("EXIT_STATUS").ok()?;
    let signal = match env::var("EXIT_CODE").ok()?.as_str() {
        "killed" | "dumped" => Signal::parse(&status).ok().map(Signal::number),
        _ => None,
    };
    Some(ExitRecord {
        exit_code: signal.map_or_else(|| status.parse().unwrap_or(255), |signal| 128 + signal),
        signal,
        oom_killed: env::var("SERVICE_RESULT").is_ok_and(|result| result == "oom-kill" || cgroup::oom_killed()),
        started_at,
        finished_at: Timestamp::now(),
        error: None,
        restarts,
    })
}
