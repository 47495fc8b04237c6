//! Which namespaces are a container's own: words of the group `namespaces`.

mod user;

pub use user::{Auto, KeepId, UserNs};

use crate::idmap::IdMapping;
use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Namespace choices, as asked; absent = the default named at each field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    /// `--userns`; absent = the user's kept namespace (root inside is the user outside; for root, ids of a range of its own).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserNs>,
    /// `--uidmap`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uid_maps: Vec<IdMapping>,
    /// `--gidmap`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gid_maps: Vec<IdMapping>,
    /// `--subuidname`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subuid_name: Option<String>,
    /// `--subgidname`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subgid_name: Option<String>,
    /// `--pid`; absent = private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<NsMode>,
    /// `--ipc`; absent = shareable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipc: Option<IpcMode>,
    /// `--uts`; absent = private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uts: Option<NsMode>,
    /// `--cgroupns`; absent = private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<NsMode>,
}

impl Namespaces {
    /// Whether `--uidmap`, `--gidmap`, `--subuidname` or `--subgidname` asks for a map.
    pub fn is_mapped(&self) -> bool {
        let named = self.subuid_name.is_some() || self.subgid_name.is_some();
        named || !self.uid_maps.is_empty() || !self.gid_maps.is_empty()
    }
}

/// Own, the host's, another container's, or by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NsMode {
    /// A new one.
    Private,
    /// The host's.
    Host,
    /// Another container's, by name or ID.
    Container(String),
    /// `ns:PATH`
    Path(String),
}

/// `--ipc` has two more words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpcMode {
    /// A new one, without `/dev/shm`.
    None,
    /// A new one that others may join.
    Shareable,
    /// As for every namespace.
    Mode(NsMode),
}

impl NsMode {
    /// Parses `private`, `host`, `container:NAME` or `ns:PATH`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text.split_once(':') {
            None if text == "private" => Ok(Self::Private),
            None if text == "host" => Ok(Self::Host),
            Some(("container", other)) => Ok(Self::Container(word::solid("container name", other)?)),
            Some(("ns", path)) => Ok(Self::Path(word::plain("namespace path", path)?)),
            _ => Err(ParseError::new("namespace mode", text, "expected private, host, container:NAME or ns:PATH")),
        }
    }
}

impl fmt::Display for NsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private => f.write_str("private"),
            Self::Host => f.write_str("host"),
            Self::Container(other) => write!(f, "container:{other}"),
            Self::Path(path) => write!(f, "ns:{path}"),
        }
    }
}

impl IpcMode {
    /// Parses `none`, `shareable` or a `NsMode`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text {
            "none" => Ok(Self::None),
            "shareable" => Ok(Self::Shareable),
            text => NsMode::parse(text).map(Self::Mode).map_err(|_| {
                let expected = "expected none, private, shareable, host, container:NAME or ns:PATH";
                ParseError::new("namespace mode", text, expected)
            }),
        }
    }
}

impl fmt::Display for IpcMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Shareable => f.write_str("shareable"),
            Self::Mode(mode) => mode.fmt(f),
        }
    }
}
