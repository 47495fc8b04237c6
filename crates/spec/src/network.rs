//! The network of a container: words of the group `network`.

use crate::{ParseError, name, word};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// Network mode, ports and names, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// `--network`; absent = pasta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// `--publish`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publish>,
    /// `--publish-all`: every exposed port on a free host port.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub publish_all: bool,
    /// `--expose`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose: Vec<Expose>,
    /// `--hostname`; absent = the first 12 digits of the ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// `--add-host name[;name…]:address`; `host-gateway` stays a word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_hosts: Vec<AddHost>,
    /// `--no-hosts`: leave `/etc/hosts` as the image has it.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub no_hosts: bool,
    /// `--no-hostname`: leave `/etc/hostname` as the image has it.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub no_hostname: bool,
    /// `--hosts-file`: a path, `none` or `image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts_file: Option<String>,
    /// `--dns`: absent = the host's resolvers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<Dns>,
    /// `--dns-search`; `.` alone = none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    /// `--dns-option`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_options: Vec<String>,
}

/// Which network a container lives in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Its own, with loopback alone.
    None,
    /// The host's.
    Host,
    /// Its own with pasta as the uplink; further words are pasta's own options.
    Pasta(Vec<String>),
    /// Another container's, by name or ID.
    Container(String),
    /// A namespace by path.
    Path(String),
    /// `private`: the default for this user, which is pasta.
    Private,
    /// Named networks, which lodger refuses until it has them.
    Named(Vec<String>),
}

/// Words that say a mode, which no network can be called.
const MODES: &[&str] = &["none", "host", "private", "default", "pasta", "container", "ns", "slirp4netns"];

impl Mode {
    /// Parses one `--network` value.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |why: &str| ParseError::new("network mode", text, why);
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        match (kind, rest) {
            ("none", None) => Ok(Self::None),
            ("host", None) => Ok(Self::Host),
            ("private" | "default", None) => Ok(Self::Private),
            ("none" | "host" | "private" | "default", Some(_)) => Err(bad("this mode takes no options")),
            ("pasta", None | Some("")) => Ok(Self::Pasta(Vec::new())),
            ("pasta", Some(options)) => {
                word::plain("pasta option", options)?;
                Ok(Self::Pasta(options.split(',').map(str::to_owned).collect()))
            }
            ("container", Some(other)) => Ok(Self::Container(word::solid("container name", other)?)),
            ("ns", Some(path)) => Ok(Self::Path(word::plain("namespace path", path)?)),
            ("container" | "ns", None) => Err(bad("expected container:NAME or ns:PATH")),
            ("slirp4netns", _) => Err(bad("slirp4netns is gone since podman 6: use pasta")),
            (network, Some(options)) => {
                name::check("network name", network)?;
                word::plain("network option", options)?;
                Ok(Self::Named(vec![text.to_owned()]))
            }
            (networks, None) => {
                let names: Vec<String> = networks.split(',').map(str::to_owned).collect();
                names.iter().try_for_each(|one| name::check("network name", one))?;
                // Alone, as it is shown again, it would be the mode.
                if let Some(mode) = names.iter().find(|name| MODES.contains(&name.as_str())) {
                    return Err(bad(&format!("{mode} is a mode, not the name of a network")));
                }
                Ok(Self::Named(names))
            }
        }
    }

    /// The `--network` values that give this mode: one, or one for each named network.
    pub fn words(&self) -> Vec<String> {
        let one = match self {
            Self::None => "none".to_owned(),
            Self::Host => "host".to_owned(),
            Self::Private => "private".to_owned(),
            Self::Pasta(options) if options.is_empty() => "pasta".to_owned(),
            Self::Pasta(options) => format!("pasta:{}", options.join(",")),
            Self::Container(other) => format!("container:{other}"),
            Self::Path(path) => format!("ns:{path}"),
            Self::Named(networks) => return networks.clone(),
        };
        vec![one]
    }
}

/// tcp, udp or sctp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// Parses the name in any case.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let words = [("tcp", Self::Tcp), ("udp", Self::Udp), ("sctp", Self::Sctp)];
        word::choose("protocol", &text.to_ascii_lowercase(), &words)
    }

    /// `ports/protocol` or `ports`, which means tcp.
    fn split(text: &str) -> Result<(&str, Self), ParseError> {
        match text.split_once('/') {
            Some((ports, protocol)) => Ok((ports, Self::parse(protocol)?)),
            None => Ok((text, Self::Tcp)),
        }
    }

    /// What follows the ports: nothing for tcp.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Tcp => "",
            Self::Udp => "/udp",
            Self::Sctp => "/sctp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}

/// Consecutive ports, first and last included; `first <= last` and `first >= 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

impl PortRange {
    /// `8080` or `8080-8090`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new("port", text, "expected a number from 1 to 65535, or first-last");
        let port = |t: &str| t.parse::<u16>().ok().filter(|p| *p > 0).ok_or_else(bad);
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (port(first)?, port(last)?),
            None => (port(text)?, port(text)?),
        };
        if first > last {
            return Err(bad());
        }
        Ok(Self { first, last })
    }

    /// How many ports.
    pub const fn count(&self) -> u32 {
        self.last as u32 - self.first as u32 + 1
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

/// `--publish [[ip:][host]:]container[/protocol]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// Absent = every address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Absent = a free port, chosen at the first start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<PortRange>,
    /// Inside.
    pub container: PortRange,
    /// tcp unless said.
    pub protocol: Protocol,
}

/// `--expose port[-port][/protocol]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expose {
    /// Inside.
    pub ports: PortRange,
    /// tcp unless said.
    pub protocol: Protocol,
}

/// One `--add-host`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddHost {
    /// One or more names.
    pub names: Vec<String>,
    /// Their address.
    pub address: HostAddress,
}

/// An address, or the host as seen from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostAddress {
    /// `host-gateway`
    Gateway,
    /// A literal address.
    Ip(IpAddr),
}

/// `--dns`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dns {
    /// `none`: `/etc/resolv.conf` is the image's.
    None,
    /// These servers.
    Servers(Vec<IpAddr>),
}

impl Publish {
    /// Parses `[[ip:][host]:]container[/protocol]`; an IPv6 address stands in brackets.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |why: &str| ParseError::new("port mapping", text, why);
        let (ports, protocol) = Protocol::split(text)?;
        let (address, ports) = match ports.strip_prefix('[') {
            Some(rest) => {
                let (address, ports) = rest.split_once("]:").ok_or_else(|| bad("expected [ipv6]:host:container"))?;
                let address = address.parse().map_err(|_| bad("not an IPv6 address in the brackets"))?;
                (Some(IpAddr::V6(address)), ports)
            }
            None => (None, ports),
        };
        let parts: Vec<&str> = ports.split(':').collect();
        let (address, host, container) = match (address, parts.as_slice()) {
            (None, [container]) => (None, "", *container),
            (address, [host, container]) => (address, *host, *container),
            (None, [address, host, container]) => {
                let address = address.parse().map_err(|_| bad("not an IPv4 address before the ports"))?;
                (Some(IpAddr::V4(address)), *host, *container)
            }
            _ => return Err(bad("expected [[ip:][host]:]container[/protocol], an IPv6 address in brackets")),
        };
        let container = PortRange::parse(container)?;
        // Port 0 asks for any free port, as an empty one does.
        let host = if matches!(host, "" | "0") { None } else { Some(PortRange::parse(host)?) };
        if let Some(host) = host.filter(|host| host.count() != container.count()) {
            let (host, container) = (host.count(), container.count());
            return Err(bad(&format!("host and container port ranges have different lengths: {host} vs {container}")));
        }
        Ok(Self { address, host, container, protocol })
    }
}

impl fmt::Display for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V4(address)) => write!(f, "{address}:")?,
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            None => {}
        }
        match self.host {
            Some(host) => write!(f, "{host}:")?,
            None if self.address.is_some() => f.write_str(":")?,
            None => {}
        }
        write!(f, "{}{}", self.container, self.protocol.suffix())
    }
}

impl Expose {
    /// Parses `port[-port][/protocol]`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let (ports, protocol) = Protocol::split(text)?;
        Ok(Self { ports: PortRange::parse(ports)?, protocol })
    }
}

impl fmt::Display for Expose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.ports, self.protocol.suffix())
    }
}

/// A host name: at most 253 letters, digits, dashes, dots and underscores. Anything else could forge lines in
/// `/etc/hosts`.
pub(crate) fn host_name(text: &str) -> Result<String, ParseError> {
    let ok = (1..=253).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && !text.starts_with(['-', '.']);
    if ok {
        Ok(text.to_owned())
    } else {
        Err(ParseError::new("host name", text, "expected letters, digits, dots and dashes"))
    }
}

impl AddHost {
    /// Parses `name[;name…]:address`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new("host entry", text, "expected NAME[;NAME...]:ADDRESS");
        let (names, address) = text.split_once(':').ok_or_else(bad)?;
        let names = names.split(';').map(host_name).collect::<Result<_, _>>()?;
        if address == "host-gateway" {
            return Ok(Self { names, address: HostAddress::Gateway });
        }
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let ip = bare
            .parse()
            .map_err(|_| ParseError::new("address", address, "expected an IPv4 or IPv6 address or host-gateway"))?;
        Ok(Self { names, address: HostAddress::Ip(ip) })
    }
}

impl fmt::Display for AddHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.names.join(";"))?;
        match self.address {
            HostAddress::Gateway => f.write_str("host-gateway"),
            HostAddress::Ip(address) => address.fmt(f),
        }
    }
}
