//! A program without a C library: entry, arguments, and the calls that only such a program may make.
//!
//! For the helper processes (crate `init`, binary `lodger-helper`), never for a program that has a C library: `fork`
//! and the signal calls here know nothing of threads, locks or handlers that a library keeps. What must stay true is
//! that the program has one thread. [`entry!`] makes the program; everything else is called from within it.
//!
//! ```text
//! start            the macro, descriptors, memory, clocks
//! start::arch      what differs between architectures: system calls, the first instructions, copying
//! start::process   arguments, environment, fork, execve
//! start::signals   block, wait, send
//! ```

pub mod arch;
pub mod process;
pub mod signals;

use arch::{number, syscall};
use rustix::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::{Errno, Result};

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
    unsafe { syscall(number::EXIT_GROUP, [status as usize, 0, 0, 0, 0, 0]) };
    loop {
        core::hint::spin_loop();
    }
}

fn check(result: isize) -> Result<usize> {
    if (-4095..0).contains(&result) { Err(Errno::from_raw_os_error(-result as i32)) } else { Ok(result as usize) }
}

/// Takes a descriptor that the parent left open under this number; `None` where there is none.
///
/// To be asked once for each number: the result closes it.
pub fn inherited(number: RawFd) -> Option<OwnedFd> {
    const F_GETFD: usize = 1;
    // SAFETY: takes numbers only.
    check(unsafe { syscall(number::FCNTL, [number as usize, F_GETFD, 0, 0, 0, 0]) }).ok()?;
    // SAFETY: it is open, and nothing in this program owns what it was started with.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Closes every descriptor from `first` to `last`: close_range(2), Linux 5.9.
///
/// None of them may still be owned by a value of the program.
pub fn close_range(first: u32, last: u32) -> Result<()> {
    // SAFETY: takes numbers only.
    check(unsafe { syscall(number::CLOSE_RANGE, [first as usize, last as usize, 0, 0, 0, 0]) }).map(drop)
}

/// Puts a copy of `fd` under `number`, to be kept over `execve`: dup3(2).
pub fn duplicate_to(fd: BorrowedFd<'_>, number: RawFd) -> Result<()> {
    use rustix::fd::AsRawFd;
    if fd.as_raw_fd() == number {
        return rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty());
    }
    // SAFETY: takes numbers only.
    check(unsafe { syscall(number::DUP3, [fd.as_raw_fd() as usize, number as usize, 0, 0, 0, 0]) }).map(drop)
}

/// Zeroed memory that costs nothing until it is written, for the life of the program: mmap(2).
pub fn zeroed(length: usize) -> Result<&'static mut [u8]> {
    let address = map(length)?;
    // SAFETY: a new private mapping of that length, readable and writable, that nothing else points to.
    Ok(unsafe { core::slice::from_raw_parts_mut(address as *mut u8, length) })
}

/// A new private anonymous mapping, readable and writable.
fn map(length: usize) -> Result<usize> {
    const READ_WRITE: usize = 3;
    const PRIVATE_ANONYMOUS: usize = 0x22;
    // SAFETY: without a fixed address, mmap cannot touch what is already mapped.
    check(unsafe { syscall(number::MMAP, [0, length, READ_WRITE, PRIVATE_ANONYMOUS, usize::MAX, 0]) })
}

/// Seconds and nanoseconds since the epoch.
pub fn realtime() -> (u64, u32) {
    clock(0)
}

/// Milliseconds on a clock that nobody sets.
pub fn monotonic_ms() -> u64 {
    let (seconds, nanoseconds) = clock(1);
    seconds * 1000 + u64::from(nanoseconds / 1_000_000)
}

/// clock_gettime(2); zero if the kernel lacks the clock, which it does not for these two.
fn clock(id: usize) -> (u64, u32) {
    let mut time = [0i64; 2];
    // SAFETY: a timespec of two 64-bit numbers is written to `time`.
    unsafe { syscall(number::CLOCK_GETTIME, [id, time.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    (time[0].max(0) as u64, time[1].clamp(0, 999_999_999) as u32)
}
