//! Finding host ports that nobody has.

use super::check::probe;
use spec::network::Protocol;
use std::net::IpAddr;

/// Who knows which host ports are free. An address that is absent means all of the host's.
pub trait Host {
    /// A port that is free now; `None` if there is none.
    fn free(&mut self, address: Option<IpAddr>, protocol: Protocol) -> Option<u16>;

    /// Whether this one is.
    fn is_free(&mut self, address: Option<IpAddr>, port: u16, protocol: Protocol) -> bool;
}

/// This machine, as the calling process's network namespace shows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Host for Machine {
    fn free(&mut self, address: Option<IpAddr>, protocol: Protocol) -> Option<u16> {
        probe(address, 0, protocol).ok()
    }

    fn is_free(&mut self, address: Option<IpAddr>, port: u16, protocol: Protocol) -> bool {
        probe(address, port, protocol).is_ok()
    }
}
