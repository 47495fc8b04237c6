//! Health checks: words of the group `health`.

use crate::duration::Nanoseconds;
use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Health check, as asked; kept with the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// `--no-healthcheck`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub disabled: bool,
    /// `--health-cmd`, as written; `none` switches the image's check off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// `--health-interval`; 0 = `disable`: only by hand. Absent = 30 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Nanoseconds>,
    /// `--health-timeout`; absent = 30 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Nanoseconds>,
    /// `--health-start-period`; absent = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<Nanoseconds>,
    /// `--health-retries`; absent = 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// `--health-on-failure`; absent = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// `--health-startup-*`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub startup: Startup,
    /// `--health-log-destination`; absent = `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_destination: Option<String>,
    /// `--health-max-log-count`; absent = 5, 0 = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_log_count: Option<u32>,
    /// `--health-max-log-size` in characters; absent = 500, 0 = all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_log_size: Option<u32>,
}

/// The check that has to succeed before the regular one begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Startup {
    /// `--health-startup-cmd`, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// `--health-startup-interval`; 0 = `disable`. Absent = 30 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Nanoseconds>,
    /// `--health-startup-timeout`; absent = 30 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Nanoseconds>,
    /// `--health-startup-retries`; absent = any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// `--health-startup-success`; absent = one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successes: Option<u32>,
}

/// What happens to a container that becomes unhealthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum OnFailure {
    None,
    Kill,
    Restart,
    Stop,
}

const ACTIONS: [(&str, OnFailure); 4] =
    [("none", OnFailure::None), ("kill", OnFailure::Kill), ("restart", OnFailure::Restart), ("stop", OnFailure::Stop)];

impl OnFailure {
    /// Parses podman's words.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        word::choose("on-failure action", text, &ACTIONS)
    }
}

impl fmt::Display for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word::word_of(self, &ACTIONS))
    }
}

/// The words of a check's command, as Docker keeps them: `["CMD-SHELL", line]`, `["CMD", word, …]` or `["NONE"]`.
///
/// A JSON list is words; a line that begins with `CMD` or `CMD-SHELL` says so itself; any other is for a shell.
pub fn test(command: &str) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let fields: Vec<&str> = command.split_whitespace().collect();
    if let Ok(words) = serde_json::from_str::<Vec<String>>(command) {
        return match words.first().map(String::as_str) {
            None => owned(&["NONE"]),
            Some("CMD" | "CMD-SHELL" | "NONE") => words,
            Some(_) if words.len() == 1 => [owned(&["CMD-SHELL"]), words].concat(),
            Some(_) => [owned(&["CMD"]), words].concat(),
        };
    }
    match fields.as_slice() {
        ["none" | "NONE"] => owned(&["NONE"]),
        ["CMD", ..] => owned(&fields),
        ["CMD-SHELL", rest @ ..] => owned(&["CMD-SHELL", &rest.join(" ")]),
        _ => owned(&["CMD-SHELL", command]),
    }
}

#[cfg(test)]
mod tests {
    use super::test;

    #[test]
    fn a_command_is_a_line_or_words() {
        for (command, words) in [
            ("curl x || exit 1", &["CMD-SHELL", "curl x || exit 1"][..]),
            ("none", &["NONE"]),
            ("[]", &["NONE"]),
            ("[\"curl\",\"x\"]", &["CMD", "curl", "x"]),
            ("[\"CMD\",\"curl\",\"x\"]", &["CMD", "curl", "x"]),
            ("[\"CMD-SHELL\",\"curl x\"]", &["CMD-SHELL", "curl x"]),
            ("[\"curl x\"]", &["CMD-SHELL", "curl x"]),
            ("CMD curl x", &["CMD", "curl", "x"]),
            ("CMD-SHELL curl  x", &["CMD-SHELL", "curl x"]),
            ("[ -f /x ]", &["CMD-SHELL", "[ -f /x ]"]),
        ] {
            assert_eq!(test(command), words, "{command}");
        }
    }
}
