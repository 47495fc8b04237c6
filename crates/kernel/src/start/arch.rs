//! What differs between architectures in a program without a C library: the first instructions, copying memory.
//!
//! The memory functions are written in assembly on purpose: a loop in Rust may be turned by the compiler into a call
//! of the very function it is in. They are small, not fast; nothing large is copied.

use core::arch::asm;

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
}
