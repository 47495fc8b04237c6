//! The caller of `run` and `exec` while the process lives: terminal, signals, exit status.
//!
//! One loop over poll(2): the process's descriptor, the signals, the user's terminal and the container's. The user's terminal is put
//! back whatever happens. Nothing is read that cannot be passed on at once, so no side can fill memory.

mod keys;
mod pump;
mod raw;

pub use keys::DetachKeys;

use crate::error::{Context, Error};
use crate::spawn::{Exit, Running, wait};
use kernel::signal::{self, Set};
use pump::Pump;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// What the caller lends to the process.
#[derive(Debug)]
pub struct Foreground {
    /// Where input comes from, if the container has a terminal; a terminal of the user's is put into raw mode.
    pub input: Input,
    /// Where the container's terminal is shown.
    pub output: OwnedFd,
    /// Keys that end the attachment and leave the process alone; only where input is forwarded.
    pub detach: DetachKeys,
    /// Whether the caller's signals are passed on.
    pub signals: Signals,
    /// How long the process may run before it is killed; absent = as long as it likes.
    pub limit: Option<Duration>,
}

/// Standard input of the caller.
#[derive(Debug)]
pub enum Input {
    /// Not forwarded.
    Closed,
    /// Forwarded until it ends.
    From(OwnedFd),
}

/// `--sig-proxy`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signals {
    /// Passed on, all but `SIGCHLD`, `SIGURG`, `SIGPIPE`, those of a fault, and those that stop a background process or cannot be caught. The
    /// window's size goes to the container's terminal, if there is one.
    Relay,
    /// Left to the caller.
    Own,
}

/// How the caller's part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The process ended.
    Exited(Exit),
    /// The user typed the detach keys; the process lives on.
    Detached,
}

/// What is never passed on.
const KEPT: [i32; 13] = [
    libc::SIGCHLD,
    libc::SIGURG,
    libc::SIGPIPE,
    libc::SIGKILL,
    libc::SIGSTOP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGSYS,
];

/// The caller's signals as a descriptor; its mask is put back at the end.
struct Caught {
    descriptor: OwnedFd,
    before: Set,
}

impl Caught {
    fn new(signals: Signals) -> rustix::io::Result<Self> {
        let set = match signals {
            Signals::Relay => KEPT.iter().fold(Set::ALL, |set, signal| set.without(*signal)),
            Signals::Own => Set::EMPTY.with(libc::SIGWINCH),
        };
        let before = signal::set_mask(set)?;
        Ok(Self { descriptor: signal::descriptor(set)?, before })
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        let _ = signal::set_mask(self.before);
    }
}

/// Blocks the signals that [`attend`] will pass on. Taken before the process is started and dropped after [`attend`], so that none
/// is lost or ends the caller in between.
///
/// # Errors
/// None that the kernel documents.
pub fn hold_signals() -> Result<Held, Error> {
    let set = KEPT.iter().fold(Set::ALL, |set, signal| set.without(*signal));
    signal::set_mask(set).context("hold signals", "").map(Held)
}

/// Signals that wait for [`attend`].
#[derive(Debug)]
pub struct Held(Set);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = signal::set_mask(self.0);
    }
}

/// Stays until the process ends or the user detaches. The process is the caller's child.
///
/// # Errors
/// When the terminal or the process cannot be watched.
pub fn attend(running: Running, foreground: Foreground) -> Result<Outcome, Error> {
    let signals = Caught::new(foreground.signals).context("catch signals", "")?;
    let master = running.terminal.as_ref().map(AsFd::as_fd);
    let kind = foreground.signals;
    let mut end = foreground.limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut pump = Pump::new(master, foreground).context("attach terminal", "")?;
    loop {
        let ready = watch(running.pidfd.as_fd(), &signals, &pump, end).context("wait for container", "")?;
        if ready.signals {
            relay(running.pidfd.as_fd(), &signals, &pump, kind).context("pass signal on", "")?;
        }
        if pump.turn(&ready.pump).context("relay terminal", "")? {
            return Ok(Outcome::Detached);
        }
        if end.is_some_and(|end| end <= Instant::now()) {
            end = None;
            kill(running.pidfd.as_fd()).context("kill container", running.process.pid)?;
        }
        if ready.ended {
            pump.drain();
            let exit = wait(running.pidfd.as_fd()).context("wait for process", running.process.pid)?;
            return Ok(Outcome::Exited(exit));
        }
    }
}

/// What poll(2) found.
struct Ready {
    ended: bool,
    signals: bool,
    pump: pump::Ready,
}

/// Waits for any of them, or until the time has come.
fn watch(
    process: BorrowedFd<'_>,
    signals: &Caught,
    pump: &Pump<'_>,
    end: Option<Instant>,
) -> rustix::io::Result<Ready> {
    let mut fds =
        vec![PollFd::from_borrowed_fd(process, PollFlags::IN), PollFd::new(&signals.descriptor, PollFlags::IN)];
    pump.wants(&mut fds);
    loop {
        let rest = end.map(|end| end.saturating_duration_since(Instant::now()));
        let rest = rest.and_then(|rest| Timespec::try_from(rest).ok());
        match poll(&mut fds, rest.as_ref()) {
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
            Ok(_) => break,
        }
    }
    let found = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
    Ok(Ready { ended: found(0), signals: found(1), pump: pump.found(&fds[2..]) })
}

fn kill(process: BorrowedFd<'_>) -> rustix::io::Result<()> {
    match signal::send(process, libc::SIGKILL) {
        Err(Errno::SRCH) => Ok(()),
        result => result,
    }
}

fn relay(process: BorrowedFd<'_>, signals: &Caught, pump: &Pump<'_>, kind: Signals) -> rustix::io::Result<()> {
    while let Some(number) = signal::read(&signals.descriptor)? {
        if number == libc::SIGWINCH && pump.resize() {
            continue;
        }
        if kind == Signals::Relay {
            match signal::send(process, number) {
                // Ended meanwhile: the loop will see it.
                Ok(()) | Err(Errno::SRCH) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
    Ok(())
}
