//! `wait`: until containers have ended, or are otherwise as asked.

use super::{Container, Status, ended_within, open};
use crate::error::{Error, Result};
use crate::{Engine, store_error};
use std::time::Duration;
use store::HealthStatus;

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is in this state (podman's `configured` is `created`).
    Is(Status),
    /// It does not run (podman's `stopped` and `exited`).
    Stopped,
    /// It is gone.
    Removing,
    /// Its health check says this.
    Health(HealthStatus),
    /// podman's `stopping` and `unknown`: no container is ever seen so.
    Never,
}

/// Long enough never to be seen; the end of a process ends it at once.
const LONG: Duration = Duration::from_secs(3600);

impl Engine {
    /// Waits for one of the conditions and returns the exit status; -1 when it has none, as in podman.
    pub fn wait(&self, container: &Container, conditions: &[Condition], interval: Duration) -> Result<i32> {
        self.check_conditions(container, conditions)?;
        let mut current = container.clone();
        loop {
            if let Some(code) = self.met(&mut current, conditions)? {
                return Ok(code);
            }
            match &current.running {
                Some(state) => {
                    // Ends the moment the process does; looked at anew from time to time for other conditions.
                    let only_end = conditions.iter().all(|one| matches!(one, Condition::Stopped | Condition::Removing));
                    if ended_within(&open(state)?, if only_end { LONG } else { interval })? {
                        if let Some(exit) = self.await_record(&current.record, state)? {
                            if conditions.contains(&Condition::Stopped) {
                                return Ok(exit.exit_code);
                            }
                        }
                    }
                }
                None => std::thread::sleep(interval),
            }
            match self.look_again(&current, conditions)? {
                Ok(next) => current = next,
                Err(code) => return Ok(code),
            }
        }
    }

    /// Waits until the first of several containers meets one of the conditions; its exit status.
    pub fn wait_for_first(
        &self,
        containers: &[Container],
        conditions: &[Condition],
        interval: Duration,
    ) -> Result<Option<i32>> {
        containers.iter().try_for_each(|container| self.check_conditions(container, conditions))?;
        let mut current = containers.to_vec();
        while !current.is_empty() {
            for one in &mut current {
                if let Some(code) = self.met(one, conditions)? {
                    return Ok(Some(code));
                }
                match self.look_again(one, conditions)? {
                    Ok(next) => *one = next,
                    Err(code) => return Ok(Some(code)),
                }
            }
            std::thread::sleep(interval);
        }
        Ok(None)
    }

    fn check_conditions(&self, container: &Container, conditions: &[Condition]) -> Result<()> {
        let asked = conditions.iter().find_map(|condition| match condition {
            Condition::Health(status) => Some(status.word()),
            _ => None,
        });
        match asked {
            Some(word) if self.health(container)?.is_none() && !self.may_be_checked(container)? => {
                let id = &container.record.id;
                Err(Error::invalid(format!("cannot use condition {word:?}: container {id} has no healthcheck")))
            }
            _ => Ok(()),
        }
    }

    /// The exit status of one that is as asked.
    fn met(&self, current: &mut Container, conditions: &[Condition]) -> Result<Option<i32>> {
        let mut met = false;
        for condition in conditions {
            met |= match condition {
                Condition::Is(status) => current.status() == *status,
                Condition::Stopped => current.running.is_none(),
                Condition::Health(status) => {
                    self.health(current)?.is_some_and(|health| health.status == *status) && current.running.is_some()
                }
                Condition::Removing | Condition::Never => false,
            };
        }
        if !met {
            return Ok(None);
        }
        // Between its end and the word about it; who ends it is about to write that.
        if current.running.is_none() && conditions.contains(&Condition::Stopped) {
            if let Some(state) = self.store.read_state(&current.record.id).map_err(store_error)? {
                current.exit = self.await_record(&current.record, &state)?;
            }
        }
        let exit = current.exit.as_ref().filter(|_| current.running.is_none());
        Ok(Some(exit.map_or(-1, |exit| exit.exit_code)))
    }

    /// How it is now; the exit status of one that is gone, where that ends the waiting.
    fn look_again(&self, current: &Container, conditions: &[Condition]) -> Result<std::result::Result<Container, i32>> {
        match self.store.container(&current.record.id) {
            Ok(record) => self.look_at(record).map(Ok),
            Err(error)
                if error.is_not_found()
                    && conditions.iter().any(|one| matches!(one, Condition::Removing | Condition::Stopped)) =>
            {
                Ok(Err(current.exit.as_ref().map_or(-1, |exit| exit.exit_code)))
            }
            Err(error) => Err(store_error(error)),
        }
    }
}
