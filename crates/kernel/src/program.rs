//! The first function of an ordinary program, without what Rust's runtime does before it.
//!
//! That is a fifth of a millisecond in each start, most of it spent on reading `/proc/self/maps` for the message that a
//! stack overflow prints (the guard page itself is the kernel's). What else it does is done here: standard streams that
//! the caller closed are opened, or the first file that a program opens would become its output, and SIGPIPE is ignored,
//! so that a closed pipe is an error of the write. For the GNU C library alone: elsewhere `std::env::args` needs
//! the runtime.

use rustix::fd::{BorrowedFd, IntoRawFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, fcntl_getfd};

/// Defines `main`, which calls a `fn() -> u8` and returns its number. The file needs `#![no_main]`.
#[macro_export]
macro_rules! main {
    ($function:path) => {
        // SAFETY: the C library calls this symbol, once, as `int main(int, char **)`, and gives more arguments than are taken.
        #[unsafe(no_mangle)]
        extern "C" fn main() -> core::ffi::c_int {
            $crate::program::prepare();
            let function: fn() -> u8 = $function;
            core::ffi::c_int::from(function())
        }
    };
}

/// What Rust's runtime does for a program that begins without it. Called by [`main!`](crate::main!).
pub fn prepare() {
    open_standard_streams();
    // Nothing to do about a kernel that refuses: it never does, for a valid signal.
    let _ = crate::signal::ignore(crate::signal::PIPE);
}

/// Opens `/dev/null` in place of standard streams that are closed, the lowest first: open(2) takes the lowest number.
fn open_standard_streams() {
    for number in 0..=2 {
        // SAFETY: the descriptor is asked about and not used, so it may be closed.
        let stream = unsafe { BorrowedFd::borrow_raw(number) };
        if fcntl_getfd(stream) == Err(Errno::BADF) {
            // Without `/dev/null` there is nothing that could be put there.
            if let Ok(null) = open(c"/dev/null", OFlags::RDWR, Mode::empty()) {
                let _ = null.into_raw_fd();
            }
        }
    }
}
