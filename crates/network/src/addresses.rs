//! Which of the host's addresses leads outwards: what pasta gives to the container too.
//!
//! The kernel is asked which source address it would take for a far destination. No packet is sent: connecting a UDP
//! socket only looks up the route.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses of the host's interface with the default route, one of each kind at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Absent without a route.
    pub v4: Option<Ipv4Addr>,
    /// Absent without a route.
    pub v6: Option<Ipv6Addr>,
}

impl Addresses {
    /// Both, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }
}

/// The calling process's network namespace's own; none of a kind if there is no default route.
pub fn host_addresses() -> Addresses {
    // Addresses for documentation (RFC 5737, RFC 3849), so no other route than the default one leads there.
    let v4 = source(IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)));
    let v6 = source(IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)));
    Addresses {
        v4: v4.and_then(|address| if let IpAddr::V4(address) = address { Some(address) } else { None }),
        v6: v6.and_then(|address| if let IpAddr::V6(address) = address { Some(address) } else { None }),
    }
}

/// The address that a datagram to `far` would come from.
fn source(any: IpAddr, far: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(far, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_has_what_it_says() {
        for address in host_addresses().iter() {
            UdpSocket::bind(SocketAddr::new(address, 0)).expect("one can bind to an address of one's own");
        }
    }
}
