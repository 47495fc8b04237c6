//! One image as `image inspect` shows it.

use super::inspect_container::{GraphDriver, Healthcheck, Nothing};
use crate::error::Result;
use crate::format::json::null_if_empty;
use crate::format::time::Time;
use crate::format::{Empty, Show, View};
use engine::{Engine, ImageRecord};
use gotmpl::Value;
use serde::Serialize;
use spec::oci::ContainerDefaults;
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
    /// Bytes of the layers as tars, and of the documents.
    pub(crate) size: u64,
    /// The same.
    pub(crate) virtual_size: u64,
    /// Where its layers are.
    pub(crate) graph_driver: GraphDriver,
    /// Its layers.
    #[serde(rename = "RootFS")]
    pub(crate) root_fs: RootFs,
    /// As in `config`.
    #[serde(serialize_with = "null_if_empty")]
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
    pub(crate) healthcheck: Option<Healthcheck>,
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

    const NULLS: &'static [(&'static str, Empty)] = &[("Labels", Empty::Map)];

    fn methods(&self, _: Show) -> Vec<(&'static str, Value)> {
        // A template names what the image's JSON leaves out when empty.
        let config = gotmpl::to_value(&Full(&self.config)).unwrap_or(Value::Nil);
        vec![("ID", Value::String(self.id.as_str().into())), ("Config", config)]
    }
}

/// A config with every field.
struct Full<'a>(&'a Config);

impl Serialize for Full<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
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

impl Image {
    /// The document of one image.
    pub(crate) fn of(image: &ImageRecord, engine: &Engine) -> Result<Self> {
        let config = engine.image_config(image)?;
        let manifest = engine.image_manifest(image)?;
        let manifest: Option<spec::oci::Manifest> = serde_json::from_slice(&manifest).ok();
        let names: Vec<String> = image.names.iter().map(ToString::to_string).collect();
        let mut data = BTreeMap::new();
        // A layer that is missing leaves the rest of the document whole.
        if let Ok(lower) = engine.store.lower_dirs(&image.layers) {
            let paths: Vec<String> = lower.iter().map(|path| path.display().to_string()).collect();
            if let Some((top, below)) = paths.split_first() {
                data.insert("UpperDir".to_owned(), top.clone());
                if !below.is_empty() {
                    data.insert("LowerDir".to_owned(), below.join(":"));
                }
            }
        }
        Ok(Self {
            id: image.id.hex(),
            digest: image.manifest.to_string(),
            repo_tags: names.clone(),
            repo_digests: image.digests.iter().map(ToString::to_string).collect(),
            parent: String::new(),
            comment: config.comment.clone().or_else(|| config.history.first()?.comment.clone()).unwrap_or_default(),
            created: Time::utc(super::images::created(image)),
            version: String::new(),
            author: config.author.clone().unwrap_or_default(),
            architecture: config.architecture.clone(),
            os: config.os.clone(),
            size: image.size,
            virtual_size: image.size,
            graph_driver: GraphDriver { name: "overlay".to_owned(), data },
            root_fs: RootFs {
                kind: "layers".to_owned(),
                layers: image.layers.iter().map(ToString::to_string).collect(),
            },
            labels: config.config.labels.clone(),
            annotations: manifest.as_ref().map(|manifest| manifest.annotations.clone()).unwrap_or_default(),
            manifest_type: manifest.and_then(|manifest| manifest.media_type).unwrap_or_else(|| OCI_MANIFEST.to_owned()),
            user: config.config.user.clone(),
            history: config.history.iter().map(step).collect(),
            names_history: names,
            healthcheck: config.config.healthcheck.as_ref().map(healthcheck),
            config: defaults(config.config),
        })
    }
}

/// What a manifest without media type is.
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn defaults(config: ContainerDefaults) -> Config {
    let keys = |map: BTreeMap<String, serde_json::Value>| map.into_keys().map(|key| (key, Nothing {})).collect();
    Config {
        user: config.user,
        exposed_ports: keys(config.exposed_ports),
        env: config.env,
        entrypoint: config.entrypoint.unwrap_or_default(),
        cmd: config.cmd.unwrap_or_default(),
        volumes: keys(config.volumes),
        working_dir: config.working_dir,
        labels: config.labels,
        stop_signal: config.stop_signal,
    }
}

fn step(step: &spec::oci::History) -> Step {
    Step {
        created: step.created.clone(),
        created_by: step.created_by.clone(),
        comment: step.comment.clone(),
        empty_layer: step.empty_layer,
    }
}

fn healthcheck(check: &spec::oci::ImageHealthcheck) -> Healthcheck {
    Healthcheck {
        successes: 0,
        test: check.test.clone(),
        start_period: check.start_period,
        interval: check.interval,
        timeout: check.timeout,
        retries: check.retries,
    }
}
