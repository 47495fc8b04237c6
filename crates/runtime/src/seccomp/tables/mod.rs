//! Numbers of the system calls, one generated file for each architecture.
//!
//! The generator, and how to run it, is `tests/seccomp/tables.rs`. The names and numbers are those of the headers of Linux 7.2
//! (Debian's linux-libc-dev 7.2.13), whose numbers never change once released.

pub(super) mod aarch64;
pub(super) mod arm;
pub(super) mod i386;
pub(super) mod x32;
pub(super) mod x86_64;
