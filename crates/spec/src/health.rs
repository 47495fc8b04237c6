//! Health checks: words of the group `health`.

use serde::{Deserialize, Serialize};

/// Health check, as asked; kept with the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// `--no-healthcheck`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub disabled: bool,
}
