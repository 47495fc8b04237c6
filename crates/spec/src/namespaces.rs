//! Which namespaces are a container's own: words of the group `namespaces`.

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

/// `--userns`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserNs {
    /// Rootless: the user's kept namespace; as root: no user namespace.
    Host,
    /// Further modes with their words, which lodger refuses until it has them.
    Other(String),
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

impl UserNs {
    /// Parses `host` or podman's other modes (`keep-id`, `auto`, `nomap`, `private`, `container:NAME`, `ns:PATH`),
    /// with their options as written.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let kind = text.split(':').next().unwrap_or_default();
        match kind {
            "host" if text == "host" => Ok(Self::Host),
            "keep-id" | "auto" | "nomap" | "private" | "container" | "ns" => {
                Ok(Self::Other(word::plain("user namespace mode", text)?))
            }
            _ => {
                let expected = "expected host, keep-id, auto, nomap, private, container:NAME or ns:PATH";
                Err(ParseError::new("user namespace mode", text, expected))
            }
        }
    }
}

impl fmt::Display for UserNs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Other(words) => f.write_str(words),
        }
    }
}
