//! What a container may do: words of the group `security`.

use crate::options::suggest;
use crate::{ParseError, word};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Capabilities, seccomp and devices, as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// `--privileged`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub privileged: bool,
    /// `--cap-add`: upper case without `CAP_`, or `ALL`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_add: Vec<String>,
    /// `--cap-drop`: as `cap_add`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_drop: Vec<String>,
    /// `--security-opt no-new-privileges`
    #[serde(skip_serializing_if = "crate::is_default")]
    pub no_new_privileges: bool,
    /// `--security-opt seccomp=…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// `--security-opt mask=a:b`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<String>,
    /// `--security-opt unmask=a:b`, or `ALL`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmask: Vec<String>,
    /// `--security-opt label=…`, words as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label: Vec<String>,
    /// `--security-opt apparmor=…`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apparmor: Option<String>,
    /// `--device`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// `--device VENDOR/CLASS=NAME` and `--gpus`: devices by their CDI names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cdi: Vec<String>,
    /// `--security-opt proc-opts=…`: options of the container's `/proc`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proc_options: Vec<String>,
    /// `--sysctl name=value`, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sysctls: Vec<(String, String)>,
}

/// Which seccomp profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seccomp {
    /// No filter.
    Unconfined,
    /// A JSON file of the host.
    File(String),
}

/// `--device [-]host[:container][:rwm]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Path on the host.
    pub host: String,
    /// Path inside.
    pub container: String,
    /// Some of `r`, `w`, `m`, in this order.
    pub permissions: String,
    /// `-` in front: left out when the host has no such device.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub optional: bool,
}

impl Device {
    /// Parses `[-]host[:container][:rwm]`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |why: &str| ParseError::new("device", text, why);
        let (rest, optional) = match text.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let parts: Vec<&str> = rest.split(':').collect();
        let (host, container, permissions) = match parts.as_slice() {
            [host] => (*host, *host, "rwm"),
            [host, container] if container.starts_with('/') => (*host, *container, "rwm"),
            [host, permissions] => (*host, *host, *permissions),
            [host, container, permissions] => (*host, *container, *permissions),
            _ => return Err(bad("expected HOST[:CONTAINER][:rwm]")),
        };
        if !host.starts_with('/') {
            return Err(bad("expected an absolute path on the host, or a CDI name such as vendor.com/class=name"));
        }
        let given = |letter: char| permissions.matches(letter).count();
        let known = given('r') + given('w') + given('m') == permissions.len();
        if permissions.is_empty() || !known || "rwm".chars().any(|letter| given(letter) > 1) {
            return Err(bad("permissions are some of r, w and m"));
        }
        Ok(Self {
            host: word::plain("device", host)?,
            container: word::inside("device path", container)?,
            permissions: "rwm".chars().filter(|letter| given(*letter) == 1).collect(),
            optional,
        })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.optional { "-" } else { "" }, self.host)?;
        if self.container != self.host {
            write!(f, ":{}", self.container)?;
        }
        if self.permissions == "rwm" { Ok(()) } else { write!(f, ":{}", self.permissions) }
    }
}

/// Whether a `--device` is meant by its name in the Container Device Interface: `vendor.com/class=name`.
pub(crate) fn is_cdi_name(text: &str) -> bool {
    let Some((kind, name)) = text.split_once('=') else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let word = |text: &str, more: &[u8]| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || more.contains(&b);
        text.bytes().all(plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    word(vendor, b"_-.") && vendor.contains('.') && word(class, b"_-") && word(name, b"_-.:")
}

/// One option of procfs: `hidepid=` or `subset=pid`, as in mount(8).
pub(crate) fn parse_proc_option(text: &str) -> Result<String, ParseError> {
    let words = ["0", "1", "2", "4", "off", "noaccess", "invisible", "ptraceable"];
    match text.split_once('=') {
        Some(("hidepid", value)) if words.contains(&value) => Ok(text.to_owned()),
        Some(("subset", "pid")) => Ok(text.to_owned()),
        _ => Err(ParseError::new(
            "option of /proc",
            text,
            "expected hidepid=off, noaccess, invisible or ptraceable, or subset=pid",
        )),
    }
}

/// The capabilities of capabilities(7), without `CAP_`; each one's place is its number.
pub const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The upper-case name without `CAP_`, or `ALL`.
pub(crate) fn parse_capability(text: &str) -> Result<String, ParseError> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if name == "ALL" || CAPABILITIES.contains(&name) {
        return Ok(name.to_owned());
    }
    let near = suggest(name, CAPABILITIES).map(|near| format!(", did you mean {near}?")).unwrap_or_default();
    Err(ParseError(format!("unknown capability {text:?}{near}")))
}

/// What a `label=` option is about, in the order in which the options are kept.
const LABEL_KINDS: [&str; 7] = ["disable", "nested", "user", "role", "type", "level", "filetype"];

impl Security {
    /// Adds one `label=` option; a later one of the same kind replaces the earlier.
    pub(crate) fn set_label(&mut self, text: &str) -> Result<(), ParseError> {
        let (kind, value) = text.split_once(':').unwrap_or((text, ""));
        let rank = |kind: &str| LABEL_KINDS.iter().position(|known| *known == kind);
        let expected = "expected disable, nested, or user, role, type, level or filetype with :VALUE";
        let bad = || ParseError::new("label option", text, expected);
        let own = rank(kind).ok_or_else(bad)?;
        if (own < 2) != value.is_empty() || (own < 2 && text.contains(':')) {
            return Err(bad());
        }
        word::solid("label option", text)?;
        let kind_of = |option: &String| rank(option.split(':').next().unwrap_or_default());
        self.label.retain(|option| kind_of(option) != Some(own));
        let at = self.label.iter().take_while(|option| kind_of(option) < Some(own)).count();
        self.label.insert(at, text.to_owned());
        Ok(())
    }

    /// The value of the `label=KIND:VALUE` option, or an empty text for `disable` and `nested`.
    pub fn label_of(&self, kind: &str) -> Option<&str> {
        let value = |option: &'_ String| option == kind;
        match self.label.iter().any(value) {
            true => Some(""),
            false => self.label.iter().find_map(|option| option.strip_prefix(kind)?.strip_prefix(':')),
        }
    }
}
