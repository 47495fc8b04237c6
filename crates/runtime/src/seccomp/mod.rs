//! The seccomp compiler: from podman's and docker's profile JSON to a program for the kernel.
//!
//! ```text
//! JSON ── document ── profile ──┬── precedence ── compile ── assembler ── program
//!                     context ──┘   which rule decides    numbers → tree   backwards    bytes, listing
//! ```
//!
//! What must stay true: a program decides every system call of every architecture exactly as the one libseccomp makes of the same
//! profile does (`tests/seccomp/equivalence.rs` compares the two), and compiling never costs a start of a container more than a
//! few hundred microseconds. Why this is not libseccomp: `docs/design/0003-seccomp.md`.
//!
//! A profile is outside input. Nothing here panics or allocates without bound on any bytes.

mod abi;
mod action;
mod assembler;
mod compile;
mod condition;
mod default;
mod document;
mod errno;
mod error;
mod kernel_version;
mod precedence;
mod profile;
mod program;
mod tables;

pub use kernel::seccomp::{Flags, Insn};

pub use abi::{Abi, Machine};
pub use action::Action;
pub use compile::compile;
pub use default::{default_profile, default_program};
pub use error::{Error, ErrorKind};
pub use kernel_version::KernelVersion;
pub use profile::{Context, MAX_BYTES, Profile};
pub use program::{MAX_INSTRUCTIONS, Program};

/// A profile of a user's: read, understood and compiled. Also the entry for fuzzing.
///
/// # Errors
///
/// Those of [`Profile::parse`] and [`compile`].
pub fn parse_and_compile(json: &[u8], context: &Context) -> Result<Program, Error> {
    compile(&Profile::parse(json)?, context)
}
