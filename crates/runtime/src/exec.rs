//! A further process in a running container.
//!
//! It gets what the container's first process has (namespaces, root, capabilities, filter) and nothing of the caller: the child is
//! not dumpable before it joins, so that no process inside can look into it, and no descriptor of the host stays open.

use crate::capability;
use crate::error::Error;
use crate::plan::{Cgroup, Entry, OomScore, Passed, Privileges, Process, Rlimit, Seccomp, Stdio};
use crate::process::ProcessId;
use crate::spawn::Spawned;

/// Everything that makes one further process.
#[derive(Debug)]
pub struct ExecPlan {
    /// The container's first process.
    pub container: ProcessId,
    /// What is executed, as whom and where.
    pub process: Process,
    /// The five capability sets.
    pub capabilities: capability::Sets,
    /// `no_new_privs`.
    pub privileges: Privileges,
    /// System call filter.
    pub seccomp: Seccomp,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// `/proc/self/oom_score_adj`.
    pub oom_score: OomScore,
    /// File mode creation mask.
    pub umask: u32,
    /// Terminal, or the descriptors that become 0, 1 and 2.
    pub stdio: Stdio,
    /// Further descriptors.
    pub passed: Vec<Passed>,
    /// What stands between the launcher and the payload ([`Entry::Init`] is the same as [`Entry::Shielded`] here).
    pub entry: Entry,
    /// The control group in which it starts.
    pub cgroup: Cgroup,
}

/// Starts the process, which then waits for [`Spawned::release`]. The caller ends up in the container's user namespace, and its later
/// children in the container's pid namespace.
///
/// # Errors
/// [`crate::Kind::Gone`] when the container does not run.
pub fn exec(_plan: &ExecPlan) -> Result<Spawned, Error> {
    todo!("not yet")
}
