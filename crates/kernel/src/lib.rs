//! Thin safe calls that rustix lacks, and kernel probes. The only crate with unsafe code.
//!
//! No standard library, no allocation: everything here may run between clone and execve. What differs between processor
//! architectures is in [`arch`] alone.
#![no_std]

pub mod limit;
pub mod seccomp;
