//! Descriptors by number: what a process hands to the program it executes.

use crate::arch::syscall;
use rustix::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::Result;

/// Puts a copy of `fd` under `number`, to be kept over execve: dup3(2).
///
/// Whatever had that number is closed; no value of the program may own it and be used afterwards. `number` differs from `fd`'s own.
///
/// # Errors
/// As dup3(2): `EINVAL` for the same number, `EBADF` for one above the limit.
pub fn duplicate_to(fd: BorrowedFd<'_>, number: u32) -> Result<()> {
    // SAFETY: takes numbers only.
    unsafe { syscall(libc::SYS_dup3, [fd.as_raw_fd() as usize, number as usize, 0, 0, 0, 0]) }.map(drop)
}

/// A copy, closed on execve, of whatever has this number: fcntl(2).
///
/// # Errors
/// `EBADF` when nothing has it, `EMFILE` when there is no number left.
pub fn copy(number: u32) -> Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let copy = unsafe { syscall(libc::SYS_fcntl, [number as usize, libc::F_DUPFD_CLOEXEC as usize, 3, 0, 0, 0]) }?;
    // SAFETY: the kernel has just made it, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
}

/// Closes every descriptor from `first` to `last`: close_range(2), Linux 5.9.
///
/// None of them may be used by a value of the program afterwards.
///
/// # Errors
/// As close_range(2): `EINVAL` when `first` is above `last`.
pub fn close_range(first: u32, last: u32) -> Result<()> {
    // SAFETY: takes numbers only.
    unsafe { syscall(libc::SYS_close_range, [first as usize, last as usize, 0, 0, 0, 0]) }.map(drop)
}
