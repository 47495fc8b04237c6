//! Health checks: words of the group `health`.

use crate::duration::Nanoseconds;
use serde::{Deserialize, Serialize};

/// Health check, as asked; kept with the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// `--no-healthcheck`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub disabled: bool,
    /// `--health-cmd`: a JSON list or a shell line, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// `--health-interval`; `disable` = zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Nanoseconds>,
    /// `--health-timeout`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Nanoseconds>,
    /// `--health-start-period`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<Nanoseconds>,
    /// `--health-retries`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}
