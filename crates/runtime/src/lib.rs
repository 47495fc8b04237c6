//! Plan to ops to a live process; exec, signals, wait; the seccomp compiler.
//!
//! ```text
//! Plan ──compile──► Program ──spawn──► Spawned ──release──► Running ──attend / wait──► Exit
//! ```
//!
//! The caller has one thread, and has called [`userns::enter`] (unless it is root without a user namespace) and
//! [`userns::private_mounts`] before it opens anything that a plan mounts.

pub mod beside;
pub mod capability;
pub mod compile;
mod detached;
mod error;
pub mod exec;
mod exit;
pub mod foreground;
#[cfg(test)]
mod fuzz;
pub mod helper;
pub mod plan;
mod prepare;
pub mod process;
pub mod rootfs;
pub mod seccomp;
pub mod spawn;
pub mod userns;
pub mod users;

pub use compile::{Program, compile};
pub use error::{Error, Kind};
pub use exec::{Container, ExecPlan};
pub use exit::Exit;
pub use plan::{GuestPath, Plan};
pub use process::ProcessId;
pub use rootfs::Rootfs;
pub use spawn::{Running, Spawned, spawn};
