//! Ports as a user publishes them.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A host on which some ports are taken; free ones come from 40000 up.
#[derive(Default)]
struct Imagined {
    taken: BTreeSet<u16>,
    next: u16,
}

impl Host for Imagined {
    fn free(&mut self, _: Option<IpAddr>, _: Protocol) -> Option<u16> {
        self.next += 1;
        Some(40_000 + self.next)
    }

    fn is_free(&mut self, _: Option<IpAddr>, port: u16, _: Protocol) -> bool {
        !self.taken.contains(&port)
    }
}

/// `[address/][host:]container[/protocol]`
fn publish(text: &str) -> Publish {
    let (text, protocol) = match text.rsplit_once('/') {
        Some((rest, "udp")) => (rest, Protocol::Udp),
        Some((rest, "sctp")) => (rest, Protocol::Sctp),
        _ => (text, Protocol::Tcp),
    };
    let (address, text) = text.rsplit_once('/').map_or((None, text), |(a, rest)| (Some(a.parse().unwrap()), rest));
    let (host, container) = text.split_once(':').map_or((None, text), |(host, rest)| (Some(host), rest));
    Publish {
        address,
        host: host.map(|host| PortRange::parse(host).unwrap()),
        container: PortRange::parse(container).unwrap(),
        protocol,
    }
}

fn resolved(published: &[&str], taken: &[u16]) -> Result<Vec<String>, String> {
    let published: Vec<Publish> = published.iter().map(|text| publish(text)).collect();
    let mut host = Imagined { taken: taken.iter().copied().collect(), next: 0 };
    match resolve(&published, &mut host) {
        Ok(mappings) => Ok(mappings.iter().map(Mapping::to_string).collect()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn what_is_said_is_kept() {
    let cases: [(&[&str], &[&str]); 5] = [
        (&["8080:80"], &["0.0.0.0:8080->80/tcp"]),
        (&["127.0.0.1/8080:80", "::1/8080:80"], &["127.0.0.1:8080->80/tcp", "[::1]:8080->80/tcp"]),
        (&["53:53/udp", "53:53"], &["0.0.0.0:53->53/udp", "0.0.0.0:53->53/tcp"]),
        (&["8000-8010:80-90"], &["0.0.0.0:8000-8010->80-90/tcp"]),
        (&["8080:80", "8081:80"], &["0.0.0.0:8080->80/tcp", "0.0.0.0:8081->80/tcp"]),
    ];
    for (published, expected) in cases {
        assert_eq!(resolved(published, &[]).unwrap(), expected, "{published:?}");
    }
}

#[test]
fn free_ports_are_chosen_where_none_is_said() {
    assert_eq!(resolved(&["80"], &[]).unwrap(), ["0.0.0.0:40001->80/tcp"]);
    // The first that the host offers is taken by the other one.
    assert_eq!(
        resolved(&["80-81", "40001:90"], &[]).unwrap(),
        ["0.0.0.0:40001->90/tcp", "0.0.0.0:40002->80/tcp", "0.0.0.0:40003->81/tcp"]
    );
    assert_eq!(resolved(&["8000-8005:80"], &[8000, 8001]).unwrap(), ["0.0.0.0:8002->80/tcp"]);
    assert_eq!(
        resolved(&["8000-8001:80", "8000-8001:81"], &[]).unwrap(),
        ["0.0.0.0:8000->80/tcp", "0.0.0.0:8001->81/tcp"]
    );
}

#[test]
fn what_is_said_twice_counts_once() {
    assert_eq!(resolved(&["8080:80", "8080:80"], &[]).unwrap(), ["0.0.0.0:8080->80/tcp"]);
    assert_eq!(resolved(&["127.0.0.1/8080:80", "8080:80"], &[]).unwrap(), ["0.0.0.0:8080->80/tcp"]);
    assert_eq!(resolved(&["8000-8010:80-90", "8005:85"], &[]).unwrap(), ["0.0.0.0:8000-8010->80-90/tcp"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let cases: [(&[&str], &str); 6] = [
        (&["8080:80", "8080:81"], "publish 8080/tcp: the port is published twice, for the container's ports 80 and 81"),
        (
            &["127.0.0.1/8000-8010:80-90", "8005:80"],
            "publish 8005/tcp: the port is published twice, for the container's ports 85 and 80",
        ),
        (
            &["8000-8010:80-90", "8005-8020:85-100"],
            "publish 8005/tcp: the port is published twice, for the container's ports 85 and 85",
        ),
        (&["1-3:80-81"], "publish 1-3/tcp:80-81: 3 host ports do not match 2 container ports"),
        (&["80:80/sctp"], "publish 80/sctp: sctp ports cannot be published without root"),
        (&["7-8:80"], "publish 7-8/tcp: no host port is free"),
    ];
    for (published, message) in cases {
        assert_eq!(resolved(published, &[7, 8]).unwrap_err(), message, "{published:?}");
    }
}

fn any_publish() -> impl Strategy<Value = Publish> {
    let address = prop_oneof![
        Just(None),
        Just(Some("127.0.0.1".parse().unwrap())),
        Just(Some("0.0.0.0".parse().unwrap())),
        Just(Some("::1".parse().unwrap()))
    ];
    let range = |first: u16, count: u16| PortRange { first, last: first + count };
    let host = prop_oneof![Just(None), (1u16..20, 0u16..4).prop_map(move |(a, n)| Some(range(a, n)))];
    let container = (1u16..20, 0u16..4).prop_map(move |(a, n)| range(a, n));
    let protocol = prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp)];
    (address, host, container, protocol).prop_map(|(address, host, container, protocol)| Publish {
        address,
        host,
        container,
        protocol,
    })
}

proptest! {
    #[test]
    fn every_published_port_has_a_host_port_and_no_host_port_leads_to_two(
        published in prop::collection::vec(any_publish(), 0..5),
        taken in prop::collection::btree_set(1u16..24, 0..6),
    ) {
        let Ok(mappings) = resolve(&published, &mut Imagined { taken, next: 0 }) else { return Ok(()) };
        for publish in &published {
            for port in publish.container.first..=publish.container.last {
                let reached = mappings.iter().any(|mapping| {
                    mapping.protocol == publish.protocol
                        && addresses_meet(mapping.address, publish.address)
                        && mapping.pairs().any(|(host, container)| {
                            container == port
                                && publish.host.is_none_or(|range| (range.first..=range.last).contains(&host))
                        })
                });
                prop_assert!(reached, "{publish:?} in {mappings:?}");
            }
        }
        for (index, one) in mappings.iter().enumerate() {
            prop_assert_eq!(one.host.count(), one.container.count());
            for other in &mappings[index + 1..] {
                prop_assert_eq!(one.overlap(other), None, "{:?}", &mappings);
            }
        }
    }
}
