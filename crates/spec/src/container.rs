//! What was asked of a container, whichever way it was asked.
//!
//! Mirrors words: it may contradict itself and leaves open what was not said. `engine::resolve` answers every question
//! and makes a `runtime::Plan` of it. The record of a container on disk holds this type, so fields are only ever added.

use crate::health::Health;
use crate::lifecycle::Lifecycle;
use crate::logging::Logging;
use crate::mount::Mounts;
use crate::namespaces::Namespaces;
use crate::network::Network;
use crate::process::Process;
use crate::pull::Pull;
use crate::resources::Resources;
use crate::security::Security;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that `run`, `create` or a `[Container]` section can say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerSpec {
    /// Name, labels, annotations.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub identity: Identity,
    /// What the root file system is made of.
    pub root: Root,
    /// How the image is fetched.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub pull: Pull,
    /// Command, environment, user, terminal.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub process: Process,
    /// Volumes, binds, tmpfs.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub mounts: Mounts,
    /// Network mode, ports, names.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub network: Network,
    /// Which namespaces are its own.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub namespaces: Namespaces,
    /// Capabilities, seccomp, devices.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub security: Security,
    /// Limits.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub resources: Resources,
    /// Restart, stop, removal, readiness.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub lifecycle: Lifecycle,
    /// Log driver.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub logging: Logging,
    /// Health check.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub health: Health,
}

/// Who the container is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// `--name`; made up when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `--label`, later wins.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `--label-file`, read before the labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_files: Vec<String>,
    /// `--annotation`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// `--cidfile`: where the ID is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidfile: Option<String>,
    /// `--pidfile`: where the main process's number is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pidfile: Option<String>,
    /// `--replace`: an existing container of this name gives way.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub replace: bool,
    /// `--requires`: containers that must run first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// Where the root file system comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Root {
    /// An image name or ID, as written.
    Image(String),
    /// `--rootfs`: a directory of the host, used as it is; with `overlay`, changes are kept apart (`:O`).
    Directory {
        /// Absolute, or relative to the working directory of the command.
        path: String,
        /// Whether writes go to an overlay.
        overlay: bool,
    },
}

impl Default for Root {
    /// No image yet: the empty name, which no image has.
    fn default() -> Self {
        Self::Image(String::new())
    }
}
