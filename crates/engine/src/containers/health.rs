//! `healthcheck run`: the check of a container, once, and what follows from its result.
//!
//! Results belong to one run of a container; those of an earlier one count as long as it does not run again.

use super::{Container, ExecPrivileges, ExecRequest};
use crate::error::{Error, Kind, Result};
use crate::events::{Act, Event, Health};
use crate::launch::{Output, StandardInput, Wiring};
use crate::{Engine, runtime_error, store_error};
use jiff::Timestamp;
use runtime::foreground::{DetachKeys, Foreground, Outcome, Signals};
use rustix::fs::{MemfdFlags, SealFlags, SeekFrom, fcntl_add_seals, ftruncate, memfd_create, seek};
use spec::health::OnFailure;
use spec::signal::Signal;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;
use store::{ContainerRecord, HealthRecord, HealthResult, HealthStatus};

/// What interval and timeout are unless said.
const TIME: u64 = 30_000_000_000;
/// More is never read of what a check writes.
const OUTPUT: u64 = 64 << 10;
/// The code of a check that took too long.
const TOO_LONG: i32 = -1;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It succeeded.
    Healthy,
    /// It failed, however healthy the container counts as yet.
    Failed,
}

/// A check, every question answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    command: Vec<String>,
    timeout: Duration,
    retries: u32,
    start_period: Duration,
}

impl Check {
    /// The regular check of a container; `None` if it has none.
    fn of(engine: &Engine, record: &ContainerRecord) -> Result<Option<Self>> {
        let health = &record.spec.health;
        if health.disabled {
            return Ok(None);
        }
        let image = engine.image_defaults(record)?.healthcheck.filter(|_| health.command.is_none());
        let test = match (&health.command, &image) {
            (Some(command), _) => spec::health::test(command),
            (None, Some(image)) => image.test.clone(),
            (None, None) => return Ok(None),
        };
        let time = |asked: Option<spec::duration::Nanoseconds>, image: Option<u64>, default| {
            let time = asked.map(|time| time.0).or(image.filter(|time| *time > 0)).unwrap_or(default);
            Duration::from_nanos(time)
        };
        let of_image = image.as_ref();
        Ok(command(&test).map(|command| Self {
            command,
            timeout: time(health.timeout, of_image.map(|image| image.timeout), TIME),
            start_period: time(health.start_period, of_image.map(|image| image.start_period), 0),
            retries: health
                .retries
                .or(of_image.and_then(|image| u32::try_from(image.retries).ok()).filter(|retries| *retries > 0))
                .unwrap_or(3),
        }))
    }

    /// The check that has to succeed first, if there is one.
    fn startup(record: &ContainerRecord) -> Option<Self> {
        let startup = &record.spec.health.startup;
        Some(Self {
            command: command(&spec::health::test(startup.command.as_ref()?))?,
            timeout: Duration::from_nanos(startup.timeout.map_or(TIME, |time| time.0)),
            retries: startup.retries.unwrap_or(0),
            start_period: Duration::ZERO,
        })
    }
}

/// The words to run; `None` for `NONE`.
fn command(test: &[String]) -> Option<Vec<String>> {
    match test.split_first() {
        Some((how, words)) if how == "CMD" && !words.is_empty() => Some(words.to_vec()),
        Some((how, [line, ..])) if how == "CMD-SHELL" => {
            Some(["/bin/sh", "-c", line.as_str()].map(str::to_owned).to_vec())
        }
        _ => None,
    }
}

impl Engine {
    /// What is known of a container's health; `None` where nothing checks it.
    pub fn health(&self, container: &Container) -> Result<Option<HealthRecord>> {
        let record = &container.record;
        if Check::of(self, record)?.is_none() {
            return Ok(None);
        }
        let known = self.store.read_health(&record.id).map_err(store_error)?;
        Ok(match &container.running {
            Some(state) => {
                let current = known.filter(|known| known.started_at == state.started_at);
                Some(current.unwrap_or_else(|| HealthRecord::new(state.started_at)))
            }
            None => known.or_else(|| Some(HealthRecord::new(container.exit.as_ref()?.started_at))),
        })
    }

    /// Whether a container has a check, though it may not have run yet.
    pub(super) fn may_be_checked(&self, container: &Container) -> Result<bool> {
        Ok(Check::of(self, &container.record)?.is_some())
    }

    /// Runs a container's check once and notes the result; a container that became unhealthy is dealt with as
    /// `--health-on-failure` says.
    pub fn check_health(&self, container: &Container) -> Result<Checked> {
        let record = &container.record;
        let none = || Error::invalid(format!("container {} has no defined healthcheck", record.id));
        let check = Check::of(self, record)?.ok_or_else(none)?;
        let running = container.running.as_ref().filter(|state| state.paused.is_none());
        let Some(state) = running else {
            return Err(Error::invalid(format!("container {} is not running", record.id)));
        };
        let startup = Check::startup(record);
        let before = self.health(container)?.unwrap_or_else(|| HealthRecord::new(state.started_at));
        let wanted = record.spec.health.startup.successes.unwrap_or(1).max(1);
        let starts = startup.filter(|_| before.startup_successes < wanted);
        let now = starts.as_ref().unwrap_or(&check);
        let result = self.run_check(container, now)?;
        let checked = if result.exit_code == 0 { Checked::Healthy } else { Checked::Failed };
        let too_long = result.exit_code == TOO_LONG;
        let after = match &starts {
            Some(_) => noted_at_start(before.clone(), result, wanted),
            None => noted(before.clone(), result, &check),
        };
        let after = cut(after, record);
        self.store.write_health(&record.id, &after).map_err(store_error)?;
        let health = Health { status: after.status.word().to_owned(), failing_streak: after.failing_streak };
        self.tell(Event { health: Some(health), ..self.container_event(record, Act::HealthStatus) });
        if after.status == HealthStatus::Unhealthy && before.status != HealthStatus::Unhealthy {
            self.answer_failure(container)?;
        }
        match too_long {
            true => {
                Err(Error::new(Kind::Other)
                    .within(format!("healthcheck command exceeded timeout of {:?}", now.timeout)))
            }
            false => Ok(checked),
        }
    }

    fn answer_failure(&self, container: &Container) -> Result<()> {
        match container.record.spec.health.on_failure {
            None | Some(OnFailure::None) => Ok(()),
            Some(OnFailure::Kill) => self.kill(container, Signal::KILL),
            Some(OnFailure::Stop) => self.stop(container, None).map(drop),
            Some(OnFailure::Restart) => self.restart(container, None),
        }
    }

    fn run_check(&self, container: &Container, check: &Check) -> Result<HealthResult> {
        let request = ExecRequest {
            command: check.command.clone(),
            env: Vec::new(),
            user: None,
            workdir: None,
            tty: false,
            input: StandardInput::Closed,
            keys: DetachKeys::none(),
            preserve_fds: 0,
            privileges: ExecPrivileges::Container,
        };
        let start = Timestamp::now();
        let mut wiring = Wiring::further(request.input, [Output::Hidden; 2], crate::launch::window());
        let heard = bounded_memory()?;
        let exit_code = match self.exec_start(container, &request, &mut wiring) {
            Ok(running) => {
                let mut outward = std::mem::take(&mut wiring.carried).outward;
                for flow in &mut outward {
                    flow.copy = Some(heard.try_clone().map_err(|e| Error::io("copy a descriptor", e))?);
                }
                let nowhere = File::options().write(true).open("/dev/null");
                let nowhere = nowhere.map_err(|e| Error::io("open \"/dev/null\"", e))?;
                let foreground = Foreground {
                    outward,
                    signals: Signals::Own,
                    limit: Some(check.timeout),
                    ..Foreground::new(nowhere.into())
                };
                match runtime::foreground::attend(&running, foreground).map_err(runtime_error)? {
                    Outcome::Exited(exit) => exit.code().into(),
                    Outcome::TimedOut | Outcome::Detached => TOO_LONG,
                }
            }
            // A command that is not there is a check that fails.
            Err(Error { kind: Kind::CommandNotFound(_), .. }) => 127,
            Err(Error { kind: Kind::CommandNotInvocable(_), .. }) => 126,
            Err(error) => return Err(error),
        };
        Ok(HealthResult { start, end: Timestamp::now(), exit_code, output: said(heard)? })
    }
}

/// A file in memory that takes so much and no more.
fn bounded_memory() -> Result<OwnedFd> {
    let fail = |errno: rustix::io::Errno| Error::io("make a file in memory", errno.into());
    let memory = memfd_create(c"lodger-health", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).map_err(fail)?;
    ftruncate(&memory, OUTPUT).map_err(fail)?;
    fcntl_add_seals(&memory, SealFlags::GROW | SealFlags::SHRINK).map_err(fail)?;
    Ok(memory)
}

/// What was written to it.
fn said(memory: OwnedFd) -> Result<String> {
    let fail = |errno: rustix::io::Errno| Error::io("read what the check wrote", errno.into());
    let length = seek(&memory, SeekFrom::Current(0)).map_err(fail)?;
    seek(&memory, SeekFrom::Start(0)).map_err(fail)?;
    let mut bytes = Vec::new();
    let read = File::from(memory).take(length).read_to_end(&mut bytes);
    read.map_err(|e| Error::io("read what the check wrote", e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// While the check at the start is asked: enough successes let the regular one begin.
fn noted_at_start(mut health: HealthRecord, result: HealthResult, wanted: u32) -> HealthRecord {
    match result.exit_code {
        0 => health.startup_successes += 1,
        _ => health.startup_successes = 0,
    }
    if health.startup_successes >= wanted {
        health.status = HealthStatus::Healthy;
    }
    health.log.push(result);
    health
}

fn noted(mut health: HealthRecord, result: HealthResult, check: &Check) -> HealthRecord {
    let age = Duration::try_from(result.start.duration_since(health.started_at)).unwrap_or_default();
    let excused = health.status == HealthStatus::Starting && age < check.start_period;
    match result.exit_code {
        0 => (health.status, health.failing_streak) = (HealthStatus::Healthy, 0),
        _ if excused => {}
        _ => {
            health.failing_streak = health.failing_streak.saturating_add(1);
            if health.failing_streak >= check.retries {
                health.status = HealthStatus::Unhealthy;
            }
        }
    }
    health.log.push(result);
    health
}

/// Keeps as many results, of as many characters, as was asked for.
fn cut(mut health: HealthRecord, record: &ContainerRecord) -> HealthRecord {
    let asked = &record.spec.health;
    let (count, size) = (asked.max_log_count.unwrap_or(5) as usize, asked.max_log_size.unwrap_or(500) as usize);
    if count > 0 {
        health.log.drain(..health.log.len().saturating_sub(count));
    }
    if let Some(last) = health.log.last_mut().filter(|_| size > 0) {
        last.output = last.output.chars().take(size).collect();
    }
    health
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(exit_code: i32, second: i64) -> HealthResult {
        let at = Timestamp::from_second(second).unwrap();
        HealthResult { start: at, end: at, exit_code, output: String::new() }
    }

    fn check(retries: u32, start_period: u64) -> Check {
        let times = (Duration::from_secs(30), Duration::from_secs(start_period));
        Check { command: vec!["true".to_owned()], timeout: times.0, retries, start_period: times.1 }
    }

    #[test]
    fn only_failures_in_a_row_make_unhealthy() {
        let new = HealthRecord::new(Timestamp::from_second(100).unwrap());
        let after = |codes: &[i32], check: &Check| {
            codes.iter().fold(new.clone(), |health, code| noted(health, result(*code, 105), check))
        };
        let seen = |codes: &[i32], check: &Check| {
            let health = after(codes, check);
            (health.status.word(), health.failing_streak)
        };
        assert_eq!(seen(&[1], &check(2, 0)), ("starting", 1));
        assert_eq!(seen(&[1, 1], &check(2, 0)), ("unhealthy", 2));
        assert_eq!(seen(&[1, 0, 1], &check(2, 0)), ("healthy", 1));
        assert_eq!(seen(&[1, 1, 0], &check(2, 0)), ("healthy", 0));
        // In its first seconds a container may fail, until it was healthy once.
        assert_eq!(seen(&[1, 1, 1], &check(2, 10)), ("starting", 0));
        assert_eq!(seen(&[0, 1, 1], &check(2, 10)), ("unhealthy", 2));
    }

    #[test]
    fn the_check_at_the_start_is_asked_until_it_has_succeeded_often_enough() {
        let new = HealthRecord::new(Timestamp::from_second(100).unwrap());
        let once = noted_at_start(new, result(0, 101), 2);
        assert_eq!((once.status, once.startup_successes), (HealthStatus::Starting, 1));
        let failed = noted_at_start(once.clone(), result(1, 102), 2);
        assert_eq!(failed.startup_successes, 0);
        assert_eq!(noted_at_start(once, result(0, 102), 2).status, HealthStatus::Healthy);
    }

    #[test]
    fn a_line_is_for_a_shell_and_words_are_not() {
        let words = |test: &[&str]| command(&test.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["CMD", "a", "b"]).unwrap(), ["a", "b"]);
        assert_eq!(words(&["CMD-SHELL", "a b"]).unwrap(), ["/bin/sh", "-c", "a b"]);
        assert_eq!((words(&["NONE"]), words(&["CMD"]), words(&[])), (None, None, None));
    }

    #[test]
    fn what_a_check_writes_is_bounded() {
        let memory = bounded_memory().unwrap();
        let chunk = vec![b'x'; OUTPUT as usize];
        assert_eq!(rustix::io::write(&memory, b"abc").unwrap(), 3);
        let _ = rustix::io::write(&memory, &chunk);
        assert!(rustix::io::write(&memory, &chunk).is_err());
        assert_eq!(said(memory).unwrap().len(), OUTPUT as usize);
    }
}
