//! The helper processes' program, carried inside this one and run from memory.
//!
//! Its source and what each helper takes are in crate `init`, `src/bin/helper`. Run from memory, it needs no file that
//! could be missing, replaced or on a file system mounted `noexec`, and none of the container's mounts.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

/// The program, a static ELF file for the target.
static PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lodger-helper"));

/// A new sealed file in memory with the program, closed on execve, to be run by `execveat(fd, "", …, AT_EMPTY_PATH)`.
///
/// The first word of its arguments chooses the helper: `keeper`, `init`, `relay` or `supervise`. Each call makes a file
/// of its own, whose pages live as long as a process that runs it.
///
/// # Errors
/// Those of memfd_create(2): no memory or descriptors left, or `EACCES` where the administrator forbids running
/// programs from memory (sysctl `vm.memfd_noexec` = 2).
pub fn memfd() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = match memfd_create(c"lodger-helper", flags | MemfdFlags::EXEC) {
        // Before Linux 6.3 there is no such flag, and every such file can be run.
        Err(Errno::INVAL) => memfd_create(c"lodger-helper", flags)?,
        other => other?,
    };
    let mut file = File::from(fd);
    file.write_all(PROGRAM)?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}
