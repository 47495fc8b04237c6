//! Which machines a server may send us to.
//!
//! A registry chooses redirect targets and token services. It must not make us talk to this machine's own services or
//! to a cloud's metadata address (link-local) unless it lives there itself. Addresses are checked as resolved, right
//! before the connection is made.

use super::Address;
use super::names::look_up;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};

/// Where connections may go besides ordinary addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Reach {
    loopback: bool,
    link_local: bool,
}

impl Reach {
    /// For what the user named.
    pub(crate) const ANYWHERE: Self = Self { loopback: true, link_local: true };
    /// For what a registry somewhere else names.
    pub(crate) const PUBLIC: Self = Self { loopback: false, link_local: false };

    /// Where a registry may send us: to ordinary addresses and to its own neighbourhood.
    pub(crate) fn from_registry(registry: &Address) -> Self {
        let mut reach = Self::PUBLIC;
        let host = registry.host().trim_start_matches('[').trim_end_matches(']');
        // A registry that does not resolve fails by itself.
        for address in look_up(host, registry.port(), None).into_iter().flatten() {
            reach.loopback |= is_loopback(address.ip());
            reach.link_local |= is_link_local(address.ip());
        }
        reach
    }

    fn allows(self, ip: IpAddr) -> bool {
        (self.loopback || !is_loopback(ip)) && (self.link_local || !is_link_local(ip))
    }

    /// Checks what can be seen without resolving: a proxy would resolve it for us.
    pub(crate) fn allows_literal(self, address: &Address) -> bool {
        let host = address.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        let local_name = host == "localhost" || host.ends_with(".localhost");
        (self.loopback || !local_name) && host.parse().ok().is_none_or(|ip| self.allows(ip))
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || ip.is_unspecified()
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip == METADATA_V6,
    }
}

/// The IPv6 twin of 169.254.169.254 at the largest cloud.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// How many addresses of one name are tried; the library's type holds no more.
const MOST_ADDRESSES: usize = 16;

/// The machine's name service, with a look at what it returns.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) reach: Reach,
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: ureq::unversioned::transport::NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let unknown = || ureq::Error::BadUri(uri.to_string());
        let (scheme, authority) = (uri.scheme().ok_or_else(unknown)?, uri.authority().ok_or_else(unknown)?);
        // The library knows the ports of all schemes.
        let target = DefaultResolver::host_and_port(scheme, authority).ok_or_else(unknown)?;
        let (host, port) = target.rsplit_once(':').ok_or_else(unknown)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().map_err(|_| unknown())?;
        let known =
            look_up(host, port, timeout.not_zero().map(|patience| *patience)).map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
                _ => ureq::Error::Other(Box::new(Unresolved(error))),
            })?;
        let mut addresses = self.empty();
        known.into_iter().take(MOST_ADDRESSES).for_each(|address| addresses.push(address));
        // The proxy is the user's choice, not the registry's.
        let is_proxy = config.proxy().is_some_and(|proxy| proxy.uri().authority() == uri.authority());
        match addresses.iter().find(|address| !self.reach.allows(address.ip())) {
            Some(address) if !is_proxy => Err(ureq::Error::Other(Box::new(OutOfReach(address.ip())))),
            _ => Ok(addresses),
        }
    }
}

/// The name has no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unresolved(#[source] std::io::Error);

/// The name has an address that the registry must not send us to.
#[derive(Debug)]
pub(super) struct OutOfReach(IpAddr);

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is this machine's or link's own address", self.0)
    }
}

impl std::error::Error for OutOfReach {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_judged_by_what_it_resolves_to() {
        let resolve = |reach, host: &str| {
            let guard = Guard { reach };
            let uri = format!("https://{host}/").parse().unwrap();
            let settings = ureq::Agent::config_builder().proxy(None).build();
            guard.resolve(&uri, &settings, Default::default()).map(drop).map_err(|error| error.to_string())
        };
        // Decimal for 127.0.0.1: no look at the text sees that.
        for host in ["localhost", "2130706433"] {
            assert!(resolve(Reach::PUBLIC, host).unwrap_err().contains("own address"), "{host}");
            assert_eq!(resolve(Reach::ANYWHERE, host), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_registry_elsewhere_cannot_point_at_us() {
        let at = |host: &str| Address::parse(&format!("https://{host}/")).unwrap();
        for host in [
            "127.0.0.1",
            "127.9.9.9:5000",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
        ] {
            assert!(!Reach::PUBLIC.allows_literal(&at(host)), "{host}");
            assert!(Reach::ANYWHERE.allows_literal(&at(host)), "{host}");
        }
        for host in ["10.0.0.1", "192.168.1.1", "cdn.example", "[2001:db8::1]"] {
            assert!(Reach::PUBLIC.allows_literal(&at(host)), "{host}");
        }
        let here = Reach::from_registry(&at("127.0.0.1:5000"));
        assert!(here.allows_literal(&at("127.0.0.1:6000")) && !here.allows_literal(&at("169.254.169.254")));
    }
}
