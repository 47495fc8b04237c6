//! Limits of a container: words of the group `resources`. Each becomes a property of its unit.

use crate::bytes::Bytes;
use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// `--blkio-weight-device`: 10 to 1000.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_device_weight: Vec<DeviceLimit>,
    /// `--device-read-bps`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_read_bytes: Vec<DeviceLimit>,
    /// `--device-write-bps`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_write_bytes: Vec<DeviceLimit>,
    /// `--device-read-iops`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_read_operations: Vec<DeviceLimit>,
    /// `--device-write-iops`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_write_operations: Vec<DeviceLimit>,
    /// `--cgroup-conf`: files of the control group and what is written to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cgroup_files: Vec<(String, String)>,
}

/// A limit for one disk: `PATH:NUMBER`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLimit {
    /// The disk's node on the host.
    pub path: String,
    /// Bytes or operations for each second, or a weight.
    pub value: u64,
}

impl DeviceLimit {
    /// Parses `PATH:NUMBER`, the number by its own rule.
    pub fn parse(text: &str, number: impl FnOnce(&str) -> Result<u64, ParseError>) -> Result<Self, ParseError> {
        let bad = || ParseError::new("limit of a device", text, "expected PATH:NUMBER, with an absolute path");
        let (path, value) = text.rsplit_once(':').filter(|(path, _)| path.starts_with('/')).ok_or_else(bad)?;
        Ok(Self { path: word::plain("device", path)?, value: number(value)? })
    }
}

impl fmt::Display for DeviceLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.value)
    }
}

/// Parses `FILE=VALUE` of `--cgroup-conf`: a file directly in the group's directory.
pub(crate) fn parse_cgroup_file(text: &str) -> Result<(String, String), ParseError> {
    let bad = |why: &str| ParseError::new("control group setting", text, why);
    let (name, value) = text.split_once('=').ok_or_else(|| bad("expected FILE=VALUE"))?;
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !letters || !name.contains('.') || name.starts_with(['.', '-']) || name.starts_with("cgroup.") {
        return Err(bad("expected the name of a controller's file, such as memory.high"));
    }
    word::plain("control group setting", value)?;
    Ok((name.to_owned(), value.to_owned()))
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

impl<T: fmt::Display> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(most) => most.fmt(f),
            Self::Unlimited => f.write_str("-1"),
        }
    }
}

const MODES: [(&str, CgroupMode); 4] = [
    ("enabled", CgroupMode::Enabled),
    ("disabled", CgroupMode::Disabled),
    ("no-conmon", CgroupMode::NoConmon),
    ("split", CgroupMode::Split),
];

impl CgroupMode {
    /// Parses podman's words.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        word::choose("cgroups mode", text, &MODES)
    }
}

impl fmt::Display for CgroupMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word::word_of(self, &MODES))
    }
}

/// More processors than any machine has.
const MOST_CPUS: u64 = 1 << 20;

/// Parses `--cpus` to thousandths of a processor: `1.5` → 1500. Digits past the third are rounded.
pub(crate) fn parse_cpus(text: &str) -> Result<u64, ParseError> {
    let bad = |why: &str| ParseError::new("number of CPUs", text, why);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) {
        return Err(bad("expected a decimal number such as 1.5"));
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad("too large"))? };
    let digit = |at: usize| part.as_bytes().get(at).map_or(0, |b| u64::from(b - b'0'));
    let milli = digit(0) * 100 + digit(1) * 10 + digit(2) + u64::from(digit(3) >= 5);
    if whole > MOST_CPUS {
        return Err(bad("too large"));
    }
    match whole * 1000 + milli {
        0 if part.bytes().any(|b| b != b'0') => Err(bad("less than a thousandth of a CPU")),
        cpus => Ok(cpus),
    }
}

/// `1500` → `1.5`
pub(crate) fn show_cpus(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Checks a list of processors or memory nodes: `0-2,4`.
pub(crate) fn check_set(what: &str, text: &str) -> Result<String, ParseError> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|n| *n < 8192 && !text.starts_with('+'));
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)).is_some_and(|(first, last)| first <= last),
        None => number(part).is_some(),
    };
    if text.split(',').all(range) {
        Ok(text.to_owned())
    } else {
        Err(ParseError::new(what, text, "expected numbers and ranges such as 0-3,7"))
    }
}
