//! A further process in a running container.
//!
//! It gets what the container's first process has (namespaces, root) and nothing of the caller: the child is not dumpable before it
//! joins, so that no process inside can look into it, and no descriptor of the host stays open.
//!
//! ```text
//! Container::open(first process) ──compile──► Program ──spawn──► …
//! ```

use crate::capability;
use crate::compile::{Program, compile_exec};
use crate::error::{Context, Error, Kind};
use crate::plan::{Cgroup, Entry, OomScore, Passed, Privileges, Process, Rlimit, Seccomp, Stdio};
use crate::process::ProcessId;
use crate::userns::Map;
use kernel::clone::Namespaces;
use rustix::fs::{Mode, OFlags};
use std::os::fd::{AsFd, OwnedFd};

/// Everything that makes one further process.
#[derive(Debug)]
pub struct ExecPlan {
    /// What is executed, as whom and where. A missing working directory is refused.
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
    /// What stands between the launcher and the payload ([`Entry::Init`] makes no sense here).
    pub entry: Entry,
    /// The control group in which it starts.
    pub cgroup: Cgroup,
}

/// A running container, held by its first process.
#[derive(Debug)]
pub struct Container {
    pidfd: OwnedFd,
    root: OwnedFd,
    /// Namespaces in which it differs from the caller.
    joined: Namespaces,
    /// Its ids, where they are others than the caller's and the caller is root around it.
    ids: Option<Map>,
}

impl Container {
    /// Believes the process only with its start time.
    ///
    /// # Errors
    /// [`Kind::Gone`] when the container does not run.
    pub fn open(process: &ProcessId) -> Result<Self, Error> {
        let pidfd = process.open()?;
        let path = |what: &str| format!("/proc/{}/{what}", process.pid);
        let root = rustix::fs::open(path("root"), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .context("open root of container", path("root"))?;
        let mut joined = Namespaces::NONE;
        for (kind, name) in [
            (Namespaces::USER, "user"),
            (Namespaces::PID, "pid"),
            (Namespaces::MOUNT, "mnt"),
            (Namespaces::IPC, "ipc"),
            (Namespaces::UTS, "uts"),
            (Namespaces::NET, "net"),
            (Namespaces::CGROUP, "cgroup"),
        ] {
            let theirs = std::fs::read_link(path(&format!("ns/{name}")));
            let ours = std::fs::read_link(format!("/proc/self/ns/{name}"));
            match (theirs, ours) {
                (Ok(theirs), Ok(ours)) if theirs == ours => {}
                (Ok(_), Ok(_)) => joined = joined | kind,
                (Err(error), _) | (_, Err(error)) => {
                    return Err(Error::new("look at namespaces of container", path("ns"), Kind::System).because(error));
                }
            }
        }
        let around = joined.contains(Namespaces::USER) && rustix::process::geteuid().is_root();
        let ids = if around { Some(Map::of(process.pid)?) } else { None };
        // Whatever was read by number was about this process only if it still has it.
        kernel::signal::send(pidfd.as_fd(), 0).map_err(|_| Error::new("open container", process.pid, Kind::Gone))?;
        Ok(Self { pidfd, root, joined, ids })
    }

    /// Puts a further process into order. To be given to [`crate::spawn`], after which the caller is in the container's user namespace,
    /// and its later children in the container's pid namespace.
    ///
    /// # Errors
    /// As [`crate::compile`].
    pub fn compile<'p>(&'p self, plan: &'p ExecPlan) -> Result<Program<'p>, Error> {
        compile_exec(plan, self.pidfd.as_fd(), self.root.as_fd(), self.joined, self.ids.as_ref())
    }
}
