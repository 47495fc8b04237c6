//! How a container starts, stops and ends: words of the group `lifecycle`.

use crate::duration::Seconds;
use crate::signal::Signal;
use serde::{Deserialize, Serialize};

/// Restart, stop, removal, readiness, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifecycle {
    /// `--rm`: removed when it ends.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub remove: bool,
    /// `--rmi`: its image too, unless others use it.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub remove_image: bool,
    /// `--restart`; absent = no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// `--stop-signal`; absent = the image's, else SIGTERM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<Signal>,
    /// `--stop-timeout`; absent = 10 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<Seconds>,
    /// `--timeout`: killed after so long; 0 = never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Seconds>,
    /// `--sdnotify`; absent = container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdnotify: Option<SdNotify>,
    /// `--detach`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub detach: bool,
}

/// `--restart`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    No,
    /// However it ended.
    Always,
    /// As `Always`, but not after a reboot when it was stopped by hand.
    UnlessStopped,
    /// After a failure, at most so often (absent = without limit).
    OnFailure(Option<u32>),
}

/// `--sdnotify`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SdNotify {
    /// The program inside says when it is ready.
    Container,
    /// Ready as soon as it runs.
    Conmon,
    /// Ready at the first healthy result.
    Healthy,
    /// Nobody says anything.
    Ignore,
}
