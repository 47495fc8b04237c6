//! Limits of a container: words of the group `resources`. Each becomes a property of its unit.

use crate::bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Limits, as asked; absent = none (pids: 2048).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// `--memory`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// `--memory-reservation`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<Bytes>,
    /// `--memory-swap`: memory plus swap; `Unlimited` = -1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_swap: Option<Limit<Bytes>>,
    /// `--cpus`, in thousandths of a processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus_milli: Option<u64>,
    /// `--cpu-shares`: 2 to 262144, cgroup v1's measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<u64>,
    /// `--cpu-quota`, in microseconds for each period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<u64>,
    /// `--cpu-period`, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_period: Option<u64>,
    /// `--cpuset-cpus`: `0-2,4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset_cpus: Option<String>,
    /// `--cpuset-mems`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset_mems: Option<String>,
    /// `--pids-limit`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<Limit<u64>>,
    /// `--blkio-weight`: 10 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_weight: Option<u64>,
    /// `--cgroups`; absent = enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroups: Option<CgroupMode>,
    /// `--cgroup-parent`: a slice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_parent: Option<String>,
}

/// A number, or none (`-1` on the command line).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit<T> {
    /// At most this.
    At(T),
    /// No limit.
    Unlimited,
}

/// `--cgroups`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupMode {
    /// A cgroup of its own.
    Enabled,
    /// The caller's cgroup.
    Disabled,
    /// As enabled: lodger has no conmon.
    NoConmon,
    /// The unit's own cgroup.
    Split,
}
