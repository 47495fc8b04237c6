//! One container as `ps` lists it.
//!
//! JSON has the fields below in this order; a template sees words for people under many of the same names.

mod convert;

use crate::format::time::{self, Time};
use crate::format::{Show, View, Width, size};
use gotmpl::Value;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// Go's zero time in seconds of Unix: never.
pub(crate) const NEVER: i64 = -62_135_596_800;

/// A container.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Row {
    /// `--rm`
    pub(crate) auto_remove: bool,
    /// Arguments, without the entry point.
    pub(crate) command: Vec<String>,
    /// `3 minutes ago`
    #[serde(serialize_with = "ago")]
    pub(crate) created_at: Timestamp,
    /// `--cidfile`
    #[serde(rename = "CIDFile")]
    pub(crate) cid_file: String,
    /// Whether it has ended.
    pub(crate) exited: bool,
    /// Seconds of Unix, or [`NEVER`].
    pub(crate) exited_at: i64,
    /// Of the last run.
    pub(crate) exit_code: i32,
    /// Ports not published: number → protocols.
    pub(crate) exposed_ports: BTreeMap<u16, Vec<String>>,
    /// All 64 digits.
    pub(crate) id: String,
    /// Full name, or ID when it has none.
    pub(crate) image: String,
    /// All 64 digits.
    #[serde(rename = "ImageID")]
    pub(crate) image_id: String,
    /// Always false: lodger's pods need no infra container.
    pub(crate) is_infra: bool,
    /// Labels of container and image.
    pub(crate) labels: BTreeMap<String, String>,
    /// Paths inside.
    pub(crate) mounts: Vec<String>,
    /// One.
    pub(crate) names: Vec<String>,
    /// Inode numbers, when asked for.
    pub(crate) namespaces: Namespaces,
    /// Names of networks.
    pub(crate) networks: Vec<String>,
    /// Main process on the host; 0 when it does not run.
    pub(crate) pid: u32,
    /// ID of the pod, or empty.
    pub(crate) pod: String,
    /// Name of the pod, or empty.
    pub(crate) pod_name: String,
    /// Published ports.
    pub(crate) ports: Vec<Port>,
    /// By the restart policy.
    pub(crate) restarts: u32,
    /// When asked for.
    pub(crate) size: Option<Size>,
    /// Seconds of Unix, or [`NEVER`].
    pub(crate) started_at: i64,
    /// `running`, `exited`, `created`, …
    pub(crate) state: String,
    /// `Up 3 minutes`
    pub(crate) status: String,
    /// Seconds of Unix.
    #[serde(serialize_with = "seconds")]
    pub(crate) created: Timestamp,
    /// `healthy`, `unhealthy`, `starting`, or empty.
    #[serde(skip)]
    pub(crate) health: String,
}

/// Inode numbers of a container's namespaces.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "each is the namespace of its name")]
pub(crate) struct Namespaces {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) mnt: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cgroup: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) ipc: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) net: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) pidns: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) uts: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) user: String,
}

/// A published port or range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Port {
    /// Address on the host; empty = all.
    pub(crate) host_ip: String,
    /// First port inside.
    pub(crate) container_port: u16,
    /// First port on the host.
    pub(crate) host_port: u16,
    /// How many.
    pub(crate) range: u16,
    /// `tcp`, `udp`, `sctp`
    pub(crate) protocol: String,
}

/// Bytes on disk.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Size {
    /// Image and changes together.
    pub(crate) root_fs_size: u64,
    /// Changes alone.
    pub(crate) rw_size: u64,
}

fn seconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.as_second())
}

fn ago<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{} ago", time::since(at.as_second(), Timestamp::now())))
}

impl Row {
    /// `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`, `Created`.
    pub(crate) fn status(&self, now: Timestamp) -> String {
        let mut status = match self.state.as_str() {
            "running" => format!("Up {}", time::since(self.started_at, now)),
            "exited" | "stopped" => format!("Exited ({}) {} ago", self.exit_code, time::since(self.exited_at, now)),
            other => {
                let mut letters = other.chars();
                letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
            }
        };
        if !self.health.is_empty() {
            status.push_str(&format!(" ({})", self.health));
        }
        status
    }

    fn command(&self, width: Width) -> String {
        const SHOWN: usize = 17;
        let command = self.command.join(" ");
        match width {
            Width::Short if command.chars().count() > SHOWN => {
                format!("{}...", command.chars().take(SHOWN).collect::<String>())
            }
            _ => command,
        }
    }

    /// `0.0.0.0:8080->80/tcp, 443/tcp`: published ports, then exposed ones in runs.
    pub(crate) fn ports(&self) -> String {
        let mut parts: Vec<String> = self.ports.iter().map(Port::show).collect();
        let published: BTreeSet<(&str, u32)> = self.ports.iter().flat_map(Port::inside).collect();
        let mut exposed: Vec<(&str, u32)> = self
            .exposed_ports
            .iter()
            .flat_map(|(port, protocols)| protocols.iter().map(|protocol| (protocol.as_str(), u32::from(*port))))
            .filter(|port| !published.contains(port))
            .collect();
        exposed.sort_unstable();
        for run in exposed.chunk_by(|(protocol, port), (next, after)| protocol == next && port + 1 == *after) {
            let ((protocol, first), (_, last)) = (run[0], run[run.len() - 1]);
            let numbers = if first == last { first.to_string() } else { format!("{first}-{last}") };
            parts.push(format!("{numbers}/{protocol}"));
        }
        parts.join(", ")
    }

    fn size(&self) -> String {
        self.size.map_or_else(String::new, |bytes| {
            format!("{} (virtual {})", size::decimal(bytes.rw_size), size::decimal(bytes.root_fs_size))
        })
    }
}

impl Port {
    fn inside(&self) -> impl Iterator<Item = (&str, u32)> {
        let first = u32::from(self.container_port);
        (first..first + u32::from(self.range.max(1))).map(|port| (self.protocol.as_str(), port))
    }

    /// `0.0.0.0:8080-8081->80-81/tcp`
    pub(crate) fn show(&self) -> String {
        let host = match self.host_ip.as_str() {
            "" => "0.0.0.0".to_owned(),
            address if address.contains(':') => format!("[{address}]"),
            address => address.to_owned(),
        };
        let numbers = |first: u16| match self.range {
            0 | 1 => first.to_string(),
            range => format!("{first}-{}", u32::from(first) + u32::from(range) - 1),
        };
        format!("{host}:{}->{}/{}", numbers(self.host_port), numbers(self.container_port), self.protocol)
    }
}

impl View for Row {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[
        ("Cgroup", "CGROUPNS"),
        ("CreatedHuman", "CREATED"),
        ("ID", "CONTAINER ID"),
        ("PIDNS", "PIDNS"),
        ("Pod", "POD ID"),
        ("PodName", "PODNAME"),
        ("User", "USERNS"),
    ];

    fn methods(&self, show: Show) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::String(text.into());
        let ago = format!("{} ago", time::since(self.created.as_second(), show.now));
        let created = Time::local(self.created).go();
        let namespaces = &self.namespaces;
        vec![
            ("ID", text(show.id(&self.id))),
            ("ImageID", text(show.id(&self.image_id))),
            ("Pod", text(show.id(&self.pod))),
            ("Image", text(&self.image)),
            ("Status", text(&self.status(show.now))),
            ("Restarts", text(&self.restarts.to_string())),
            ("RunningFor", text(&ago)),
            ("Command", text(&self.command(show.width))),
            ("Size", text(&self.size())),
            ("Names", text(self.names.first().map_or("", String::as_str))),
            ("Networks", text(&self.networks.join(","))),
            ("Ports", text(&self.ports())),
            ("Created", text(&created)),
            ("CreatedAt", text(&created)),
            ("CreatedHuman", text(&ago)),
            ("Cgroup", text(&namespaces.cgroup)),
            ("IPC", text(&namespaces.ipc)),
            ("MNT", text(&namespaces.mnt)),
            ("NET", text(&namespaces.net)),
            ("PIDNS", text(&namespaces.pidns)),
            ("User", text(&namespaces.user)),
            ("UTS", text(&namespaces.uts)),
        ]
    }
}

#[cfg(test)]
mod tests;
