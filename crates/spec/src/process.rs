//! The process of a container: words of the group `process`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Command, environment, user and terminal, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Words after the image; empty means the image's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
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
