//! What a process inherits from its session and the kernel beyond descriptors: keyring, host name, loopback device, limits.

use crate::arch::syscall;
use crate::limit::Resource;
use core::ffi::CStr;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Result;

/// Gives the calling process a session keyring: a new one, or with a name the one of that name, made when missing. See keyctl(2).
///
/// # Errors
/// `EDQUOT` at the user's limit of keys, `ENOSYS` in a kernel without keys.
pub fn join_keyring(name: Option<&CStr>) -> Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: usize = 1;
    let name = name.map_or(0, |name| name.as_ptr() as usize);
    // SAFETY: the name is null or a string that outlives the call.
    unsafe { syscall(libc::SYS_keyctl, [KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0, 0]) }.map(drop)
}

/// Sets the kernel that the calling process takes itself to run on, for all that it executes: personality(2).
///
/// # Errors
/// `EINVAL` for one that the kernel cannot be.
pub fn personality(persona: u32) -> Result<()> {
    // SAFETY: a number is all that the call takes.
    unsafe { syscall(libc::SYS_personality, [persona as usize, 0, 0, 0, 0, 0]) }.map(drop)
}

/// Sets a resource limit of the calling process: prlimit(2). `u64::MAX` = unlimited.
///
/// # Errors
/// `EPERM` for a hard limit above the present one, `EINVAL` for a soft limit above the hard one.
pub fn limit(resource: Resource, soft: u64, hard: u64) -> Result<()> {
    let limits = [soft, hard];
    // SAFETY: two 64-bit numbers are read, as `struct rlimit64`.
    unsafe { syscall(libc::SYS_prlimit64, [0, resource as usize, limits.as_ptr() as usize, 0, 0, 0]) }.map(drop)
}

/// Reads a resource limit of the calling process: (soft, hard).
///
/// # Errors
/// None that the kernel documents for these arguments.
pub fn current_limit(resource: Resource) -> Result<(u64, u64)> {
    let mut limits = [0u64; 2];
    // SAFETY: two 64-bit numbers are written.
    unsafe { syscall(libc::SYS_prlimit64, [0, resource as usize, 0, limits.as_mut_ptr() as usize, 0, 0]) }?;
    Ok((limits[0], limits[1]))
}

/// Who makes files from now on: setfsuid(2), setfsgid(2). Whoever is not 0 has no capability over files meanwhile.
pub fn set_file_owner(uid: u32, gid: u32) {
    // SAFETY: numbers alone; the calls cannot fail, and refuse in silence.
    unsafe {
        let _ = syscall(libc::SYS_setfsgid, [gid as usize, 0, 0, 0, 0, 0]);
        let _ = syscall(libc::SYS_setfsuid, [uid as usize, 0, 0, 0, 0, 0]);
    }
}

/// Brings up the loopback device of the calling process's network namespace. See netdevice(7).
///
/// # Errors
/// As socket(2) and ioctl(2).
pub fn loopback_up() -> Result<()> {
    /// `struct ifreq` with its `ifr_flags`.
    #[repr(C)]
    struct Request {
        name: [u8; libc::IFNAMSIZ],
        flags: u16,
        rest: [u8; 22],
    }
    let mut request =
        Request { name: [0; libc::IFNAMSIZ], flags: (libc::IFF_UP | libc::IFF_RUNNING) as u16, rest: [0; 22] };
    request.name[..2].copy_from_slice(b"lo");
    let socket: OwnedFd = rustix::net::socket_with(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    let fd = socket.as_raw_fd() as usize;
    // SAFETY: `request` is a whole `struct ifreq`, which SIOCSIFFLAGS reads.
    unsafe { syscall(libc::SYS_ioctl, [fd, libc::SIOCSIFFLAGS as usize, (&raw const request) as usize, 0, 0, 0]) }
        .map(drop)
}

/// The calling process's working directory into `buffer`, with its zero byte: getcwd(2) without the C library, so that a directory outside
/// of the root shows as `(unreachable)…`.
///
/// # Errors
/// `ERANGE` when it is longer than the buffer, `ENOENT` when it was removed.
pub fn working_directory(buffer: &mut [u8]) -> Result<&CStr> {
    // SAFETY: the kernel writes at most the length given.
    unsafe { syscall(libc::SYS_getcwd, [buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0, 0]) }?;
    CStr::from_bytes_until_nul(buffer).map_err(|_| rustix::io::Errno::RANGE)
}
