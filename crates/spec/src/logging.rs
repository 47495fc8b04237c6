//! Where a container's output goes: words of the group `logging`.

use crate::bytes::Bytes;
use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

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

const DRIVERS: [(&str, LogDriver); 5] = [
    ("journald", LogDriver::Journald),
    ("k8s-file", LogDriver::K8sFile),
    ("json-file", LogDriver::K8sFile),
    ("none", LogDriver::None),
    ("passthrough", LogDriver::Passthrough),
];

impl LogDriver {
    /// Parses podman's words.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        word::choose("log driver", text, &DRIVERS)
    }
}

impl fmt::Display for LogDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word::word_of(self, &DRIVERS))
    }
}
