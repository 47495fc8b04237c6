//! What differs between architectures: the system call instruction, the first instructions, copying memory.
//!
//! The memory functions are written in assembly on purpose: a loop in Rust may be turned by the compiler into a call
//! of the very function it is in. They are small, not fast; nothing large is copied.

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("crate kernel: the helper program is not ported to this architecture");

use core::arch::asm;

/// The numbers of the system calls that are made here and nowhere in rustix.
///
/// Source: `asm/unistd_64.h` for x86-64, `asm-generic/unistd.h` for aarch64.
pub(super) mod number {
    #[cfg(target_arch = "x86_64")]
    mod table {
        pub(in crate::start) const MMAP: usize = 9;
        pub(in crate::start) const RT_SIGACTION: usize = 13;
        pub(in crate::start) const RT_SIGPROCMASK: usize = 14;
        pub(in crate::start) const CLONE: usize = 56;
        pub(in crate::start) const EXECVE: usize = 59;
        pub(in crate::start) const KILL: usize = 62;
        pub(in crate::start) const FCNTL: usize = 72;
        pub(in crate::start) const RT_SIGTIMEDWAIT: usize = 128;
        pub(in crate::start) const CLOCK_GETTIME: usize = 228;
        pub(in crate::start) const EXIT_GROUP: usize = 231;
        pub(in crate::start) const DUP3: usize = 292;
    }
    #[cfg(target_arch = "aarch64")]
    mod table {
        pub(in crate::start) const DUP3: usize = 24;
        pub(in crate::start) const FCNTL: usize = 25;
        pub(in crate::start) const EXIT_GROUP: usize = 94;
        pub(in crate::start) const CLOCK_GETTIME: usize = 113;
        pub(in crate::start) const KILL: usize = 129;
        pub(in crate::start) const RT_SIGACTION: usize = 134;
        pub(in crate::start) const RT_SIGPROCMASK: usize = 135;
        pub(in crate::start) const RT_SIGTIMEDWAIT: usize = 137;
        pub(in crate::start) const CLONE: usize = 220;
        pub(in crate::start) const EXECVE: usize = 221;
        pub(in crate::start) const MMAP: usize = 222;
    }
    pub(in crate::start) use table::*;
    /// One number on every architecture.
    pub(in crate::start) const CLOSE_RANGE: usize = 436;
}

/// One system call; the result is negative for an error.
///
/// # Safety
/// As the call itself demands: pointers must be good for what the kernel reads and writes there.
#[inline]
pub unsafe fn syscall(number: usize, arguments: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the kernel's calling convention; rcx and r11 are what `syscall` destroys. The caller answers for the rest.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack, preserves_flags)
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the kernel's calling convention, which keeps all registers but x0. The caller answers for the rest.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") a as isize => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack, preserves_flags)
        );
    }
    result
}

/// Defines `_start`: passes the stack pointer as the kernel set it to `__lodger_entry`.
#[cfg(target_arch = "x86_64")]
#[macro_export]
#[doc(hidden)]
macro_rules! entry_point {
    () => {
        core::arch::global_asm!(
            ".globl _start",
            ".type _start, @function",
            "_start:",
            "xor ebp, ebp",
            "mov rdi, rsp",
            "and rsp, -16",
            "call {entry}",
            "ud2",
            entry = sym __lodger_entry,
        );
    };
}

/// Defines `_start`: passes the stack pointer as the kernel set it to `__lodger_entry`.
#[cfg(target_arch = "aarch64")]
#[macro_export]
#[doc(hidden)]
macro_rules! entry_point {
    () => {
        core::arch::global_asm!(
            ".globl _start",
            ".type _start, %function",
            "_start:",
            "mov x29, xzr",
            "mov x30, xzr",
            "mov x0, sp",
            "bl {entry}",
            "brk #1",
            entry = sym __lodger_entry,
        );
    };
}

/// Defines `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp` and `strlen`.
#[macro_export]
#[doc(hidden)]
macro_rules! memory_functions {
    () => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
            // SAFETY: the caller's promise is the C standard's.
            unsafe { $crate::start::arch::copy_up(to, from, count) };
            to
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
            // Copying upwards is wrong only where the target starts inside the source.
            if (to as usize).wrapping_sub(from as usize) >= count {
                // SAFETY: the caller's promise is the C standard's.
                unsafe { $crate::start::arch::copy_up(to, from, count) };
            } else {
                // SAFETY: the same.
                unsafe { $crate::start::arch::copy_down(to, from, count) };
            }
            to
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
            // SAFETY: the caller's promise is the C standard's.
            unsafe { $crate::start::arch::fill(to, byte as u8, count) };
            to
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
            // SAFETY: the caller's promise is the C standard's.
            unsafe { $crate::start::arch::compare(one, other, count) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
            // SAFETY: the caller's promise is the C standard's.
            unsafe { $crate::start::arch::compare(one, other, count) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn strlen(text: *const u8) -> usize {
            // SAFETY: the caller's promise is the C standard's.
            unsafe { $crate::start::arch::length(text) }
        }
    };
}

/// Copies from the lowest byte to the highest.
///
/// # Safety
/// `from` is readable and `to` writable for `count` bytes, and `to` does not start inside `from`.
#[inline]
pub unsafe fn copy_up(to: *mut u8, from: *const u8, count: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the direction flag is clear by the ABI; the caller vouches for the memory.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags)
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: reads and writes `count` bytes from the given addresses up; the caller vouches for the memory.
    unsafe {
        asm!(
            "cbz {count}, 3f",
            "2:",
            "ldrb {byte:w}, [{from}], #1",
            "strb {byte:w}, [{to}], #1",
            "subs {count}, {count}, #1",
            "b.ne 2b",
            "3:",
            count = inout(reg) count => _, to = inout(reg) to => _, from = inout(reg) from => _, byte = out(reg) _,
            options(nostack)
        );
    }
}

/// Copies from the highest byte to the lowest.
///
/// # Safety
/// `from` is readable and `to` writable for `count` bytes, and `from` does not start inside `to`.
#[inline]
pub unsafe fn copy_down(to: *mut u8, from: *const u8, count: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the direction flag is put back as the ABI wants it. With a count of zero nothing is read or written, so
    // addresses one below the start do no harm. The caller vouches for the memory.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") count => _,
            inout("rdi") to.wrapping_add(count).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(count).wrapping_sub(1) => _,
            options(nostack)
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: reads and writes the `count` bytes below the given ends; the caller vouches for the memory.
    unsafe {
        asm!(
            "cbz {count}, 3f",
            "2:",
            "ldrb {byte:w}, [{from}, #-1]!",
            "strb {byte:w}, [{to}, #-1]!",
            "subs {count}, {count}, #1",
            "b.ne 2b",
            "3:",
            count = inout(reg) count => _,
            to = inout(reg) to.wrapping_add(count) => _,
            from = inout(reg) from.wrapping_add(count) => _,
            byte = out(reg) _,
            options(nostack)
        );
    }
}

/// Writes `byte` `count` times.
///
/// # Safety
/// `to` is writable for `count` bytes.
#[inline]
pub unsafe fn fill(to: *mut u8, byte: u8, count: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the direction flag is clear by the ABI; the caller vouches for the memory.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") count => _, inout("rdi") to => _, in("al") byte,
            options(nostack, preserves_flags)
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: writes `count` bytes from the given address up; the caller vouches for the memory.
    unsafe {
        asm!(
            "cbz {count}, 3f",
            "2:",
            "strb {byte:w}, [{to}], #1",
            "subs {count}, {count}, #1",
            "b.ne 2b",
            "3:",
            count = inout(reg) count => _, to = inout(reg) to => _, byte = in(reg) u32::from(byte),
            options(nostack)
        );
    }
}

/// Less than, equal to or greater than zero, as the first byte that differs says.
///
/// # Safety
/// Both are readable for `count` bytes.
#[inline]
pub unsafe fn compare(one: *const u8, other: *const u8, count: usize) -> i32 {
    for index in 0..count {
        // SAFETY: inside what the caller vouches for. Volatile, so that the loop stays one.
        let (a, b) = unsafe { (one.add(index).read_volatile(), other.add(index).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// How many bytes come before the first zero.
///
/// # Safety
/// `text` is readable up to and including its first zero byte.
#[inline]
pub unsafe fn length(text: *const u8) -> usize {
    let mut count = 0;
    // SAFETY: inside what the caller vouches for. Volatile, so that the loop stays one.
    while unsafe { text.add(count).read_volatile() } != 0 {
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_copied_as_the_standard_says() {
        for (from, to, count) in [(0usize, 5usize, 20usize), (5, 0, 20), (3, 3, 9), (0, 0, 0), (7, 40, 1), (1, 0, 63)] {
            let mut ours: [u8; 64] = core::array::from_fn(|index| index as u8);
            let mut theirs = ours;
            theirs.copy_within(from..from + count, to.min(64 - count));
            let base = ours.as_mut_ptr();
            // SAFETY: both ranges lie in the vector.
            unsafe {
                let (source, target) = (base.add(from), base.add(to.min(64 - count)));
                if (target as usize).wrapping_sub(source as usize) >= count {
                    copy_up(target, source, count);
                } else {
                    copy_down(target, source, count);
                }
            }
            assert_eq!(ours, theirs, "{from} {to} {count}");
        }
    }

    #[test]
    fn memory_is_filled_compared_and_measured() {
        let mut bytes = *b"abcdef\0x";
        // SAFETY: all inside the array.
        unsafe {
            assert_eq!(length(bytes.as_ptr()), 6);
            assert!(compare(b"abc".as_ptr(), b"abd".as_ptr(), 3) < 0);
            assert!(compare(b"a\xff".as_ptr(), b"a\x01".as_ptr(), 2) > 0);
            assert_eq!(compare(b"abc".as_ptr(), b"abd".as_ptr(), 2), 0);
            fill(bytes.as_mut_ptr().add(1), b'.', 3);
            fill(bytes.as_mut_ptr(), b'!', 0);
        }
        assert_eq!(&bytes, b"a...ef\0x");
    }

    #[test]
    fn a_system_call_gets_its_arguments() {
        let mut fds = [-1i32; 2];
        #[cfg(target_arch = "x86_64")]
        let pipe2 = 293;
        #[cfg(target_arch = "aarch64")]
        let pipe2 = 59;
        // SAFETY: pipe2 writes two numbers to `fds`; bad flags are refused.
        unsafe {
            assert_eq!(syscall(pipe2, [fds.as_mut_ptr() as usize, usize::MAX, 0, 0, 0, 0]), -22);
            assert_eq!(syscall(pipe2, [fds.as_mut_ptr() as usize, 0, 0, 0, 0, 0]), 0);
        }
        assert!(fds[0] > 2 && fds[1] > fds[0]);
    }
}
