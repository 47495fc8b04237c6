//! What health checks of a container found.

use super::ContainerId;
use crate::error::Result;
use crate::layout;
use crate::record::Durability;
use crate::store::Store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Results of the run that began at `started_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthRecord {
    /// When the run began that was checked.
    pub started_at: Timestamp,
    /// What follows from the results.
    pub status: HealthStatus,
    /// Failures since the last success.
    #[serde(default)]
    pub failing_streak: u32,
    /// Successes of the check at the start, while that is asked instead.
    #[serde(default)]
    pub startup_successes: u32,
    /// The latest results, oldest first.
    #[serde(default)]
    pub log: Vec<HealthResult>,
}

/// podman's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum HealthStatus {
    Starting,
    Healthy,
    Unhealthy,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthResult {
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// 0 = healthy; -1 when it took too long.
    pub exit_code: i32,
    /// What it wrote, cut.
    pub output: String,
}

impl HealthStatus {
    /// `starting`, `healthy` or `unhealthy`
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl HealthRecord {
    /// Before the first check.
    pub fn new(started_at: Timestamp) -> Self {
        let status = HealthStatus::Starting;
        Self { started_at, status, failing_streak: 0, startup_successes: 0, log: Vec::new() }
    }
}

impl Store {
    /// Records results. Not synced: a power cut ends the run they are about.
    pub fn write_health(&self, id: &ContainerId, health: &HealthRecord) -> Result<()> {
        self.container(id)?;
        self.write_record(&layout::in_container(id, layout::CONTAINER_HEALTH), health, Durability::Volatile)
    }

    /// The results that were last written, of whatever run.
    pub fn read_health(&self, id: &ContainerId) -> Result<Option<HealthRecord>> {
        self.read_record(&layout::in_container(id, layout::CONTAINER_HEALTH))
    }
}
