//! Image documents: manifest, index and config, of OCI and of Docker schema 2.
//!
//! Own structs and not a library's: Docker's extensions (`Healthcheck`, `Shell`, `OnBuild`) have no place in the OCI
//! types, and the start path parses a config on every run. Unknown fields are ignored, as both specifications ask.
//! Sizes are bytes; times are RFC 3339 text as found.

use crate::{Digest, ParseError, Platform};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest manifest, index or config that is read: 4 MiB, the limit registries themselves set.
pub const DOCUMENT_LIMIT: u64 = 4 << 20;
/// The most layers of one image; the kernel's overlay takes 500.
pub const LAYER_LIMIT: usize = 500;

/// What a blob is, in the words of OCI and Docker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// Choice of manifests by platform.
    Index,
    /// One image.
    Manifest,
    /// An image's config.
    Config,
    /// A layer, with its compression.
    Layer(Compression),
}

/// How a layer's tar is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Plain tar.
    None,
    /// gzip (RFC 1952), several members allowed.
    Gzip,
    /// zstd (RFC 8878).
    Zstd,
}

impl MediaType {
    /// Knows OCI's and Docker's names; anything else is an error that quotes it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        // Registries add parameters such as "; charset=utf-8".
        let plain = text.split(';').next().unwrap_or_default().trim();
        Ok(match plain {
            "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
                Self::Index
            }
            "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json" => {
                Self::Manifest
            }
            "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json" => {
                Self::Config
            }
            "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar" => Self::Layer(Compression::None),
            "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
            | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => Self::Layer(Compression::Gzip),
            "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => Self::Layer(Compression::Zstd),
            _ => return Err(ParseError(format!("unknown media type {text:?}"))),
        })
    }
}

/// Points at a blob by digest and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// As in the document; `MediaType::parse` gives its meaning.
    pub media_type: String,
    /// Of the blob's bytes.
    pub digest: Digest,
    /// Of the blob, in bytes.
    pub size: u64,
    /// In an index: what the manifest is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<IndexPlatform>,
    /// Free text of the image's author; never trusted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The platform object of an index entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexPlatform {
    /// `linux`
    pub os: String,
    /// `amd64`
    pub architecture: String,
    /// `v7`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl IndexPlatform {
    /// As a `Platform`, if its words are well formed.
    pub fn platform(&self) -> Option<Platform> {
        let variant = self.variant.as_deref().filter(|v| !v.is_empty());
        let text = match variant {
            Some(variant) => format!("{}/{}/{variant}", self.os, self.architecture),
            None => format!("{}/{}", self.os, self.architecture),
        };
        Platform::parse(&text).ok()
    }
}

/// An image manifest (OCI, or Docker schema 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// OCI allows it to be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The image config.
    pub config: Descriptor,
    /// Lowest layer first.
    pub layers: Vec<Descriptor>,
    /// Free text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// An OCI index or Docker manifest list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// OCI allows it to be absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// In order of preference.
    pub manifests: Vec<Descriptor>,
}

/// An image config: what to run and which layers it stands on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// RFC 3339; some builders leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who built it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What its maker says of it; Docker's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `amd64`
    #[serde(default)]
    pub architecture: String,
    /// `linux`
    #[serde(default)]
    pub os: String,
    /// `v7`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Defaults for containers.
    #[serde(default, deserialize_with = "null_is_default")]
    pub config: ContainerDefaults,
    /// The uncompressed layers.
    pub rootfs: RootFs,
    /// One entry for each build step.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
}

/// `rootfs` of an image config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Digests of the uncompressed tars, lowest first.
    #[serde(default, deserialize_with = "null_is_default")]
    pub diff_ids: Vec<Digest>,
}

/// One build step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the step made no layer.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub empty_layer: bool,
}

/// The `config` object of an image config, with Docker's additions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerDefaults {
    /// `user[:group]`, names or numbers.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub user: String,
    /// `80/tcp` → nothing.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub exposed_ports: BTreeMap<String, serde_json::Value>,
    /// `NAME=value`.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub env: Vec<String>,
    /// First words of the command; absent and empty differ for `inspect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Paths that want a volume.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub volumes: BTreeMap<String, serde_json::Value>,
    /// Absolute path inside.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub working_dir: String,
    /// Free text; shown, never obeyed.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub labels: BTreeMap<String, String>,
    /// Name or number.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub stop_signal: String,
    /// Docker's health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<ImageHealthcheck>,
    /// For images built upon this one.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub on_build: Vec<String>,
    /// For shell-form commands at build time.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "crate::is_default")]
    pub shell: Vec<String>,
}

/// Docker's `Healthcheck`; durations in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageHealthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", "…"]` or `["NONE"]`.
    #[serde(deserialize_with = "null_is_default")]
    pub test: Vec<String>,
    /// Between checks.
    pub interval: u64,
    /// Of one check.
    pub timeout: u64,
    /// Grace at the start.
    pub start_period: u64,
    /// Failures until unhealthy.
    pub retries: u64,
}

/// Go writes empty maps and lists as `null`.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
