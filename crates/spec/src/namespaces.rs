//! Which namespaces are a container's own: words of the group `namespaces`.

use serde::{Deserialize, Serialize};

/// Namespace choices, as asked; absent = the default named at each field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    /// `--userns`; absent = the user's kept namespace (root inside is the user outside).
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
