//! What can go wrong with a container's network, as one type.

use spec::network::Protocol;
use std::fmt;
use std::net::IpAddr;

/// A cause from the system.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A failed operation: `{op} {subject}: {kind}`; the chain below holds the system's own words.
#[derive(Debug, thiserror::Error)]
#[error("{op} {subject}: {kind}")]
pub struct Error {
    /// What was being done.
    pub op: Operation,
    /// To what: `127.0.0.1:8080/tcp`, a quoted path, a quoted name.
    pub subject: String,
    /// What went wrong.
    pub kind: Kind,
    /// Who says so.
    #[source]
    pub source: Option<Source>,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Finding host ports for `--publish`, or taking them.
    Publish,
    /// Starting pasta.
    StartPasta,
    /// Ending pasta.
    StopPasta,
    /// Writing `/etc/hosts`.
    RenderHosts,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publish => "publish",
            Self::StartPasta => "start",
            Self::StopPasta => "stop",
            Self::RenderHosts => "resolve host name",
        })
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    /// Another socket has the port.
    #[error("the port is in use")]
    PortInUse {
        /// Where; absent = every address.
        address: Option<IpAddr>,
        /// The host's port.
        port: u16,
        /// Of which protocol.
        protocol: Protocol,
    },
    /// The port is below the first that users may have, which is the sysctl `net.ipv4.ip_unprivileged_port_start`.
    #[error("only root may publish ports below {first}")]
    PrivilegedPort {
        /// The host's port.
        port: u16,
        /// Of which protocol.
        protocol: Protocol,
        /// The sysctl's value.
        first: u16,
    },
    /// The host has no such address.
    #[error("the host does not have the address {0}")]
    NotOurAddress(IpAddr),
    /// Two `--publish` want the same host port for different things.
    #[error("the port is published twice, for the container's ports {} and {}", .container[0], .container[1])]
    Conflict {
        /// The container's ports.
        container: [u16; 2],
    },
    /// As many host ports as container ports are needed, or one container port.
    #[error("{host} host ports do not match {container} container ports")]
    RangeMismatch {
        /// How many on the host.
        host: u32,
        /// How many in the container.
        container: u32,
    },
    /// None of the host ports that were allowed is free.
    #[error("no host port is free")]
    NoFreePort,
    /// pasta forwards tcp and udp only.
    #[error("{0} ports cannot be published without root")]
    UnsupportedProtocol(Protocol),
    /// This pasta can forward a port of one address only.
    #[error("the installed pasta can publish a port on one address only")]
    OneAddressOnly,
    /// pasta is not installed.
    #[error("pasta is not installed")]
    Missing,
    /// The host has no route to anywhere, and this pasta needs one.
    #[error("the host has no default route yet")]
    NoUplink,
    /// `/dev/net/tun` is missing or closed to users; udev makes it usable for everybody, a machine without udev may not.
    #[error("/dev/net/tun cannot be opened")]
    NoTunDevice,
    /// pasta does not take an option that was given for it.
    #[error("pasta does not know the option {0:?}")]
    UnknownOption(String),
    /// pasta's own words.
    #[error("{0}")]
    Failed(String),
    /// The container has no address under which it reaches the host.
    #[error("the container has no address for its host; set host_containers_internal_ip in containers.conf")]
    NoHostGateway,
    /// The system's error is the source.
    #[error("{0}")]
    Io(String),
}

impl Error {
    pub(crate) fn new(op: Operation, subject: impl Into<String>, kind: Kind) -> Self {
        Self { op, subject: subject.into(), kind, source: None }
    }

    pub(crate) fn io(op: Operation, subject: impl Into<String>, doing: &str, source: std::io::Error) -> Self {
        Self { op, subject: subject.into(), kind: Kind::Io(doing.to_owned()), source: Some(source.into()) }
    }
}
