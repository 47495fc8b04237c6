//! Rootless networking: published ports, pasta, `resolv.conf` and `hosts`.
//!
//! ```text
//! spec::network ──ports::resolve──► [Mapping] ──pasta::Plan──► arguments ──pasta::start──► one process
//!                                       │
//!                              ports::check (who has the port?)
//! the host's files ──resolv::render, hosts::render──► the container's files
//! ```
//!
//! What must stay true: rendering and planning are pure, what they need of the host is given to them; only
//! [`pasta::start`], [`pasta::Abilities`], [`ports::check`] and [`addresses`] look at the machine.

pub mod addresses;
mod error;
#[cfg(test)]
mod fuzz;
pub mod hosts;
pub mod pasta;
pub mod ports;
pub mod resolv;

pub use error::{Error, Kind, Operation, Source};
