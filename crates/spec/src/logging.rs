//! Where a container's output goes: words of the group `logging`.

use crate::bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Log driver and its options, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// `--log-driver`; absent = journald under systemd, else k8s-file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<LogDriver>,
    /// `--log-opt path=…`: for k8s-file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `--log-opt max-size=…`: for k8s-file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<Bytes>,
    /// `--log-opt tag=…`: the identifier in the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// `--log-driver`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogDriver {
    /// The journal.
    Journald,
    /// A file in the format Kubernetes uses (`json-file` is another name for it).
    K8sFile,
    /// Nowhere.
    None,
    /// The caller's own descriptors.
    Passthrough,
}
