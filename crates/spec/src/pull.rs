//! How an image is fetched: words of the group `pull`.

use crate::{ParseError, Platform, word};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Pull policy and platform, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pull {
    /// `--pull`; absent = missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PullPolicy>,
    /// `--platform`, or `--os`, `--arch` and `--variant`; absent = this machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// `--authfile`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authfile: Option<String>,
    /// `--cert-dir`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_dir: Option<String>,
    /// `--creds`
    #[serde(skip)]
    pub creds: Creds,
    /// `--tls-verify`; absent = as configured for the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_verify: Option<bool>,
    /// `--retry`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<u32>,
    /// `--retry-delay`, whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<u64>,
    /// `--quiet`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub quiet: bool,
}

/// `--creds USER[:PASSWORD]`, for one pull: no part of what the container is, so it is neither kept nor compared, and prints
/// as `…`.
#[derive(Clone, Default)]
pub struct Creds(pub Option<String>);

impl fmt::Debug for Creds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "…" } else { "none" })
    }
}

impl PartialEq for Creds {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Creds {}

/// `--pull`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullPolicy {
    /// Every time.
    Always,
    /// When the store lacks it.
    Missing,
    /// Never.
    Never,
    /// When the registry has a newer one.
    Newer,
}

const POLICIES: [(&str, PullPolicy); 7] = [
    ("always", PullPolicy::Always),
    ("missing", PullPolicy::Missing),
    ("never", PullPolicy::Never),
    ("newer", PullPolicy::Newer),
    ("ifnotpresent", PullPolicy::Missing),
    ("IfNotPresent", PullPolicy::Missing),
    ("ifnewer", PullPolicy::Newer),
];

impl PullPolicy {
    /// Parses podman's words.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        word::choose("pull policy", text, &POLICIES)
    }
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word::word_of(self, &POLICIES))
    }
}
