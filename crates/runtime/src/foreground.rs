//! The caller of `run` and `exec` while the process lives: terminal, signals, exit status.
//!
//! One loop over poll(2): the process's descriptor, the signals, the user's terminal and the container's, or the pipes between
//! the two. The user's terminal is put
//! back whatever happens. Nothing is read that cannot be passed on at once, so no side can fill memory.

mod carry;
mod keys;
mod pump;
mod raw;

pub use carry::Flow;
pub use keys::DetachKeys;

use crate::error::{Context, Error};
use crate::exit::{Exit, wait};
use crate::spawn::Running;
use carry::Carrier;
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
    /// Gets what the container's terminal shows once more: the log.
    pub copy: Option<OwnedFd>,
    /// Without a terminal: from the caller's standard input to the container's.
    pub inward: Option<Flow>,
    /// Without a terminal: from the container's standard output and standard error to the caller's.
    pub outward: Vec<Flow>,
    /// Keys that end the attachment and leave the process alone; only where input is forwarded.
    pub detach: DetachKeys,
    /// Whether the caller's signals are passed on.
    pub signals: Signals,
    /// Where the window's size goes, if not to the container's terminal itself: it is behind a socket.
    pub window: Option<OwnedFd>,
    /// How long the process may run before it is killed; absent = as long as it likes.
    pub limit: Option<Duration>,
}

impl Foreground {
    /// Nothing is lent but signals; `output` is where a terminal of the container would be shown.
    pub fn new(output: OwnedFd) -> Self {
        Self {
            input: Input::Closed,
            output,
            copy: None,
            inward: None,
            outward: Vec::new(),
            detach: DetachKeys::none(),
            signals: Signals::Relay,
            window: None,
            limit: None,
        }
    }
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
    /// The time limit was reached, and the process killed.
    TimedOut,
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
pub fn attend(running: &Running, foreground: Foreground) -> Result<Outcome, Error> {
    let master = running.terminal.as_ref().map(AsFd::as_fd);
    Ok(match look_after(running.pidfd.as_fd(), master, foreground)? {
        Left::Detached => Outcome::Detached,
        left => match wait(running.pidfd.as_fd()).context("wait for process", running.process.pid)? {
            // It may have ended by itself at the last moment.
            Exit::Signal(libc::SIGKILL) if left == Left::Overdue => Outcome::TimedOut,
            exit => Outcome::Exited(exit),
        },
    })
}

/// Passes signals on to a process until something can be read from `word`, or its other end is closed.
///
/// # Errors
/// When either cannot be watched.
pub fn stand_by(process: BorrowedFd<'_>, word: BorrowedFd<'_>, signals: Signals) -> Result<(), Error> {
    let caught = Caught::new(signals).context("catch signals", "")?;
    loop {
        let mut fds = [PollFd::from_borrowed_fd(word, PollFlags::IN), PollFd::new(&caught.descriptor, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context("wait for companion", ""),
        }
        let (said, signalled) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
        while let Some(number) = signal::read(&caught.descriptor).context("read signal", "")?.filter(|_| signalled) {
            // A terminal tells all its processes of its size.
            if signals == Signals::Relay && number != libc::SIGWINCH {
                send(process, number).context("pass signal on", "")?;
            }
        }
        if said {
            return Ok(());
        }
    }
}

/// How a child of the caller's ended, which is waited for.
///
/// # Errors
/// When it is none.
pub fn exit_of(child: BorrowedFd<'_>) -> Result<Exit, Error> {
    wait(child).context("wait for companion", "")
}

/// How the caller left a process that is not his child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It ended.
    Ended,
    /// It was killed when its time was over.
    Overdue,
    /// The user typed the detach keys; the process lives on.
    Detached,
}

/// Stays until any process ends or the user detaches. `terminal` carries what it prints and what is typed.
///
/// # Errors
/// When the terminal or the process cannot be watched.
pub fn look_after(
    process: BorrowedFd<'_>,
    terminal: Option<BorrowedFd<'_>>,
    mut foreground: Foreground,
) -> Result<Left, Error> {
    let signals = Caught::new(foreground.signals).context("catch signals", "")?;
    let kind = foreground.signals;
    let mut deadline = foreground.limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut overdue = false;
    let flows = (foreground.inward.take(), std::mem::take(&mut foreground.outward));
    let mut carrier = Carrier::new(flows.0, flows.1).context("attach streams", "")?;
    let mut pump = Pump::new(terminal, foreground).context("attach terminal", "")?;
    loop {
        let ready = watch(process, &signals, &pump, &carrier, deadline).context("wait for container", "")?;
        if ready.signals {
            relay(process, &signals, &pump, kind).context("pass signal on", "")?;
        }
        carrier.turn(&ready.flows);
        if pump.turn(&ready.pump).context("relay terminal", "")? {
            return Ok(Left::Detached);
        }
        if ready.ended {
            pump.drain();
            carrier.drain();
            return Ok(if overdue { Left::Overdue } else { Left::Ended });
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            deadline = None;
            overdue = true;
            send(process, libc::SIGKILL).context("kill process", "")?;
        }
    }
}

/// What poll(2) found.
struct Ready {
    ended: bool,
    signals: bool,
    pump: pump::Ready,
    flows: Vec<bool>,
}

fn watch(
    process: BorrowedFd<'_>,
    signals: &Caught,
    pump: &Pump<'_>,
    carrier: &Carrier,
    deadline: Option<Instant>,
) -> rustix::io::Result<Ready> {
    let mut fds =
        vec![PollFd::from_borrowed_fd(process, PollFlags::IN), PollFd::new(&signals.descriptor, PollFlags::IN)];
    carrier.wants(&mut fds);
    let flows = fds.len();
    pump.wants(&mut fds);
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let left = left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
    match poll(&mut fds, left.as_ref()) {
        // With nothing found the loop comes back at once.
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno),
    }
    let found = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
    Ok(Ready {
        ended: found(0),
        signals: found(1),
        flows: carrier.found(&fds[2..flows]),
        pump: pump.found(&fds[flows..]),
    })
}

fn relay(process: BorrowedFd<'_>, signals: &Caught, pump: &Pump<'_>, kind: Signals) -> rustix::io::Result<()> {
    while let Some(number) = signal::read(&signals.descriptor)? {
        if number == libc::SIGWINCH && pump.resize() {
            continue;
        }
        if kind == Signals::Relay {
            send(process, number)?;
        }
    }
    Ok(())
}

fn send(process: BorrowedFd<'_>, number: i32) -> rustix::io::Result<()> {
    match signal::send(process, number) {
        // Ended meanwhile: the loop will see it.
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno),
    }
}
