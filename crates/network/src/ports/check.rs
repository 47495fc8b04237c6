//! Asking the kernel for a port without keeping it, for an error that names what is in the way.

use super::{Mapping, subject};
use crate::error::{Error, Kind, Operation};
use rustix::io::Errno;
use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};
use spec::network::Protocol;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where the kernel says which ports are for root alone.
const FIRST_UNPRIVILEGED: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/// Takes every host port for a moment. Another process may take one right afterwards: pasta's own failure is the last
/// word, this one's the better worded.
///
/// # Errors
/// For the first that cannot be had: [`Kind::PortInUse`], [`Kind::PrivilegedPort`], [`Kind::NotOurAddress`], else
/// [`Kind::Io`].
pub fn check(mappings: &[Mapping]) -> Result<(), Error> {
    for mapping in mappings {
        for (port, _) in mapping.pairs() {
            probe(mapping.address, port, mapping.protocol)
                .map_err(|errno| refused(mapping.address, port, mapping.protocol, errno))?;
        }
    }
    Ok(())
}

fn refused(address: Option<IpAddr>, port: u16, protocol: Protocol, errno: Errno) -> Error {
    let subject = subject(address, port, protocol);
    let kind = match (errno, address) {
        (Errno::ADDRINUSE, _) => Kind::PortInUse { address, port, protocol },
        (Errno::ACCESS | Errno::PERM, _) => Kind::PrivilegedPort { port, protocol, first: first_unprivileged() },
        (Errno::ADDRNOTAVAIL, Some(address)) => Kind::NotOurAddress(address),
        _ => return Error::io(Operation::Publish, subject, "bind", errno.into()),
    };
    Error { op: Operation::Publish, subject, kind, source: Some(std::io::Error::from(errno).into()) }
}

/// The first port that users may have; 1024 if the kernel does not say.
fn first_unprivileged() -> u16 {
    std::fs::read_to_string(FIRST_UNPRIVILEGED).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024)
}

/// Binds a socket as pasta will, and returns the port it got (the one asked for unless that is 0).
pub(super) fn probe(address: Option<IpAddr>, port: u16, protocol: Protocol) -> Result<u16, Errno> {
    match address {
        Some(address) => bind_one(address, port, protocol),
        // One socket for both kinds; on a host without IPv6 one for IPv4.
        None => match bind_one(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port, protocol) {
            Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
                bind_one(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port, protocol)
            }
            other => other,
        },
    }
}

fn bind_one(address: IpAddr, port: u16, protocol: Protocol) -> Result<u16, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = if protocol == Protocol::Tcp { SocketType::STREAM } else { SocketType::DGRAM };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    if address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        set_ipv6_v6only(&socket, false)?;
    }
    if protocol == Protocol::Tcp {
        // Connections that linger from before do not count; for UDP it would let two have the port.
        set_socket_reuseaddr(&socket, true)?;
    }
    bind(&socket, &SocketAddr::new(address, port))?;
    let bound: SocketAddr = getsockname(&socket)?.try_into().map_err(|_| Errno::AFNOSUPPORT)?;
    Ok(bound.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::network::PortRange;
    use std::net::{TcpListener, UdpSocket};

    fn mapping(address: Option<&str>, port: u16, protocol: Protocol) -> Mapping {
        let single = PortRange { first: port, last: port };
        Mapping { address: address.map(|text| text.parse().unwrap()), host: single, container: single, protocol }
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in [Some("127.0.0.1"), Some("0.0.0.0"), None] {
            let error = check(&[mapping(address, port, Protocol::Tcp)]).unwrap_err();
            let address = address.map(|text| text.parse().unwrap());
            assert_eq!(error.kind, Kind::PortInUse { address, port, protocol: Protocol::Tcp });
        }
        assert!(check(&[mapping(Some("127.0.0.2"), port, Protocol::Tcp)]).is_ok(), "another address is free");
        assert!(check(&[mapping(Some("127.0.0.1"), port, Protocol::Udp)]).is_ok(), "so is another protocol");
        drop(listener);
        check(&[mapping(None, port, Protocol::Tcp)]).unwrap();
    }

    #[test]
    fn a_udp_port_is_not_shared() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let error = check(&[mapping(None, port, Protocol::Udp)]).unwrap_err();
        assert_eq!(error.kind, Kind::PortInUse { address: None, port, protocol: Protocol::Udp });
    }

    #[test]
    fn an_address_of_another_host_is_named() {
        let error = check(&[mapping(Some("198.51.100.7"), 8099, Protocol::Tcp)]).unwrap_err();
        assert_eq!(error.to_string(), "publish 198.51.100.7:8099/tcp: the host does not have the address 198.51.100.7");
    }

    #[test]
    fn a_port_for_root_alone_says_where_that_is_set() {
        let error = refused(None, 80, Protocol::Tcp, Errno::ACCESS);
        assert!(matches!(error.kind, Kind::PrivilegedPort { port: 80, first, .. } if first > 0), "{error:?}");
        assert!(error.to_string().starts_with("publish 80/tcp: only root may publish ports below "));
    }
}
