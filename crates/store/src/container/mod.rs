//! Containers: one directory each, found by ID, by the beginning of an ID, or by name.
//!
//! `container.json` is the truth, also for the name; the link under `names/` only finds it, and one that leads to
//! nothing, or to a container of another name, counts as absent. `directory` makes, finds and removes; `running` keeps what
//! the container is doing; `seen` reads all of it for a list.

mod directory;
mod health;
pub(crate) mod id;
mod marks;
mod running;
mod seen;

pub use health::{HealthRecord, HealthResult, HealthStatus};
pub use seen::Seen;

pub use self::id::ContainerId;
use crate::layer::RootAttributes;
use crate::state::ProcessId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spec::idmap::IdMap;
use spec::{ContainerSpec, Digest};
use std::collections::BTreeMap;

/// The image a container was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageUse {
    /// Image ID.
    pub id: Digest,
    /// The name as it was given, completed.
    pub name: String,
    /// Digest of the manifest it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Diff IDs, lowest first: all that a start needs to know of the image's files.
    pub layers: Vec<Digest>,
    /// Mode and owner of the top directory.
    #[serde(default)]
    pub root: RootAttributes,
}

/// Everything about a container that does not change while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerRecord {
    /// Its ID.
    pub id: ContainerId,
    /// Its name; unique.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Absent with `--rootfs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageUse>,
    /// The images whose files it mounts (`--mount type=image`), by their names in the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounted: Vec<ImageUse>,
    /// What was asked.
    pub spec: Box<ContainerSpec>,
    /// Its ids, where they are not the user's own in their usual order: outside is the user's namespace (0 is the user), for root the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<IdMap>,
    /// The command line that made it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create_command: Vec<String>,
    /// Names of its volumes, anonymous ones too: they cannot be removed while it exists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Whether it goes when it ends (`--rm`). `Store::sweep_containers` removes it once nobody minds it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto_remove: bool,
    /// Who made it to start it at once; with `auto_remove`, alive until the container is started. Absent where it waits for
    /// another command to start it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<ProcessId>,
    /// The unit that it runs in, or may be waiting in for a restart, where that is not called after its name: it was renamed meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether `init` has made it ready; counts until it has run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub initialized: bool,
}

/// The part of a record that lists show; quicker to read than the whole.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ContainerSummary {
    /// Its ID.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The image; absent with `--rootfs`.
    #[serde(default)]
    pub image: Option<ImageSummary>,
    /// The images whose files it mounts.
    #[serde(default)]
    pub mounted: Vec<ImageSummary>,
    /// Names of its volumes.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Whether it goes when it ends.
    #[serde(default)]
    pub auto_remove: bool,
    /// Who made it to start it at once.
    #[serde(default)]
    pub creator: Option<ProcessId>,
    #[serde(default)]
    spec: SpecSummary,
}

/// The image of a `ContainerSummary`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ImageSummary {
    /// Image ID.
    pub id: Digest,
    /// The name as it was given, completed.
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct SpecSummary {
    #[serde(default)]
    identity: IdentitySummary,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct IdentitySummary {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl ContainerSummary {
    /// Whether it was made from an image, or mounts its files.
    pub fn uses_image(&self, id: &Digest) -> bool {
        self.image.iter().chain(&self.mounted).any(|image| image.id == *id)
    }

    /// The labels that were given on its command line.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.spec.identity.labels
    }
}

#[cfg(test)]
pub(crate) mod tests;
