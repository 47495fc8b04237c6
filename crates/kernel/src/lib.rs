//! Thin safe calls that rustix lacks, and kernel probes. The only crate with unsafe code.
//!
//! No standard library, no allocation: everything here may run between clone and execve. What differs between processor
//! architectures is in `arch` alone.
#![no_std]

mod arch;
pub mod clone;
pub mod descriptor;

pub mod execute;
pub mod limit;
pub mod mount;
pub mod program;
pub mod seccomp;
pub mod session;
pub mod signal;
#[cfg(feature = "start")]
pub mod start;
