//! From `--publish` to ports that are there: ranges matched, free ports chosen, conflicts found; and who may have them.

mod check;
mod free;

pub use check::check;
pub use free::{Host, Machine};

use crate::error::{Error, Kind, Operation};
use serde::{Deserialize, Serialize};
use spec::network::{PortRange, Protocol, Publish};
use std::fmt;
use std::net::IpAddr;

/// Host ports that lead to container ports, one to one and in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The host's address; absent = all of them, IPv4 and IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// On the host.
    pub host: PortRange,
    /// In the container; as many.
    pub container: PortRange,
    /// tcp or udp.
    pub protocol: Protocol,
}

impl Mapping {
    /// Pairs of host and container port.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, u16)> {
        (self.host.first..=self.host.last).zip(self.container.first..=self.container.last)
    }

    /// Where this and `other` meet on the host: the first port that both have, on an address that both have.
    fn overlap(&self, other: &Self) -> Option<u16> {
        let first = self.host.first.max(other.host.first);
        let meet = self.protocol == other.protocol
            && first <= self.host.last.min(other.host.last)
            && addresses_meet(self.address, other.address);
        meet.then_some(first)
    }

    /// The container port that a host port leads to.
    fn target(&self, host: u16) -> u16 {
        self.container.first + (host - self.host.first)
    }
}

impl fmt::Display for Mapping {
    /// As podman's `ps` shows it: `127.0.0.1:8080->80/tcp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Some(IpAddr::V4(address)) => write!(f, "{address}")?,
            None => f.write_str("0.0.0.0")?,
        }
        write!(f, ":{}->{}/{}", self.host, self.container, self.protocol)
    }
}

/// `127.0.0.1:8080/tcp`, `[::1]:53/udp`, `8080/tcp`.
pub(crate) fn subject(address: Option<IpAddr>, port: impl fmt::Display, protocol: Protocol) -> String {
    match address {
        Some(IpAddr::V6(address)) => format!("[{address}]:{port}/{protocol}"),
        Some(IpAddr::V4(address)) => format!("{address}:{port}/{protocol}"),
        None => format!("{port}/{protocol}"),
    }
}

/// Whether sockets on these addresses would have one in common.
fn addresses_meet(one: Option<IpAddr>, other: Option<IpAddr>) -> bool {
    match (one, other) {
        (None, _) | (_, None) => true,
        (Some(one), Some(other)) => {
            one == other || one.is_ipv4() == other.is_ipv4() && (one.is_unspecified() || other.is_unspecified())
        }
    }
}

/// Gives every published port its host port.
///
/// Ranges on both sides must be of one length; a single container port with a range of host ports takes the first that
/// is free; ports without a host port get a free one each. What is said twice counts once.
///
/// # Errors
/// [`Kind::RangeMismatch`], [`Kind::UnsupportedProtocol`], [`Kind::Conflict`], [`Kind::NoFreePort`].
pub fn resolve(published: &[Publish], host: &mut impl Host) -> Result<Vec<Mapping>, Error> {
    let mut mappings: Vec<Mapping> = Vec::new();
    // What names its host port goes first, so that a chosen one does not take it away.
    let (fixed, open): (Vec<&Publish>, Vec<&Publish>) = published.iter().partition(|publish| is_fixed(publish));
    for publish in fixed {
        supported(publish)?;
        if let Some(host) = publish.host {
            add(&mut mappings, fixed_mapping(publish, host)?)?;
        }
    }
    for publish in open {
        supported(publish)?;
        for container in publish.container.first..=publish.container.last {
            let port = free_port(publish, &mappings, host)?;
            let single = |port| PortRange { first: port, last: port };
            mappings.push(Mapping {
                address: publish.address,
                host: single(port),
                container: single(container),
                protocol: publish.protocol,
            });
        }
    }
    Ok(mappings)
}

/// Whether the host ports are said, rather than to be chosen.
fn is_fixed(publish: &Publish) -> bool {
    publish.host.is_some_and(|host| host.count() == 1 || publish.container.count() > 1)
}

fn supported(publish: &Publish) -> Result<(), Error> {
    match publish.protocol {
        Protocol::Tcp | Protocol::Udp => Ok(()),
        Protocol::Sctp => {
            let subject = subject(publish.address, publish.container, publish.protocol);
            Err(Error::new(Operation::Publish, subject, Kind::UnsupportedProtocol(publish.protocol)))
        }
    }
}

/// The mapping to these host ports, of which there must be as many as container ports.
fn fixed_mapping(publish: &Publish, host: PortRange) -> Result<Mapping, Error> {
    let (address, container, protocol) = (publish.address, publish.container, publish.protocol);
    if host.count() != container.count() {
        let kind = Kind::RangeMismatch { host: host.count(), container: container.count() };
        let subject = format!("{}:{container}", subject(address, host, protocol));
        return Err(Error::new(Operation::Publish, subject, kind));
    }
    Ok(Mapping { address, host, container, protocol })
}

/// Adds a mapping unless one that is there does the same already.
fn add(mappings: &mut Vec<Mapping>, mapping: Mapping) -> Result<(), Error> {
    for present in mappings.iter() {
        let Some(port) = present.overlap(&mapping) else { continue };
        let container = [present.target(port), mapping.target(port)];
        if container[0] != container[1] {
            let subject = subject(mapping.address, port, mapping.protocol);
            return Err(Error::new(Operation::Publish, subject, Kind::Conflict { container }));
        }
    }
    let covers = |wide: &Mapping, narrow: &Mapping| {
        wide.overlap(narrow).is_some()
            && wide.host.first <= narrow.host.first
            && wide.host.last >= narrow.host.last
            && (wide.address == narrow.address || wide.address.is_none_or(|address| address.is_unspecified()))
    };
    if mappings.iter().any(|present| covers(present, &mapping)) {
        return Ok(());
    }
    mappings.retain(|present| !covers(&mapping, present));
    if let Some((port, other)) = mappings.iter().find_map(|present| Some((present.overlap(&mapping)?, present))) {
        // Both want it, but neither has all of the other's: one socket cannot be had twice.
        let container = [other.target(port), mapping.target(port)];
        let subject = subject(mapping.address, port, mapping.protocol);
        return Err(Error::new(Operation::Publish, subject, Kind::Conflict { container }));
    }
    mappings.push(mapping);
    Ok(())
}

/// A free host port for one container port of `publish`, within its host range if it has one.
fn free_port(publish: &Publish, mappings: &[Mapping], host: &mut impl Host) -> Result<u16, Error> {
    let taken = |port: u16| {
        mappings.iter().any(|mapping| {
            mapping.protocol == publish.protocol
                && (mapping.host.first..=mapping.host.last).contains(&port)
                && addresses_meet(mapping.address, publish.address)
        })
    };
    let found = match publish.host {
        Some(range) => (range.first..=range.last)
            .find(|port| !taken(*port) && host.is_free(publish.address, *port, publish.protocol)),
        // The kernel gives another one each time; what is taken here is what this very container will take.
        None => (0..100).map_while(|_| host.free(publish.address, publish.protocol)).find(|port| !taken(*port)),
    };
    found.ok_or_else(|| {
        let wanted = publish.host.map_or_else(|| "?".to_owned(), |range| range.to_string());
        let subject = subject(publish.address, wanted, publish.protocol);
        Error::new(Operation::Publish, subject, Kind::NoFreePort)
    })
}

#[cfg(test)]
mod tests;
