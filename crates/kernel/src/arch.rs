//! What differs between processor architectures: the system call instruction. The numbers come from crate `libc`, which has a table for
//! each.

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("crate kernel is not ported to this architecture");

use core::arch::asm;
use rustix::io::{Errno, Result};

/// One system call; the result is negative for an error.
///
/// # Safety
/// As the call itself demands: pointers must be good for what the kernel reads and writes there.
#[inline]
pub(crate) unsafe fn syscall(number: libc::c_long, arguments: [usize; 6]) -> Result<usize> {
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
            in("x8") number as usize,
            inlateout("x0") a as isize => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack, preserves_flags)
        );
    }
    // The kernel's errors are -1 to -4095; everything else is a result.
    if (-4095..0).contains(&result) { Err(Errno::from_raw_os_error(-result as i32)) } else { Ok(result as usize) }
}
