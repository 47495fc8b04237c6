//! Signals as a descriptor, the mask, and putting dispositions back. Linux numbers; 1 … 64.

use crate::arch::syscall;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::Result;

/// A set of signals, as the kernel's `sigset_t`: bit *n* - 1 is signal *n*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u64);

impl Set {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// All; `SIGKILL` and `SIGSTOP` in it are ignored by the kernel.
    pub const ALL: Self = Self(u64::MAX);

    /// This set without `signal`.
    #[must_use]
    pub const fn without(self, signal: i32) -> Self {
        Self(self.0 & !(1 << (signal - 1)))
    }

    /// This set with `signal`.
    #[must_use]
    pub const fn with(self, signal: i32) -> Self {
        Self(self.0 | 1 << (signal - 1))
    }
}

/// Replaces the calling thread's mask and returns the one before: rt_sigprocmask(2).
///
/// # Errors
/// None that the kernel documents for these arguments.
pub fn set_mask(mask: Set) -> Result<Set> {
    const SIG_SETMASK: usize = 2;
    let mut before = 0u64;
    let new = (&raw const mask.0) as usize;
    // SAFETY: both sets have the size given and outlive the call.
    unsafe {
        syscall(libc::SYS_rt_sigprocmask, [SIG_SETMASK, new, (&raw mut before) as usize, size_of::<u64>(), 0, 0])
    }?;
    Ok(Set(before))
}

/// Number of the signal that a write into a pipe without readers sends: signal(7).
pub const PIPE: i32 = libc::SIGPIPE;

/// Ignores a signal: rt_sigaction(2).
///
/// # Errors
/// `EINVAL` for a number that is no signal, and for SIGKILL and SIGSTOP.
pub fn ignore(signal: i32) -> Result<()> {
    /// `struct sigaction` of the kernel with `SIG_IGN` as its handler; on both architectures no longer than this.
    const IGNORE: [u64; 4] = [libc::SIG_IGN as u64, 0, 0, 0];
    // SAFETY: `IGNORE` is read as a sigaction without handler.
    unsafe { syscall(libc::SYS_rt_sigaction, [signal as usize, IGNORE.as_ptr() as usize, 0, size_of::<u64>(), 0, 0]) }
        .map(drop)
}

/// Sets every signal to its default disposition: what execve does with handlers, but not with signals that are ignored.
///
/// Only for a process that is about to execute another program.
pub fn default_all() {
    /// `struct sigaction` of the kernel: handler 0 = default, on both architectures no longer than this.
    const DEFAULT: [u64; 4] = [0; 4];
    for signal in 1..=64usize {
        // SAFETY: `DEFAULT` is read as a sigaction without handler; SIGKILL and SIGSTOP are refused without harm.
        let _ =
            unsafe { syscall(libc::SYS_rt_sigaction, [signal, DEFAULT.as_ptr() as usize, 0, size_of::<u64>(), 0, 0]) };
    }
}

/// A descriptor on which the signals of `set`, which the caller has blocked, can be read as [`Event`]s: signalfd(2). Not blocking, closed on exec.
///
/// # Errors
/// As signalfd(2).
pub fn descriptor(set: Set) -> Result<OwnedFd> {
    let flags = (libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) as usize;
    // SAFETY: the set has the size given and outlives the call.
    let fd = unsafe {
        syscall(libc::SYS_signalfd4, [usize::MAX, (&raw const set.0) as usize, size_of::<u64>(), flags, 0, 0])
    }?;
    // SAFETY: a new descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Reads one signal's number from such a descriptor, `None` when none is pending.
///
/// # Errors
/// As read(2).
pub fn read(descriptor: &OwnedFd) -> Result<Option<i32>> {
    let mut event = [0u8; size_of::<libc::signalfd_siginfo>()];
    match rustix::io::read(descriptor, &mut event) {
        Ok(_) => Ok(Some(i32::from_ne_bytes([event[0], event[1], event[2], event[3]]))),
        Err(rustix::io::Errno::AGAIN) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Sends any signal, real-time ones included, to the process of a pidfd: pidfd_send_signal(2).
///
/// # Errors
/// `ESRCH` when it has ended, `EINVAL` for a number that is no signal, `EPERM`.
pub fn send(process: BorrowedFd<'_>, signal: i32) -> Result<()> {
    let fd = process.as_raw_fd() as usize;
    // SAFETY: takes numbers and a null pointer.
    unsafe { syscall(libc::SYS_pidfd_send_signal, [fd, signal as usize, 0, 0, 0, 0]) }.map(drop)
}
