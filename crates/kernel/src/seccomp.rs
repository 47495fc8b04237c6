//! Loading a seccomp filter into the calling thread.
//!
//! A filter can never be taken off again, and everything the thread starts later inherits it. Nothing here allocates, so that it
//! may run between clone and execve.
//!
//! See seccomp(2) and `include/uapi/linux/filter.h`.

use core::ops::BitOr;

use rustix::io::Errno;

/// One classic BPF instruction, laid out as the kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Insn {
    /// Operation: class, size, mode, source.
    pub code: u16,
    /// Instructions to skip when a conditional jump is taken.
    pub jt: u8,
    /// Instructions to skip when it is not taken.
    pub jf: u8,
    /// The constant of the operation.
    pub k: u32,
}

const _: () = assert!(
    size_of::<Insn>() == size_of::<libc::sock_filter>() && align_of::<Insn>() == align_of::<libc::sock_filter>()
);

/// Flags of `SECCOMP_SET_MODE_FILTER` that need no listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// `SECCOMP_FILTER_FLAG_TSYNC`: every thread of the process gets the filter.
    pub const TSYNC: Self = Self(1);
    /// `SECCOMP_FILTER_FLAG_LOG`: log every action but `ALLOW`, as far as `actions_logged` permits.
    pub const LOG: Self = Self(1 << 1);
    /// `SECCOMP_FILTER_FLAG_SPEC_ALLOW`: no speculative store bypass mitigation because of the filter.
    pub const SPEC_ALLOW: Self = Self(1 << 2);

    /// The bits as the kernel takes them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `seccomp(SECCOMP_SET_MODE_FILTER, flags, program)` for the calling thread.
///
/// The caller has `no_new_privs` set, or `CAP_SYS_ADMIN` in its user namespace.
///
/// # Errors
///
/// `EACCES` without either of those, `EINVAL` for a program the kernel's checker refuses (which includes an empty one and one of
/// more than 4096 instructions) or a flag it does not know, `ENOMEM` when all filters of the thread together grow too long,
/// `ESRCH` when `TSYNC` found a thread with another filter.
pub fn load(program: &[Insn], flags: Flags) -> Result<(), Errno> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let argument = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `argument` and the instructions it points at live until the call returns, `len` is their number, `Insn` has the
    // layout of `sock_filter` (asserted above), and the kernel copies them without writing.
    #[allow(unsafe_code)]
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            libc::c_ulong::from(flags.bits()),
            &raw const argument,
        )
    };
    match result {
        0 => Ok(()),
        // With TSYNC a positive number is the thread that could not be brought in line.
        thread if thread > 0 => Err(Errno::SRCH),
        // SAFETY: errno is always readable in the calling thread.
        #[allow(unsafe_code)]
        _ => Err(Errno::from_raw_os_error(unsafe { *libc::__errno_location() })),
    }
}
