//! A container in the foreground that its caller may leave running with the detach keys.
//!
//! A process is its parent's for ever, so the container is made the child of a companion from the beginning:
//!
//! ```text
//! caller, who waits ── companion ── container       the companion has the terminal, and does all that a foreground is
//!                          │
//!             "left" ──────┘                        after the keys the caller returns; the companion keeps the container,
//!                                                   whose terminal is then the log relay's, where `attach` finds it
//! ```
//!
//! While nobody has left, the companion ends with its caller (`PR_SET_PDEATHSIG`) and gets all his signals.

use super::Started;
use super::foreground::Ended;
use super::output::Wiring;
use crate::error::{Error, Result};
use crate::{Engine, runtime_error, store_error};
use kernel::clone::{Namespaces, Parent};
use runtime::foreground::{Foreground, Outcome, Signals};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Signal, set_parent_process_death_signal, setsid};
use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use store::{ContainerRecord, RunState};

/// The end by which a companion says that its caller may go.
#[derive(Debug, Default)]
pub(crate) struct Leaving(RefCell<Option<OwnedFd>>);

impl Engine {
    /// Does `work` (a start in the foreground, told to the user) in a companion, and waits until that is done or the container is
    /// left running; the exit status.
    pub fn beside_caller(&self, signals: Signals, work: &mut dyn FnMut() -> u8) -> Result<Ended> {
        let fail = |errno: rustix::io::Errno| Error::io("start a companion", errno.into());
        let (word, says) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(fail)?;
        let mut says = Some(says);
        let (_, companion) = kernel::clone::spawn(Namespaces::NONE, Parent::Caller, None, || {
            let _ = set_parent_process_death_signal(Some(Signal::HUP));
            self.leaving.0.replace(says.take());
            let code = work();
            self.send_events();
            kernel::clone::exit(code)
        })
        .map_err(fail)?;
        drop(says);
        // The companion has them all.
        self.events.forget();
        runtime::foreground::stand_by(companion.as_fd(), word.as_fd(), signals).map_err(runtime_error)?;
        let mut byte = [0u8; 1];
        match File::from(word).read(&mut byte) {
            Ok(1) => Ok(Ended { code: 0 }),
            _ => {
                let exit = runtime::foreground::exit_of(companion.as_fd()).map_err(runtime_error)?;
                Ok(Ended { code: exit.code() })
            }
        }
    }

    /// In the companion, after the keys: the terminal becomes the relay's, the caller may go, and the container is waited for.
    pub(super) fn stay_behind(
        &self,
        record: &ContainerRecord,
        started: Started,
        limit: Option<Duration>,
    ) -> Result<(Outcome, RunState)> {
        let Started { mut running, mut state } = started;
        let missing = || Error::other("the container was left behind");
        let (says, terminal) =
            (self.leaving.0.take().ok_or_else(missing)?, running.terminal.take().ok_or_else(missing)?);
        let mut wiring = Wiring::detached(self.log_driver(record), &record.spec);
        wiring.start_relay(self, record, Some(&terminal))?;
        drop(terminal);
        state.helpers.retain(|helper| helper.role != "log");
        state.helpers.extend(wiring.relay());
        self.store.write_state(&record.id, &state).map_err(store_error)?;
        leave_terminal()?;
        rustix::io::write(&says, b"l").map_err(|e| Error::io("let the caller go", e.into()))?;
        drop(says);
        let nowhere = rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| Error::io("open \"/dev/null\"", e.into()))?;
        let foreground = Foreground { limit, ..Foreground::new(nowhere) };
        let outcome = runtime::foreground::attend(&running, foreground).map_err(runtime_error)?;
        Ok((outcome, state))
    }
}

/// Out of the caller's session, without any of his descriptors, and not bound to his life.
fn leave_terminal() -> Result<()> {
    let fail = |errno: rustix::io::Errno| Error::io("leave the terminal", errno.into());
    set_parent_process_death_signal(None).map_err(fail)?;
    setsid().map_err(fail)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map_err(fail)?;
    (0..=2).try_for_each(|number| kernel::descriptor::duplicate_to(null.as_fd(), number).map_err(fail))
}
