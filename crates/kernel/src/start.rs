//! A program without a C library: entry, arguments, and the calls that only such a program may make.
//!
//! For the helper processes (crate `init`, binary `lodger-helper`), never for a program that has a C library: `fork`
//! and the signal calls here know nothing of threads, locks or handlers that a library keeps. What must stay true is
//! that the program has one thread. [`entry!`] makes the program; everything else is called from within it.
//!
//! ```text
//! start            the macro, descriptors, memory, clocks
//! start::arch      what differs between architectures: the first instructions, copying memory
//! start::process   arguments, environment, fork, execve
//! start::signals   block, wait, send
//! ```

pub mod arch;
pub mod process;
pub mod signals;

use crate::arch::syscall;
use rustix::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::{Result, fcntl_setfd};

pub use crate::descriptor::close_range;
pub use process::{Arguments, Environment, Fork, Words, exec, fork};

/// Makes a program of `fn(Arguments) -> i32`; its result is the exit status.
///
/// Defines `_start`, the panic handler (status 125, no message) and the memory functions that the compiler calls. Used
/// once, in a `no_std`, `no_main` binary linked with `-nostartfiles -static`.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        $crate::entry_point!();
        $crate::memory_functions!();

        #[unsafe(no_mangle)]
        unsafe extern "C" fn __lodger_entry(stack: *const usize) -> ! {
            let main: fn($crate::start::Arguments) -> i32 = $main;
            // SAFETY: `_start` passes the stack pointer that the kernel set, once.
            let arguments = unsafe { $crate::start::Arguments::from_stack(stack) };
            $crate::start::exit(main(arguments))
        }

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            $crate::start::exit(125)
        }
    };
}

/// Ends the process: exit_group(2).
pub fn exit(status: i32) -> ! {
    // SAFETY: takes a number and does not return.
    let _ = unsafe { syscall(libc::SYS_exit_group, [status as usize, 0, 0, 0, 0, 0]) };
    loop {
        core::hint::spin_loop();
    }
}

/// Takes a descriptor that the parent left open under this number; `None` where there is none.
///
/// To be asked once for each number: the result closes it.
pub fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: takes numbers only.
    unsafe { syscall(libc::SYS_fcntl, [number as usize, libc::F_GETFD as usize, 0, 0, 0, 0]) }.ok()?;
    // SAFETY: it is open, and nothing in this program owns what it was started with.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Puts a copy of `fd` under `number`, to be kept over `execve`; `fd` itself if that is its number.
///
/// # Errors
/// As dup3(2).
pub fn duplicate_to(fd: BorrowedFd<'_>, number: u32) -> Result<()> {
    use rustix::fd::AsRawFd;
    match fd.as_raw_fd() as u32 == number {
        true => fcntl_setfd(fd, rustix::io::FdFlags::empty()),
        false => crate::descriptor::duplicate_to(fd, number),
    }
}

/// Zeroed memory that costs nothing until it is written, for the life of the program: mmap(2).
pub fn zeroed(length: usize) -> Result<&'static mut [u8]> {
    let address = map(length)?;
    // SAFETY: a new private mapping of that length, readable and writable, that nothing else points to.
    Ok(unsafe { core::slice::from_raw_parts_mut(address as *mut u8, length) })
}

/// A new private anonymous mapping, readable and writable.
fn map(length: usize) -> Result<usize> {
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize;
    // SAFETY: without a fixed address, mmap cannot touch what is already mapped.
    unsafe { syscall(libc::SYS_mmap, [0, length, protection, flags, usize::MAX, 0]) }
}

/// Seconds and nanoseconds since the epoch.
pub fn realtime() -> (u64, u32) {
    clock(libc::CLOCK_REALTIME)
}

/// Milliseconds on a clock that nobody sets.
pub fn monotonic_ms() -> u64 {
    let (seconds, nanoseconds) = clock(libc::CLOCK_MONOTONIC);
    seconds * 1000 + u64::from(nanoseconds / 1_000_000)
}

/// clock_gettime(2); zero if the kernel lacks the clock, which it does not for these two.
fn clock(id: libc::clockid_t) -> (u64, u32) {
    let mut time = [0i64; 2];
    // SAFETY: a timespec of two 64-bit numbers is written to `time`.
    let _ = unsafe { syscall(libc::SYS_clock_gettime, [id as usize, time.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    (time[0].max(0) as u64, time[1].clamp(0, 999_999_999) as u32)
}
