//! Quadlet files to and from a `ContainerSpec`. Pure: no I/O.
//!
//! ```text
//! text ──file──► sections of key=value ──form──► items ──option table──► ContainerSpec
//! ```
//!
//! Everything in a file is read before anything is refused, so that all mistakes are reported at once, each with its
//! line and column. Syntax: systemd.syntax(7); keys: podman-systemd.unit(5) and the option table in `spec`.

mod container;
mod diagnostic;
pub mod file;
mod form;
#[cfg(test)]
mod fuzz;

pub use container::{Reload, Unit, WriteError, read_container, write_container};
pub use diagnostic::{Diagnostic, Position};
