//! execve(2) and execveat(2) with vectors that were made before.

use crate::arch::syscall;
use core::ffi::{CStr, c_char};
use core::fmt;
use core::marker::PhantomData;
use core::ptr;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::{Errno, Result};

/// One entry of an argument or environment vector: a string, or the end.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Word<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> Word<'a> {
    /// The end of a vector.
    pub const END: Self = Self(ptr::null(), PhantomData);

    /// A string.
    #[must_use]
    pub const fn new(text: &'a CStr) -> Self {
        Self(text.as_ptr(), PhantomData)
    }

    /// The string, unless it is the end.
    #[must_use]
    pub fn text(self) -> Option<&'a CStr> {
        // SAFETY: not null, so it was made of a `&'a CStr`.
        (!self.0.is_null()).then(|| unsafe { CStr::from_ptr(self.0) })
    }
}

impl fmt::Debug for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Replaces the program by the one at `path`; returns only on failure, with `EINVAL` when a vector does not close with [`Word::END`].
#[must_use]
pub fn path(path: &CStr, argv: &[Word<'_>], envp: &[Word<'_>]) -> Errno {
    if !closed(argv) || !closed(envp) {
        return Errno::INVAL;
    }
    // SAFETY: three strings or vectors of strings, each closed by a zero, that live until the call fails.
    let result = unsafe {
        syscall(libc::SYS_execve, [path.as_ptr() as usize, argv.as_ptr() as usize, envp.as_ptr() as usize, 0, 0, 0])
    };
    failed(result)
}

/// As [`path`], for the program that `file` is open on.
#[must_use]
pub fn descriptor(file: BorrowedFd<'_>, argv: &[Word<'_>], envp: &[Word<'_>]) -> Errno {
    if !closed(argv) || !closed(envp) {
        return Errno::INVAL;
    }
    let fd = file.as_raw_fd() as usize;
    let empty = c"".as_ptr() as usize;
    // SAFETY: as in `path`.
    let result = unsafe {
        syscall(
            libc::SYS_execveat,
            [fd, empty, argv.as_ptr() as usize, envp.as_ptr() as usize, libc::AT_EMPTY_PATH as usize, 0],
        )
    };
    failed(result)
}

fn closed(vector: &[Word<'_>]) -> bool {
    vector.last().is_some_and(|word| word.0.is_null())
}

fn failed(result: Result<usize>) -> Errno {
    match result {
        Err(errno) => errno,
        // The kernel does not return from a successful execve.
        Ok(_) => Errno::INVAL,
    }
}
