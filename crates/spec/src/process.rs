//! The process of a container: words of the group `process`.

use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// `--systemd`: whether the container gets what systemd demands of a container manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Systemd {
    /// When its program is systemd, by its name.
    True,
    /// Never.
    False,
    /// Whatever its program is.
    Always,
}

impl Systemd {
    /// Parses `true`, `false` or `always`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text {
            "always" => Ok(Self::Always),
            text => match crate::options::parse::parse_switch(text) {
                Ok(true) => Ok(Self::True),
                Ok(false) => Ok(Self::False),
                Err(_) => Err(ParseError::new("systemd mode", text, "expected true, false or always")),
            },
        }
    }
}

impl fmt::Display for Systemd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "true",
            Self::False => "false",
            Self::Always => "always",
        })
    }
}

/// Command, environment, user and terminal, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Words after the image; empty means the image's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// `--systemd`; absent = when the program is systemd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub systemd: Option<Systemd>,
    /// `--entrypoint`: absent = the image's; an empty list = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// `--env NAME=value`; no value = taken from the caller's environment, if set there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Option<String>>,
    /// `--env-file`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env_files: Vec<String>,
    /// `--env-host`: start from the caller's environment.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub env_host: bool,
    /// `--env-merge NAME=value-with-${NAME}`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env_merge: BTreeMap<String, String>,
    /// `--unsetenv`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unset_env: Vec<String>,
    /// `--unsetenv-all`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub unset_env_all: bool,
    /// `--http-proxy`: absent = yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_proxy: Option<bool>,
    /// `--user user[:group]`, names or numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `--group-add`: names or numbers, or `keep-groups` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// `--workdir`: absolute path inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// `--tty`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub tty: bool,
    /// `--interactive`: standard input stays open.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub interactive: bool,
    /// `--init`: a small process 1 that reaps and forwards signals.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub init: bool,
    /// `--umask`, octal; absent = 0022.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    /// `--ulimit`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ulimits: Vec<Ulimit>,
    /// `--oom-score-adj`: -1000 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i32>,
    /// `--tz`: a zone name, or `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// `--passwd=false`: leave `/etc/passwd` and `/etc/group` as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passwd: Option<bool>,
    /// `--preserve-fds N`: descriptors 3 … 3+N-1 of the caller are handed on.
    #[serde(skip_serializing_if = "crate::is_default")]
    pub preserve_fds: u32,
    /// `--preserve-fd`: these descriptors of the caller are handed on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preserve_fd: Vec<u32>,
    /// `--passwd-entry`: the line of a user that the image lacks, with `$UID` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passwd_entry: Option<String>,
    /// `--group-entry`: as `passwd_entry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_entry: Option<String>,
    /// `--hostuser`: users of the host that the container knows too, by name or number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_users: Vec<String>,
    /// `--personality`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personality: Option<Personality>,
}

/// The kernel that a program takes itself to run on: personality(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Personality {
    /// The machine's own.
    Linux,
    /// One for 32 bits: `uname -m` says i686.
    Linux32,
}

const PERSONALITIES: [(&str, Personality); 2] = [("LINUX", Personality::Linux), ("LINUX32", Personality::Linux32)];

impl Personality {
    /// Parses the names that container runtimes know.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        word::choose("personality", text, &PERSONALITIES)
    }
}

impl fmt::Display for Personality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word::word_of(self, &PERSONALITIES))
    }
}

/// One `--ulimit NAME=soft[:hard]`; -1 is written as `u64::MAX`, unlimited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ulimit {
    /// All limits of the caller as they are.
    Host,
    /// One limit.
    Set {
        /// Lower case, without `RLIMIT_`: `nofile`.
        name: UlimitName,
        /// In the limit's own unit (bytes, seconds, count).
        soft: u64,
        /// As `soft`.
        hard: u64,
    },
}

/// The kernel's resource limits (`getrlimit(2)`), by their lower-case names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum UlimitName {
    Core,
    Cpu,
    Data,
    Fsize,
    Locks,
    Memlock,
    Msgqueue,
    Nice,
    Nofile,
    Nproc,
    Rss,
    Rtprio,
    Rttime,
    Sigpending,
    Stack,
    As,
}

const ULIMITS: [(&str, UlimitName); 16] = [
    ("core", UlimitName::Core),
    ("cpu", UlimitName::Cpu),
    ("data", UlimitName::Data),
    ("fsize", UlimitName::Fsize),
    ("locks", UlimitName::Locks),
    ("memlock", UlimitName::Memlock),
    ("msgqueue", UlimitName::Msgqueue),
    ("nice", UlimitName::Nice),
    ("nofile", UlimitName::Nofile),
    ("nproc", UlimitName::Nproc),
    ("rss", UlimitName::Rss),
    ("rtprio", UlimitName::Rtprio),
    ("rttime", UlimitName::Rttime),
    ("sigpending", UlimitName::Sigpending),
    ("stack", UlimitName::Stack),
    ("as", UlimitName::As),
];

impl UlimitName {
    /// Parses the lower-case name, or the kernel's (`RLIMIT_NOFILE`).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let lower = text.to_ascii_lowercase();
        word::choose("ulimit name", lower.strip_prefix("rlimit_").unwrap_or(&lower), &ULIMITS)
    }
}

impl fmt::Display for UlimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word::word_of(self, &ULIMITS))
    }
}

impl Ulimit {
    /// Parses `host` or `NAME=soft[:hard]`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |why: &str| ParseError::new("ulimit", text, why);
        if text == "host" {
            return Ok(Self::Host);
        }
        let (name, limits) = text.split_once('=').ok_or_else(|| bad("expected NAME=soft[:hard] or host"))?;
        let name = UlimitName::parse(name)?;
        let limit = |text: &str| match text {
            "-1" | "unlimited" => Ok(u64::MAX),
            text => text.parse().map_err(|_| bad("a limit is a whole number, -1 or unlimited")),
        };
        let (soft, hard) = match limits.split_once(':') {
            Some((soft, hard)) => (limit(soft)?, limit(hard)?),
            None => (limit(limits)?, limit(limits)?),
        };
        if soft > hard {
            return Err(bad("the soft limit must be less than or equal to the hard limit"));
        }
        Ok(Self::Set { name, soft, hard })
    }
}

impl fmt::Display for Ulimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |limit: u64| if limit == u64::MAX { "-1".to_owned() } else { limit.to_string() };
        match self {
            Self::Host => f.write_str("host"),
            Self::Set { name, soft, hard } if soft == hard => write!(f, "{name}={}", shown(*soft)),
            Self::Set { name, soft, hard } => write!(f, "{name}={}:{}", shown(*soft), shown(*hard)),
        }
    }
}
