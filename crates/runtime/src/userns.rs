//! User namespaces: made once, kept by a tiny process, joined by everything after.
//!
//! What must be true afterwards: the launching process is root of the namespace with all capabilities *in it*, in a mount
//! namespace of its own that belongs to it, and nothing it mounts is seen outside.
//!
//! ```text
//! first start      create(map) ──► keep() ──► record(pid, start time)
//! every start      open(record) ──► enter() ──► private_mounts()
//! ```
//!
//! See user_namespaces(7), newuidmap(1).

use crate::error::Error;
use crate::process::ProcessId;
use std::os::fd::OwnedFd;

/// One line of `/proc/PID/uid_map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First id inside.
    pub inside: u32,
    /// First id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// Which ids of the parent namespace are which inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// User ids; none overlaps another.
    pub uids: Vec<Range>,
    /// Group ids.
    pub gids: Vec<Range>,
}

/// A new user namespace and the child that still holds it. Dropped, the child ends and the namespace with its last user.
#[derive(Debug)]
pub struct Created {
    /// The namespace.
    pub namespace: OwnedFd,
}

/// Makes a namespace with this map. Writes the map itself where it may (root, or a single own id), else runs `newuidmap` and
/// `newgidmap` at the same time.
///
/// # Errors
/// With the kinds that say why user namespaces do not work here.
pub fn create(_map: &Map) -> Result<Created, Error> {
    todo!("not yet")
}

impl Created {
    /// Lets the child live on as the keeper: a process of its own session with nothing open and hardly any memory.
    ///
    /// # Errors
    /// When the helper cannot be executed.
    pub fn keep(self) -> Result<ProcessId, Error> {
        todo!("not yet")
    }
}

/// The user namespace that a living process is in: the keeper, or any process of any container in it.
///
/// # Errors
/// [`crate::Kind::Gone`] when the process has ended or its pid is another's.
pub fn open(_member: &ProcessId) -> Result<OwnedFd, Error> {
    todo!("not yet")
}

/// Moves the calling process, which must have one thread, into the namespace and makes it root there (or, where 0 is not
/// mapped, leaves its ids alone).
///
/// # Errors
/// When the namespace is not the caller's own.
pub fn enter(_namespace: &OwnedFd) -> Result<(), Error> {
    todo!("not yet")
}

/// Gives the calling process a mount namespace of its own, into which the host's mounts still travel and out of which nothing
/// does. Descriptors opened before cannot be bound afterwards.
///
/// # Errors
/// When the process lacks `CAP_SYS_ADMIN` in its user namespace.
pub fn private_mounts() -> Result<(), Error> {
    todo!("not yet")
}
