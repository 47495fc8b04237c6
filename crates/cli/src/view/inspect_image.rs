//! One image as `image inspect` shows it.

use crate::format::time::Time;
use crate::format::{Show, View};
use gotmpl::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// An image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Image {
    /// All 64 digits.
    pub(crate) id: String,
    /// Of the manifest.
    pub(crate) digest: String,
    /// Every name with its tag.
    pub(crate) repo_tags: Vec<String>,
    /// Every name with the manifest's digest.
    pub(crate) repo_digests: Vec<String>,
    /// Always empty.
    pub(crate) parent: String,
    /// Of the last build step.
    pub(crate) comment: String,
    /// By its own words.
    pub(crate) created: Time,
    /// What a container starts from.
    pub(crate) config: Config,
    /// Always empty.
    pub(crate) version: String,
    /// By its own words.
    pub(crate) author: String,
    /// `amd64`
    pub(crate) architecture: String,
    /// `linux`
    pub(crate) os: String,
    /// Bytes on disk, unpacked.
    pub(crate) size: u64,
    /// The same.
    pub(crate) virtual_size: u64,
    /// Where its layers are.
    pub(crate) graph_driver: super::inspect_container::GraphDriver,
    /// Its layers.
    #[serde(rename = "RootFS")]
    pub(crate) root_fs: RootFs,
    /// As in `config`.
    pub(crate) labels: BTreeMap<String, String>,
    /// Of the manifest.
    pub(crate) annotations: BTreeMap<String, String>,
    /// Media type.
    pub(crate) manifest_type: String,
    /// As in `config`.
    pub(crate) user: String,
    /// Build steps.
    pub(crate) history: Vec<Step>,
    /// Names it had, latest first.
    pub(crate) names_history: Vec<String>,
    /// Docker's health check.
    #[serde(rename = "Healthcheck", skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<super::inspect_container::Healthcheck>,
}

/// `config` of an image; absent things are left out, as in the image itself.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Config {
    /// `user[:group]`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) user: String,
    /// `80/tcp` → nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) exposed_ports: BTreeMap<String, Nothing>,
    /// `NAME=value`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) env: Vec<String>,
    /// First words of the command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) entrypoint: Vec<String>,
    /// Default arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) cmd: Vec<String>,
    /// Paths that want a volume.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) volumes: BTreeMap<String, Nothing>,
    /// Absolute path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) working_dir: String,
    /// Free text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Name or number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) stop_signal: String,
}

/// `{}`
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Nothing {}

/// The layers of an image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RootFs {
    /// Always `layers`.
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    /// Digests of the unpacked layers, lowest first.
    pub(crate) layers: Vec<String>,
}

/// One build step.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "fields of the OCI image specification")]
pub(crate) struct Step {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) empty_layer: bool,
}

impl View for Image {
    const TIMES: &'static [&'static str] = &["Created"];

    fn methods(&self, _: Show) -> Vec<(&'static str, Value)> {
        // A template names what the image's JSON leaves out when empty.
        let config = gotmpl::to_value(&Full(&self.config)).unwrap_or(Value::Nil);
        vec![("ID", Value::String(self.id.as_str().into())), ("Config", config)]
    }
}

/// A config with every field.
struct Full<'a>(&'a Config);

impl Serialize for Full<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let config = self.0;
        let mut out = serializer.serialize_struct("Config", 9)?;
        out.serialize_field("User", &config.user)?;
        out.serialize_field("ExposedPorts", &config.exposed_ports)?;
        out.serialize_field("Env", &config.env)?;
        out.serialize_field("Entrypoint", &config.entrypoint)?;
        out.serialize_field("Cmd", &config.cmd)?;
        out.serialize_field("Volumes", &config.volumes)?;
        out.serialize_field("WorkingDir", &config.working_dir)?;
        out.serialize_field("Labels", &config.labels)?;
        out.serialize_field("StopSignal", &config.stop_signal)?;
        out.end()
    }
}
