//! The arguments that pasta gets; pure.
//!
//! podman's defaults: the host's addresses and routes inside, DNS over an address of pasta's, nothing forwarded that was
//! not asked for, the host's loopback out of reach. The user's own options come after the ports and take precedence:
//! where one of them speaks of a matter, the default for it is left out.

use super::Abilities;
use crate::addresses::Addresses;
use crate::error::{Error, Kind, Operation};
use crate::ports::{Mapping, subject};
use spec::network::Protocol;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

/// What the container asks for names; pasta passes it on to the host's resolver.
pub const DNS_FORWARD: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);
/// What means the host inside the container, where pasta can do that.
pub const GUEST_ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 2);

/// All that decides how pasta is called.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Published ports.
    pub mappings: Vec<Mapping>,
    /// `pasta_options` of containers.conf, then the words of `--network pasta:…`.
    pub options: Vec<String>,
    /// The link that names the namespace, in a directory that only this container uses.
    pub link: PathBuf,
    /// What this pasta can do.
    pub abilities: Abilities,
}

impl Plan {
    /// The words after the program's name.
    ///
    /// # Errors
    /// [`Kind::OneAddressOnly`] when the installed pasta cannot do what is published, [`Kind::Conflict`] when no pasta
    /// can: a port has one target, whatever the address; [`Kind::UnsupportedProtocol`].
    pub fn arguments(&self) -> Result<Vec<OsString>, Error> {
        self.one_target_for_each_port()?;
        let mut words = vec!["--config-net".to_owned()];
        for mapping in &self.mappings {
            words.extend([flag(mapping)?.to_owned(), forward(mapping)]);
        }
        // Not an option of pasta's, but podman's word for leaving one out.
        words.extend(self.options.iter().filter(|word| *word != "--map-gw").cloned());
        let defaults: [(&[&str], &[&str]); 7] = [
            (&["--dns-forward"], &["--dns-forward", &DNS_FORWARD.to_string()]),
            (&["-t", "--tcp-ports"], &["-t", "none"]),
            (&["-u", "--udp-ports"], &["-u", "none"]),
            (&["-T", "--tcp-ns"], &["-T", "none"]),
            (&["-U", "--udp-ns"], &["-U", "none"]),
            (&["--map-gw", "--no-map-gw"], &["--no-map-gw"]),
            (&["-q", "--quiet", "-d", "--debug", "--trace"], &["--quiet"]),
        ];
        for (names, default) in defaults {
            let given = self.has_option(names) || names.iter().any(|name| words.iter().any(|word| word == name));
            if !given {
                words.extend(default.iter().map(|word| (*word).to_owned()));
            }
        }
        if self.abilities.guest_address && !self.has_option(&["--map-guest-addr"]) {
            words.extend(["--map-guest-addr".to_owned(), GUEST_ADDRESS.to_string()]);
        }
        let mut words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        words.extend(["--netns".into(), self.link.clone().into_os_string()]);
        Ok(words)
    }

    /// What the installed pasta may do badly, each as a fragment of a sentence with the way out.
    pub fn warnings(&self) -> Vec<String> {
        // Up to 2023 an overflow sent the answers of such a port to another one.
        let loses =
            |mapping: &&Mapping| mapping.protocol == Protocol::Udp && mapping.container.first < mapping.host.first;
        let doubtful = self.mappings.iter().filter(loses).filter(|_| !self.abilities.several_addresses);
        let warning = |mapping: &Mapping| {
            format!(
                "the installed pasta may lose the answers of {}, since the container's port {} is lower: publish it under \
                 its own number, or update passt",
                subject(mapping.address, mapping.host, mapping.protocol),
                mapping.container
            )
        };
        doubtful.map(warning).collect()
    }

    /// The addresses that the container has inside: the host's, unless an option says others.
    pub fn addresses(&self, host: Addresses) -> Addresses {
        let mut addresses = host;
        for value in self.values(&["-a", "--address"]) {
            // A prefix length may follow.
            match value.split('/').next().map(str::parse) {
                Some(Ok(IpAddr::V4(address))) => addresses.v4 = Some(address),
                Some(Ok(IpAddr::V6(address))) => addresses.v6 = Some(address),
                _ => {}
            }
        }
        if self.has_option(&["-4", "--ipv4-only"]) {
            addresses.v6 = None;
        }
        if self.has_option(&["-6", "--ipv6-only"]) {
            addresses.v4 = None;
        }
        addresses
    }

    /// The address that means the host inside the container, if there is one.
    pub fn host_gateway(&self) -> Option<IpAddr> {
        match self.values(&["--map-guest-addr"]).next() {
            Some(value) => value.parse().ok(),
            None => self.abilities.guest_address.then_some(IpAddr::V4(GUEST_ADDRESS)),
        }
    }

    /// The addresses at which the container can ask for names.
    pub fn dns(&self) -> Vec<IpAddr> {
        let mut given = self.values(&["--dns-forward"]).peekable();
        match given.peek() {
            Some(_) => given.filter_map(|value| value.parse().ok()).collect(),
            None => vec![IpAddr::V4(DNS_FORWARD)],
        }
    }

    fn has_option(&self, names: &[&str]) -> bool {
        self.options.iter().any(|word| names.contains(&word.split('=').next().unwrap_or(word)))
    }

    /// The values of an option, as a word of their own or after `=`.
    fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.options.iter().enumerate().filter_map(move |(index, word)| match word.split_once('=') {
            Some((name, value)) => names.contains(&name).then_some(value),
            None if names.contains(&word.as_str()) => self.options.get(index + 1).map(String::as_str),
            None => None,
        })
    }

    fn one_target_for_each_port(&self) -> Result<(), Error> {
        for (index, one) in self.mappings.iter().enumerate() {
            for other in self.mappings[index + 1..].iter().filter(|other| other.protocol == one.protocol) {
                let port = one.host.first.max(other.host.first);
                if port > one.host.last.min(other.host.last) {
                    continue;
                }
                let container = [one, other].map(|mapping| mapping.container.first + (port - mapping.host.first));
                let kind = match container[0] == container[1] {
                    true if self.abilities.several_addresses => continue,
                    true => Kind::OneAddressOnly,
                    false => Kind::Conflict { container },
                };
                return Err(Error::new(Operation::Publish, subject(other.address, port, other.protocol), kind));
            }
        }
        Ok(())
    }
}

fn flag(mapping: &Mapping) -> Result<&'static str, Error> {
    match mapping.protocol {
        Protocol::Tcp => Ok("-t"),
        Protocol::Udp => Ok("-u"),
        Protocol::Sctp => {
            let subject = subject(mapping.address, mapping.host, mapping.protocol);
            Err(Error::new(Operation::Publish, subject, Kind::UnsupportedProtocol(mapping.protocol)))
        }
    }
}

/// `127.0.0.1/8080:80`, `::1/8080:80`, `8000-8010:80-90`
fn forward(mapping: &Mapping) -> String {
    let address = mapping.address.map(|address| format!("{address}/")).unwrap_or_default();
    format!("{address}{}:{}", mapping.host, mapping.container)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::network::PortRange;

    fn plan(mappings: &[(&str, &str, &str, Protocol)], options: &[&str], abilities: Abilities) -> Plan {
        let mapping = |(address, host, container, protocol): &(&str, &str, &str, Protocol)| Mapping {
            address: address.parse().ok(),
            host: PortRange::parse(host).unwrap(),
            container: PortRange::parse(container).unwrap(),
            protocol: *protocol,
        };
        Plan {
            mappings: mappings.iter().map(mapping).collect(),
            options: options.iter().map(|word| (*word).to_owned()).collect(),
            link: "/run/c/netns".into(),
            abilities,
        }
    }

    fn words(plan: &Plan) -> String {
        let words = plan.arguments().unwrap();
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    const OLD: Abilities = Abilities { guest_address: false, several_addresses: false };
    const NEW: Abilities = Abilities { guest_address: true, several_addresses: true };
    use Protocol::{Sctp, Tcp, Udp};

    #[test]
    fn without_wishes_as_podman_does() {
        assert_eq!(
            words(&plan(&[], &[], NEW)),
            "--config-net --dns-forward 169.254.1.1 -t none -u none -T none -U none --no-map-gw --quiet \
             --map-guest-addr 169.254.1.2 --netns /run/c/netns"
        );
        assert_eq!(
            words(&plan(&[], &[], OLD)),
            "--config-net --dns-forward 169.254.1.1 -t none -u none -T none -U none --no-map-gw --quiet \
             --netns /run/c/netns"
        );
    }

    #[test]
    fn ports_with_addresses_and_ranges() {
        let mappings = [
            ("", "8080", "80", Tcp),
            ("127.0.0.1", "8081", "80", Tcp),
            ("::1", "8082", "80", Tcp),
            ("", "9000-9010", "90-100", Udp),
        ];
        assert_eq!(
            words(&plan(&mappings, &[], OLD)),
            "--config-net -t 8080:80 -t 127.0.0.1/8081:80 -t ::1/8082:80 -u 9000-9010:90-100 \
             --dns-forward 169.254.1.1 -T none -U none --no-map-gw --quiet --netns /run/c/netns"
        );
    }

    #[test]
    fn the_users_options_take_precedence() {
        let options = ["--mtu", "1500", "-T", "5432", "--map-gw", "--dns-forward=10.0.0.1", "--map-guest-addr", "none"];
        assert_eq!(
            words(&plan(&[("", "8080", "80", Tcp)], &options, NEW)),
            "--config-net -t 8080:80 --mtu 1500 -T 5432 --dns-forward=10.0.0.1 --map-guest-addr none \
             -u none -U none --quiet --netns /run/c/netns"
        );
    }

    #[test]
    fn what_pasta_cannot_forward_is_refused() {
        let both = [("127.0.0.1", "8080", "80", Tcp), ("::1", "8080", "80", Tcp)];
        assert!(words(&plan(&both, &[], NEW)).contains("-t 127.0.0.1/8080:80 -t ::1/8080:80"));
        assert_eq!(plan(&both, &[], OLD).arguments().unwrap_err().kind, Kind::OneAddressOnly);
        let differ = [("127.0.0.1", "8000-8010", "80-90", Tcp), ("::1", "8005", "80", Tcp)];
        let error = plan(&differ, &[], NEW).arguments().unwrap_err();
        assert_eq!(error.kind, Kind::Conflict { container: [85, 80] });
        assert!(plan(&[("", "53", "53", Tcp), ("", "53", "54", Udp)], &[], OLD).arguments().is_ok());
        let error = plan(&[("", "9", "9", Sctp)], &[], NEW).arguments().unwrap_err();
        assert_eq!(error.kind, Kind::UnsupportedProtocol(Sctp));
    }

    #[test]
    fn what_pasta_forwards_badly_is_a_warning() {
        let low = [("127.0.0.1", "5353", "53", Udp), ("", "53", "53", Udp), ("", "8080", "80", Tcp)];
        let expected = "the installed pasta may lose the answers of 127.0.0.1:5353/udp, since the container's port 53 is \
            lower: publish it under its own number, or update passt";
        assert_eq!(plan(&low, &[], OLD).warnings(), [expected]);
        assert!(plan(&low, &[], NEW).warnings().is_empty());
    }

    #[test]
    fn what_is_inside_follows_from_the_options() {
        let host = Addresses { v4: "192.0.2.2".parse().ok(), v6: "fd00::2".parse().ok() };
        let by_default = plan(&[], &[], NEW);
        assert_eq!(by_default.addresses(host), host);
        assert_eq!(by_default.host_gateway(), "169.254.1.2".parse().ok());
        assert_eq!(by_default.dns(), ["169.254.1.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(plan(&[], &[], OLD).host_gateway(), None);
        let told =
            plan(&[], &["-a", "10.0.2.100/24", "-4", "--dns-forward=10.0.2.3", "--map-guest-addr=10.0.2.2"], OLD);
        assert_eq!(told.addresses(host), Addresses { v4: "10.0.2.100".parse().ok(), v6: None });
        assert_eq!(told.host_gateway(), "10.0.2.2".parse().ok());
        assert_eq!(told.dns(), ["10.0.2.3".parse::<IpAddr>().unwrap()]);
        assert_eq!(plan(&[], &["--map-guest-addr", "none"], NEW).host_gateway(), None);
    }
}
