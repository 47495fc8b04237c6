//! From a compiled program to a live process.
//!
//! ```text
//! launcher                                   child
//! prepare: detached mounts, terminal
//! clone3 ───────────────────────────────────► ops before the barrier
//! network, records                           waits, unless the word is there already
//! release() ──────── go ────────────────────► ops after it, execve
//!           ◄─────── end of file, or (op, errno)
//! ```
//!
//! A launcher that dies before `release` takes the child with it: the barrier reads end of file. After it, the container lives on.

mod within;

use crate::compile::{Birth, BirthPlace, Program};
use crate::error::{Context, Error, Kind};
use crate::exit::{Exit, wait};
use crate::plan::Parent;
use crate::prepare::Table;
use crate::process::ProcessId;
use init::op::Op;
use init::report::{Failure, GO, IDS, LENGTH, Part, Report};
use init::run::{Start, Tables};
use kernel::clone::Namespaces;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType, recvmsg,
    send, socketpair,
};
use rustix::process::Pid;
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use within::{STARTING, in_namespace};

/// A container whose first process waits before its last steps. Dropped, the launcher's end of the pair is closed, which ends the child.
#[derive(Debug)]
pub struct Spawned<'p> {
    /// The container's first process, as seen by the launcher.
    pub process: ProcessId,
    /// A descriptor of it.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one.
    pub terminal: Option<OwnedFd>,
    channel: OwnedFd,
    program: &'p Program<'p>,
}

/// Starts the child and returns while it works.
///
/// # Errors
/// When preparing or cloning fails; what fails in the child is reported by [`Spawned::release`].
pub fn spawn<'p>(program: &'p Program<'p>) -> Result<Spawned<'p>, Error> {
    let _usual = Umask::usual();
    let mut table = Table::new(program.slots, &program.passed);
    for step in &program.steps {
        table.take_step(step)?;
    }
    let master = program.master.and_then(|slot| table.take(slot));
    let (channel, child_end) = channel(&table).context("make channel to child", "")?;
    if let Some(place) = &program.pid_namespace {
        join(place)?;
    }
    for (kinds, namespace) in &program.joined {
        move_into(*namespace, *kinds)?;
    }
    let kept = kept(program, &table);
    let (pid, pidfd) = start(program, &mut table, &channel, &child_end, &kept)?;
    if let Err(error) = give_ids(program, pid, &channel) {
        let _ = kernel::signal::send(pidfd.as_fd(), libc::SIGKILL);
        let _ = wait(pidfd.as_fd());
        return Err(error);
    }
    // The child's end must close with the child, or its end would not be seen.
    drop(child_end);
    let pid = pid.as_raw_nonzero().get();
    // A sibling that failed at once may have been reaped already; what it said comes out of the channel.
    let process = ProcessId::of(pid).unwrap_or(ProcessId { pid, start_time: 0 });
    Ok(Spawned { process, pidfd, terminal: master, channel, program })
}

/// The usual mask while mount points and files are made, here and in the child: a caller's stricter one would lock a container's other users out.
struct Umask(Mode);

impl Umask {
    fn usual() -> Self {
        Self(rustix::process::umask(Mode::from_raw_mode(0o022)))
    }
}

impl Drop for Umask {
    fn drop(&mut self) {
        rustix::process::umask(self.0);
    }
}

/// The launcher's and the child's end, both out of the way of the payload's descriptors.
fn channel(table: &Table) -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    Ok((table.safe_copy(one.as_fd())?, table.safe_copy(other.as_fd())?))
}

/// Numbers above 2 that survive until execve, sorted: those passed, and the helper's.
fn kept(program: &Program<'_>, table: &Table) -> Vec<u32> {
    let helper = program.helper.and_then(|slot| table.get(slot).ok()).map(|fd| fd.as_raw_fd() as u32);
    let mut kept: Vec<u32> = program.passed.iter().copied().chain(helper).collect();
    kept.sort_unstable();
    kept
}

/// What counts for children only, and the user namespace that gives the privilege for it.
fn join(place: &BirthPlace<'_>) -> Result<(), Error> {
    let (target, kinds) = match place {
        BirthPlace::Namespace(fd) => (fd.as_fd(), Namespaces::PID),
        BirthPlace::Process(pidfd, kinds) => (pidfd.as_fd(), *kinds),
    };
    move_into(target, kinds)
}

fn move_into(target: BorrowedFd<'_>, kinds: Namespaces) -> Result<(), Error> {
    move_into_thread_name_spaces(target, ThreadNameSpaceType::from_bits_retain(kinds.bits()))
        .context("join namespaces of the container", "")
}

/// Tells a child in a new user namespace which ids that has.
fn give_ids(program: &Program<'_>, pid: Pid, channel: &OwnedFd) -> Result<(), Error> {
    let Birth::New(map) = program.users else { return Ok(()) };
    crate::userns::write_map(pid.as_raw_nonzero().get(), map)?;
    send(channel, &IDS, SendFlags::NOSIGNAL).map(drop).context(STARTING, "")
}

fn start(
    program: &Program<'_>,
    table: &mut Table,
    channel: &OwnedFd,
    child_end: &OwnedFd,
    kept: &[u32],
) -> Result<(Pid, OwnedFd), Error> {
    let mut argv = program.argv.clone();
    let parent = match program.parent {
        Parent::Launcher => kernel::clone::Parent::Caller,
        Parent::Sibling => kernel::clone::Parent::Callers,
    };
    let start = Start {
        ops: &program.ops,
        envp: &program.envp,
        candidates: &program.candidates,
        kept,
        report: child_end.as_fd(),
    };
    let parent_end = channel.as_raw_fd() as u32;
    let tables = Tables { slots: table.slots(), argv: &mut argv };
    let run = || init::run::run(&start, tables, parent_end);
    match program.users {
        Birth::Join(namespace) => in_namespace(namespace, program, parent, run),
        Birth::Launcher | Birth::New(_) => {
            kernel::clone::spawn(program.new, parent, program.cgroup, run).context(STARTING, "")
        }
    }
}

impl Spawned<'_> {
    /// Waits until the child's namespaces and mounts are complete.
    ///
    /// # Errors
    /// What failed in the child.
    pub fn wait_ready(&mut self) -> Result<(), Error> {
        loop {
            match self.receive()? {
                Some(Report::Ready) => return Ok(()),
                // Nobody has asked for it.
                Some(Report::Network) => {}
                Some(Report::Failed { op, failure, candidate }) => return Err(self.sentence(op, failure, candidate)),
                None => return Err(Error::new("start container", "", Kind::ChildDied)),
            }
        }
    }

    /// The container's network namespace, once it exists (after [`Spawned::wait_ready`]).
    ///
    /// # Errors
    /// When the child has died.
    pub fn network_namespace(&self) -> Result<OwnedFd, Error> {
        if !self.program.ops.iter().any(|op| matches!(op, Op::TellNetwork)) {
            return crate::process::namespace(&self.process, "net");
        }
        let (report, namespace) = self.receive_with_descriptor()?;
        match (report, namespace) {
            (Some(Report::Network), Some(namespace)) => Ok(namespace),
            (Some(Report::Failed { op, failure, candidate }), _) => Err(self.sentence(op, failure, candidate)),
            _ => Err(Error::new("start container", "", Kind::ChildDied)),
        }
    }

    /// Lets the child go and returns once the payload is executed.
    ///
    /// # Errors
    /// What failed in the child: [`Kind::CommandNotFound`], [`Kind::CommandNotExecutable`] and all others. The child is reaped then.
    pub fn release(self) -> Result<Running, Error> {
        self.try_release().map_err(|(spawned, error)| {
            spawned.abort();
            error
        })
    }

    /// [`Spawned::release`] that leaves a child that failed for the caller to [`Spawned::abort`].
    ///
    /// # Errors
    /// As [`Spawned::release`].
    pub fn try_release(self) -> Result<Running, (Self, Error)> {
        let sent = send(&self.channel, &GO, SendFlags::NOSIGNAL);
        loop {
            match self.receive() {
                Ok(Some(Report::Ready | Report::Network)) => {}
                Ok(Some(Report::Failed { op, failure, candidate })) => {
                    let error = self.sentence(op, failure, candidate);
                    return Err((self, error));
                }
                Ok(None) if sent.is_err() => {
                    return Err((self, Error::new("start container", "", Kind::ChildDied)));
                }
                Ok(None) => break,
                Err(error) => return Err((self, error)),
            }
        }
        let Self { process, pidfd, terminal, .. } = self;
        Ok(Running { process, pidfd, terminal })
    }

    /// Kills and reaps the child.
    pub fn abort(self) {
        let _ = kernel::signal::send(self.pidfd.as_fd(), libc::SIGKILL);
        let _ = wait(self.pidfd.as_fd());
    }

    /// One message; `None` when the child's end is closed, by execve or death.
    fn receive(&self) -> Result<Option<Report>, Error> {
        self.receive_with_descriptor().map(|(report, _)| report)
    }

    fn receive_with_descriptor(&self) -> Result<(Option<Report>, Option<OwnedFd>), Error> {
        let mut message = [0u8; LENGTH];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        loop {
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let mut room = [IoSliceMut::new(&mut message)];
            let received = recvmsg(&self.channel, &mut room, &mut ancillary, RecvFlags::CMSG_CLOEXEC);
            match received.map(|received| received.bytes) {
                Ok(LENGTH) => {
                    let descriptor = ancillary.drain().find_map(|message| match message {
                        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
                        _ => None,
                    });
                    return Ok((Some(Report::decode(&message)), descriptor));
                }
                Ok(0) => return Ok((None, None)),
                Ok(_) => return Err(Error::new("hear from container", "", Kind::Invalid("unknown message"))),
                // Reset: the child ended without reading the word to go. What it said before is still to be read.
                Err(Errno::INTR | Errno::CONNRESET) => {}
                Err(errno) => return Err(Error::system("hear from container", "", errno)),
            }
        }
    }

    /// The sentence for a step that failed in the child.
    fn sentence(&self, index: u32, failure: Failure, candidate: u32) -> Error {
        let Failure { errno, part } = failure;
        let Some(op) = self.program.ops.get(index as usize) else {
            return Error::system("start container", "", errno);
        };
        match op {
            Op::Execute | Op::ExecuteHelper(..) => self.not_executed(failure, candidate),
            Op::Chdir(path) | Op::ChdirAgain(path) => {
                let error = Error::system("change to working directory", path.to_string_lossy(), errno);
                match (errno, part) {
                    (Errno::NOENT | Errno::NOTDIR, _) => error.of_kind(Kind::WorkdirMissing),
                    (Errno::LOOP, _) | (_, Part::Refuse) => error.of_kind(Kind::Hostile),
                    _ => error,
                }
            }
            op if part == Part::Refuse => Error::system("step", op, errno).of_kind(Kind::Hostile),
            op if part == Part::Call => Error::system("step", op, errno),
            op => Error::system("step", format_args!("{op}: {part}"), errno),
        }
    }

    fn not_executed(&self, Failure { errno, part }: Failure, candidate: u32) -> Error {
        let name = self.program.argv.get(init::run::ROOM).and_then(|word| word.text()).unwrap_or_default();
        let path = self.program.candidates.get(candidate as usize).copied().unwrap_or(name);
        match part {
            Part::Absent => Error::system("execute", name.to_string_lossy(), errno).of_kind(Kind::CommandNotFound),
            Part::Interpreter => {
                Error::system("execute", path.to_string_lossy(), errno).of_kind(Kind::InterpreterMissing)
            }
            _ => Error::system("execute", path.to_string_lossy(), errno).of_kind(Kind::CommandNotExecutable),
        }
    }
}

/// A container that runs.
#[derive(Debug)]
pub struct Running {
    /// The container's first process.
    pub process: ProcessId,
    /// A descriptor of it.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one.
    pub terminal: Option<OwnedFd>,
}

impl Running {
    /// Blocks until the process, a child of the caller, has ended, and reaps it.
    ///
    /// # Errors
    /// When it is not the caller's child.
    pub fn wait(self) -> Result<Exit, Error> {
        wait(self.pidfd.as_fd()).context("wait for process", self.process.pid)
    }
}

/// Whether somebody with an id of this process's user namespace could write the running binary, so that a container must be
/// started through the sealed helper ([`crate::plan::Entry::Shielded`]).
///
/// A payload can name the launcher's binary (`#!/proc/self/exe`) at the moment of execve; what it finds must not be its to change. An
/// owner or group that is not mapped shows as the overflow id and gives nobody inside a right.
#[must_use]
pub fn binary_is_exposed() -> bool {
    use rustix::fs::{OFlags, fstat, open};
    const OVERFLOW: u32 = 65534;
    let Ok(binary) = open(c"/proc/self/exe", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else { return true };
    let Ok(status) = fstat(&binary) else { return true };
    let mode = status.st_mode;
    // An owner can always give himself the right to write; without a user namespace root needs none.
    crate::userns::is_initial()
        || status.st_uid != OVERFLOW
        || mode & 0o002 != 0
        || (mode & 0o020 != 0 && status.st_gid != OVERFLOW)
}
