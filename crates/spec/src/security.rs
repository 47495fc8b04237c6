//! What a container may do: words of the group `security`.

use serde::{Deserialize, Serialize};

/// Capabilities, seccomp and devices, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// `--privileged`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub privileged: bool,
    /// `--cap-add`: upper case without `CAP_`, or `ALL`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_add: Vec<String>,
    /// `--cap-drop`: as `cap_add`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_drop: Vec<String>,
    /// `--security-opt no-new-privileges`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub no_new_privileges: bool,
    /// `--security-opt seccomp=…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// `--security-opt mask=a:b`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<String>,
    /// `--security-opt unmask=a:b`, or `ALL`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmask: Vec<String>,
    /// `--security-opt label=…`, words as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label: Vec<String>,
    /// `--security-opt apparmor=…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apparmor: Option<String>,
    /// `--device`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// `--sysctl name=value`, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sysctls: Vec<(String, String)>,
}

/// Which seccomp profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seccomp {
    /// No filter.
    Unconfined,
    /// A JSON file of the host.
    File(String),
}

/// `--device host[:container][:rwm]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Path on the host.
    pub host: String,
    /// Path inside.
    pub container: String,
    /// Some of `r`, `w`, `m`.
    pub permissions: String,
}
