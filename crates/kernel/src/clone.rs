//! clone3(2) in its fork-like form, and unshare(2).
//!
//! The child gets a copy of the caller's memory and of nothing else that a C library keeps: only calls that neither allocate
//! nor lock may be made there. The caller should have one thread.

use crate::arch::syscall;
use core::ffi::c_int;
use core::ops::BitOr;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::Result;
use rustix::process::Pid;

/// Which namespaces are made new; the `CLONE_NEW*` bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Namespaces(u32);

impl Namespaces {
    /// None.
    pub const NONE: Self = Self(0);
    /// `CLONE_NEWNS`
    pub const MOUNT: Self = Self(libc::CLONE_NEWNS as u32);
    /// `CLONE_NEWCGROUP`
    pub const CGROUP: Self = Self(libc::CLONE_NEWCGROUP as u32);
    /// `CLONE_NEWUTS`
    pub const UTS: Self = Self(libc::CLONE_NEWUTS as u32);
    /// `CLONE_NEWIPC`
    pub const IPC: Self = Self(libc::CLONE_NEWIPC as u32);
    /// `CLONE_NEWUSER`
    pub const USER: Self = Self(libc::CLONE_NEWUSER as u32);
    /// `CLONE_NEWPID`
    pub const PID: Self = Self(libc::CLONE_NEWPID as u32);
    /// `CLONE_NEWNET`
    pub const NET: Self = Self(libc::CLONE_NEWNET as u32);

    /// Whether all of `other` are among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and not `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits as setns(2) takes them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The words that `/proc/PID/ns` uses, in a fixed order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Namespaces, &str); 7] = [
            (Namespaces::USER, "user"),
            (Namespaces::MOUNT, "mnt"),
            (Namespaces::PID, "pid"),
            (Namespaces::IPC, "ipc"),
            (Namespaces::UTS, "uts"),
            (Namespaces::NET, "net"),
            (Namespaces::CGROUP, "cgroup"),
        ];
        NAMES.into_iter().filter(move |(one, _)| self.contains(*one)).map(|(_, name)| name)
    }
}

impl BitOr for Namespaces {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Whose child the new process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The caller's; its end is told by `SIGCHLD`.
    Caller,
    /// The caller's parent's: `CLONE_PARENT`.
    Callers,
}

/// The kernel's `struct clone_args`, version 2.
#[repr(C)]
#[derive(Default)]
struct Arguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// What a child's closure would return; it ends by [`exit`] or execve instead. Cannot be made.
#[derive(Debug)]
pub struct Never(());

/// Starts a child that runs `child` on a copy of the caller's memory, and returns its id and a descriptor of it.
///
/// With `cgroup`, a directory of a cgroup2 file system, the child starts in that group.
///
/// # Errors
/// As clone3(2): `EPERM` without the privilege for a namespace, `EINVAL` for `Parent::Callers` in a process 1, `EACCES` or `EBUSY` for the group.
pub fn spawn(
    namespaces: Namespaces,
    parent: Parent,
    cgroup: Option<BorrowedFd<'_>>,
    child: impl FnOnce() -> Never,
) -> Result<(Pid, OwnedFd)> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    let mut pidfd: c_int = -1;
    let mut arguments = Arguments {
        flags: u64::from(namespaces.0) | libc::CLONE_PIDFD as u64,
        pidfd: (&raw mut pidfd) as u64,
        ..Arguments::default()
    };
    match parent {
        Parent::Caller => arguments.exit_signal = libc::SIGCHLD as u64,
        Parent::Callers => arguments.flags |= libc::CLONE_PARENT as u64,
    }
    if let Some(group) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = group.as_raw_fd() as u64;
    }
    // SAFETY: `arguments` has the size given, and `pidfd` outlives the call. Without CLONE_VM and with no stack given the child goes on
    // with a copy of this stack, as after fork.
    let pid =
        unsafe { syscall(libc::SYS_clone3, [(&raw const arguments) as usize, size_of::<Arguments>(), 0, 0, 0, 0]) }?;
    match Pid::from_raw(pid as i32) {
        None => {
            child();
            exit(125)
        }
        // SAFETY: the kernel has just put a new descriptor there.
        Some(pid) => Ok((pid, unsafe { OwnedFd::from_raw_fd(pidfd as RawFd) })),
    }
}

/// unshare(2) of namespaces alone, which leaves the descriptor table shared as it is.
///
/// # Errors
/// As unshare(2): `EPERM` without privilege, `ENOSPC` at a limit of namespaces, `EINVAL` for `USER` with several threads.
pub fn unshare(namespaces: Namespaces) -> Result<()> {
    // SAFETY: takes a number; only namespaces change, never memory or descriptors.
    unsafe { syscall(libc::SYS_unshare, [namespaces.0 as usize, 0, 0, 0, 0, 0]) }.map(drop)
}

/// exit_group(2), without running anything of the caller's.
pub fn exit(status: u8) -> ! {
    loop {
        // SAFETY: takes a number and does not return.
        let _ = unsafe { syscall(libc::SYS_exit_group, [usize::from(status), 0, 0, 0, 0, 0]) };
    }
}
