//! How a container starts, stops and ends: words of the group `lifecycle`.

use crate::duration::Seconds;
use crate::signal::Signal;
use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

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

impl Restart {
    /// Parses `no`, `always`, `unless-stopped` or `on-failure[:N]`; `never` is another word for `no`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let expected = "expected no, on-failure[:max-retries], always or unless-stopped";
        let bad = || ParseError::new("restart policy", text, expected);
        match text.split_once(':') {
            None => match text {
                "no" | "never" => Ok(Self::No),
                "always" => Ok(Self::Always),
                "unless-stopped" => Ok(Self::UnlessStopped),
                "on-failure" => Ok(Self::OnFailure(None)),
                _ => Err(bad()),
            },
            Some(("on-failure", most)) => most.parse().map(|most| Self::OnFailure(Some(most))).map_err(|_| bad()),
            Some(_) => Err(bad()),
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Always => f.write_str("always"),
            Self::UnlessStopped => f.write_str("unless-stopped"),
            Self::OnFailure(None) => f.write_str("on-failure"),
            Self::OnFailure(Some(most)) => write!(f, "on-failure:{most}"),
        }
    }
}

const SD_NOTIFY: [(&str, SdNotify); 4] = [
    ("container", SdNotify::Container),
    ("conmon", SdNotify::Conmon),
    ("healthy", SdNotify::Healthy),
    ("ignore", SdNotify::Ignore),
];

impl SdNotify {
    /// Parses podman's words.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        word::choose("sdnotify mode", text, &SD_NOTIFY)
    }
}

impl fmt::Display for SdNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word::word_of(self, &SD_NOTIFY))
    }
}
