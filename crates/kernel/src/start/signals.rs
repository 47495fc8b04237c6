//! Signals taken one by one instead of by handlers.
//!
//! [`block`] first; from then on signals wait until [`wait`] takes them, and none can end the process but `SIGKILL`.

use crate::arch::syscall;
use crate::signal::{Set, set_mask};
use rustix::io::Result;
use rustix::process::Pid;

/// `SIGHUP`
pub const HUP: i32 = 1;
/// `SIGINT`
pub const INT: i32 = 2;
/// `SIGTERM`
pub const TERM: i32 = 15;
/// `SIGCHLD`
pub const CHLD: i32 = 17;

/// The size of the kernel's set of 64 signals.
const SET_BYTES: usize = 8;

/// The signals that were blocked before [`block`].
#[derive(Clone, Copy)]
pub struct Mask(Set);

/// Blocks every signal that can be blocked, and makes the kernel keep ended children until they are waited for.
///
/// The latter is the default, but a parent that ignores `SIGCHLD` hands that on.
pub fn block() -> Mask {
    let default = [0usize; 4];
    let arguments = [CHLD as usize, default.as_ptr() as usize, 0, SET_BYTES, 0, 0];
    // SAFETY: reads a sigaction of four words, all zero: the default, no flags, nothing masked.
    let _ = unsafe { syscall(libc::SYS_rt_sigaction, arguments) };
    Mask(set_mask(Set::ALL).unwrap_or_default())
}

/// Puts back what was blocked before, for a child that becomes another program.
pub fn restore(mask: Mask) {
    let _ = set_mask(mask.0);
}

/// Takes the next signal, waiting at most that many milliseconds if a limit is given; `None` = none came.
///
/// Signals must be blocked.
pub fn wait(limit_ms: Option<u64>) -> Option<i32> {
    let set = u64::MAX;
    let limit = limit_ms.map(|ms| [(ms / 1000) as i64, (ms % 1000) as i64 * 1_000_000]);
    let limit_address = limit.as_ref().map_or(0, |limit| limit.as_ptr() as usize);
    let arguments = [&raw const set as usize, 0, limit_address, SET_BYTES, 0, 0];
    // SAFETY: reads a set and a timespec of two 64-bit numbers, writes nothing.
    unsafe { syscall(libc::SYS_rt_sigtimedwait, arguments) }.ok().map(|signal| signal as i32)
}

/// Sends any signal, real-time ones too: kill(2).
pub fn send(pid: Pid, signal: i32) -> Result<()> {
    // SAFETY: takes numbers only.
    unsafe { syscall(libc::SYS_kill, [pid.as_raw_nonzero().get() as usize, signal as usize, 0, 0, 0, 0]) }.map(drop)
}
