//! From a compiled program to a live process.
//!
//! ```text
//! launcher                                   child
//! prepare: detached mounts, terminal
//! clone3 ───────────────────────────────────► ops before the barrier
//! network, records                           waits
//! release() ──────── go ────────────────────► ops after it, execve
//!           ◄─────── end of file, or (op, errno)
//! ```
//!
//! A launcher that dies before `release` takes the child with it: the barrier reads end of file.

use crate::compile::Program;
use crate::error::Error;
use crate::process::ProcessId;
use std::os::fd::OwnedFd;

/// A container whose first process waits before its last steps.
#[derive(Debug)]
pub struct Spawned {
    /// The container's first process, as seen by the launcher.
    pub process: ProcessId,
    /// A descriptor of it.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one.
    pub terminal: Option<OwnedFd>,
}

/// Starts the child and returns while it works.
///
/// # Errors
/// When preparing or cloning fails; what fails in the child is reported by [`Spawned::release`].
pub fn spawn(_program: &Program<'_>) -> Result<Spawned, Error> {
    todo!("not yet")
}

impl Spawned {
    /// Waits until the child's namespaces and mounts are complete.
    ///
    /// # Errors
    /// What failed in the child.
    pub fn wait_ready(&mut self) -> Result<(), Error> {
        todo!("not yet")
    }

    /// The container's network namespace, once it exists (after [`Spawned::wait_ready`]).
    ///
    /// # Errors
    /// When the child has died.
    pub fn network_namespace(&self) -> Result<OwnedFd, Error> {
        todo!("not yet")
    }

    /// Lets the child go and returns once the payload is executed.
    ///
    /// # Errors
    /// What failed in the child: [`crate::Kind::CommandNotFound`], [`crate::Kind::CommandNotExecutable`] and all others.
    pub fn release(self) -> Result<Running, Error> {
        todo!("not yet")
    }

    /// Kills and reaps the child.
    pub fn abort(self) {
        todo!("not yet")
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

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It called exit.
    Code(u8),
    /// A signal killed it.
    Signal(i32),
}

impl Exit {
    /// As a shell and podman tell it: the code, or 128 + the signal.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => (128 + signal.clamp(0, 127)) as u8,
        }
    }
}

impl Running {
    /// Blocks until the process, a child of the caller, has ended, and reaps it.
    ///
    /// # Errors
    /// When it is not the caller's child.
    pub fn wait(self) -> Result<Exit, Error> {
        todo!("not yet")
    }
}

/// Whether somebody with an id of this process's user namespace could write the running binary, so that a container must be
/// started through the sealed helper ([`crate::plan::Entry::Shielded`]).
#[must_use]
pub fn binary_is_exposed() -> bool {
    todo!("not yet")
}
