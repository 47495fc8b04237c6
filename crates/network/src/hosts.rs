//! `/etc/hosts` of a container; pure. Format: hosts(5).
//!
//! ```text
//! --add-host                          what the user says comes first and is never overridden
//! the base file                       the host's own by default
//! 127.0.0.1, ::1  localhost           unless the base has them
//! the container's address             host name and container name
//! the host as seen from inside        host.containers.internal host.docker.internal
//! ```
//!
//! A name has the address of the first line that has it; later lines lose it, and lines without names are left out.

use crate::error::{Error, Kind, Operation};
use spec::network::{AddHost, HostAddress};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The host's names inside, as podman and docker have them.
pub const HOST_NAMES: [&str; 2] = ["host.containers.internal", "host.docker.internal"];

/// Lines and names in a line that are read from a base file.
const MOST_LINES: usize = 100_000;
const MOST_NAMES: usize = 64;

/// All that a file is made of.
#[derive(Debug, Clone, Copy)]
pub struct Hosts<'a> {
    /// `--add-host`
    pub added: &'a [AddHost],
    /// The base file's text; empty for `none`.
    pub base: &'a str,
    /// The container's addresses, from [`crate::pasta::Plan::addresses`]; none with `--network none`.
    pub own: &'a [IpAddr],
    /// The container's host name and its name.
    pub names: &'a [&'a str],
    /// The host as seen from inside, from [`crate::pasta::Plan::host_gateway`].
    pub gateway: Option<IpAddr>,
}

/// The file as it grows.
#[derive(Default)]
struct File {
    text: String,
    /// Names in small letters with the kind of address that they have.
    known: BTreeSet<(String, bool)>,
    /// Names that the user gave, which are closed for both kinds.
    closed: BTreeSet<String>,
}

impl File {
    /// Adds a line with those of the names that have no such address yet.
    fn line<'a>(&mut self, address: IpAddr, names: impl Iterator<Item = &'a str>) {
        let mut fresh = Vec::new();
        for name in names {
            let key = name.to_ascii_lowercase();
            if !self.closed.contains(&key) && !self.known.contains(&(key.clone(), address.is_ipv4())) {
                self.known.insert((key, address.is_ipv4()));
                fresh.push(name);
            }
        }
        if !fresh.is_empty() {
            self.text += &format!("{address}\t{}\n", fresh.join(" "));
        }
    }
}

/// The file's text.
///
/// # Errors
/// [`Kind::NoHostGateway`] for `--add-host NAME:host-gateway` where the container does not see its host.
pub fn render(hosts: Hosts<'_>) -> Result<String, Error> {
    let mut file = File::default();
    for added in hosts.added {
        let address = match (added.address, hosts.gateway) {
            (HostAddress::Ip(address), _) | (HostAddress::Gateway, Some(address)) => address,
            (HostAddress::Gateway, None) => {
                let subject = format!("{:?}", added.names.join(" "));
                return Err(Error::new(Operation::RenderHosts, subject, Kind::NoHostGateway));
            }
        };
        file.line(address, added.names.iter().map(String::as_str));
    }
    file.closed = file.known.iter().map(|(name, _)| name.clone()).collect();
    for (address, names) in hosts.base.lines().take(MOST_LINES).filter_map(base_line) {
        file.line(address, names);
    }
    file.line(IpAddr::V4(Ipv4Addr::LOCALHOST), ["localhost"].into_iter());
    file.line(IpAddr::V6(Ipv6Addr::LOCALHOST), ["localhost"].into_iter());
    if let Some(gateway) = hosts.gateway {
        file.line(gateway, HOST_NAMES.into_iter());
    }
    for address in hosts.own {
        file.line(*address, hosts.names.iter().copied().filter(|name| !name.is_empty()));
    }
    Ok(file.text)
}

/// Address and names of a line; `None` for a comment and for what is none.
fn base_line(line: &str) -> Option<(IpAddr, impl Iterator<Item = &str>)> {
    let mut words = line.split('#').next()?.split_ascii_whitespace();
    let address = words.next()?.parse().ok()?;
    Some((address, words.take(MOST_NAMES)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: &str = "127.0.0.1 localhost\n127.0.1.1\tmybox.lan mybox # set by the installer\n\n\
        ::1 localhost ip6-localhost\nbroken line\n192.0.2.9 db\n";

    fn added(names: &[&str], address: HostAddress) -> AddHost {
        AddHost { names: names.iter().map(|name| (*name).to_owned()).collect(), address }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_file_as_podman_writes_it() {
        let own = [ip("192.0.2.2"), ip("fd00::2")];
        let hosts =
            Hosts { added: &[], base: BASE, own: &own, names: &["web1", "web"], gateway: Some(ip("169.254.1.2")) };
        assert_eq!(
            render(hosts).unwrap(),
            "127.0.0.1\tlocalhost\n127.0.1.1\tmybox.lan mybox\n::1\tlocalhost ip6-localhost\n192.0.2.9\tdb\n\
             169.254.1.2\thost.containers.internal host.docker.internal\n192.0.2.2\tweb1 web\nfd00::2\tweb1 web\n"
        );
    }

    #[test]
    fn without_a_base_there_is_localhost() {
        let hosts = Hosts { added: &[], base: "", own: &[ip("10.0.0.2")], names: &["c", "c"], gateway: None };
        assert_eq!(render(hosts).unwrap(), "127.0.0.1\tlocalhost\n::1\tlocalhost\n10.0.0.2\tc\n");
    }

    #[test]
    fn what_the_user_adds_is_the_only_truth() {
        let added = [
            added(&["db", "Mybox"], HostAddress::Ip(ip("10.1.1.1"))),
            added(&["gw", "host.docker.internal"], HostAddress::Gateway),
            added(&["two"], HostAddress::Ip(ip("10.1.1.2"))),
            added(&["two"], HostAddress::Ip(ip("fd00::9"))),
        ];
        let hosts =
            Hosts { added: &added, base: BASE, own: &[ip("fd00::2")], names: &["db"], gateway: Some(ip("1.2.3.4")) };
        assert_eq!(
            render(hosts).unwrap(),
            "10.1.1.1\tdb Mybox\n1.2.3.4\tgw host.docker.internal\n10.1.1.2\ttwo\nfd00::9\ttwo\n127.0.0.1\tlocalhost\n\
             127.0.1.1\tmybox.lan\n::1\tlocalhost ip6-localhost\n1.2.3.4\thost.containers.internal\n"
        );
    }

    #[test]
    fn a_gateway_that_is_not_there_is_an_error() {
        let added = [added(&["gw"], HostAddress::Gateway)];
        let hosts = Hosts { added: &added, base: "", own: &[], names: &[], gateway: None };
        assert_eq!(render(hosts).unwrap_err().kind, Kind::NoHostGateway);
    }

    proptest! {
        #[test]
        fn every_line_is_an_address_with_names(base in "([0-9a-f.:]{1,9}|[a-z \t#\n]){0,40}") {
            let hosts = Hosts { added: &[], base: &base, own: &[ip("10.0.0.2")], names: &["c"], gateway: None };
            let text = render(hosts).unwrap();
            prop_assert!(text.contains("localhost"));
            for line in text.lines() {
                let (address, names) = line.split_once('\t').unwrap();
                prop_assert!(address.parse::<IpAddr>().is_ok() && !names.is_empty());
            }
        }
    }
}
