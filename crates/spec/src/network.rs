//! The network of a container: words of the group `network`.

use crate::ParseError;
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

/// tcp, udp or sctp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
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
