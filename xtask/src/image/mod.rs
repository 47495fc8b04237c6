//! Images made without any network: from layers to files that `load` and registries take.
//!
//! The same layers and the same configuration give the same bytes each time. Tests craft their own,
//! also hostile ones; the ready-made are in `catalogue`.
//!
//! Formats: OCI image layout and manifest (image-spec v1.1), and docker's archive (`docker save`).

pub mod catalogue;
mod layer;

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub use layer::{Compression, Entry, Kind, Layer};

use crate::digest;

const CREATED: &str = "2025-01-01T00:00:00Z";

/// An image for this machine's architecture.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name with a tag, as `podman save` writes it: `localhost/busybox:latest`.
    pub reference: String,
    /// The `config` object of the image configuration: `Cmd`, `Env`, `User`, …
    pub config: Value,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
}

/// A blob with its digest and media type.
#[derive(Debug, Clone)]
pub struct Blob {
    /// `sha256:…`
    pub digest: String,
    /// What it is, in OCI's words.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Blob {
        Blob { digest: digest::sha256(&bytes), media_type, bytes }
    }

    fn json(media_type: &'static str, value: &Value) -> Blob {
        Blob::new(media_type, value.to_string().into_bytes())
    }

    /// Its descriptor, as manifests and indexes name it.
    pub fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len()})
    }

    fn hex(&self) -> &str {
        self.digest.trim_start_matches("sha256:")
    }
}

impl Image {
    /// Compresses and names every part; the costly step, done once for all formats.
    pub fn build(&self) -> Result<Built> {
        let mut layers = Vec::new();
        for layer in &self.layers {
            let tar = layer.tar();
            let blob = Blob::new(media_type(layer), layer.blob()?);
            layers.push(BuiltLayer { diff_id: digest::sha256(&tar), tar, blob });
        }
        let configuration = self.configuration(&layers);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": configuration.descriptor(),
            "layers": layers.iter().map(|layer| layer.blob.descriptor()).collect::<Vec<_>>(),
        });
        let manifest = Blob::json("application/vnd.oci.image.manifest.v1+json", &manifest);
        Ok(Built { reference: self.reference.clone(), layers, configuration, manifest })
    }

    fn configuration(&self, layers: &[BuiltLayer]) -> Blob {
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let step = json!({"created": CREATED, "created_by": "cargo xtask images"});
        let value = json!({
            "architecture": architecture(),
            "os": "linux",
            "created": CREATED,
            "config": self.config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": vec![step; layers.len()],
        });
        Blob::json("application/vnd.oci.image.config.v1+json", &value)
    }
}

/// An image with every part compressed and named.
#[derive(Debug, Clone)]
pub struct Built {
    /// Its name with a tag.
    pub reference: String,
    /// Its layers, lowest first.
    pub layers: Vec<BuiltLayer>,
    /// The image configuration.
    pub configuration: Blob,
    /// The manifest.
    pub manifest: Blob,
}

/// A layer in both of its forms.
#[derive(Debug, Clone)]
pub struct BuiltLayer {
    /// Digest of `tar`.
    pub diff_id: String,
    /// The uncompressed stream.
    pub tar: Vec<u8>,
    /// The layer as registries hold it.
    pub blob: Blob,
}

impl Built {
    /// Writes an OCI image layout into a directory, made if need be.
    pub fn write_oci_directory(&self, dir: &Path) -> Result<()> {
        for (path, bytes) in self.layout() {
            let path = dir.join(path);
            let parent = path.parent().unwrap_or(dir);
            fs::create_dir_all(parent).with_context(|| format!("make {parent:?}"))?;
            fs::write(&path, bytes).with_context(|| format!("write {path:?}"))?;
        }
        Ok(())
    }

    /// Writes an OCI image layout as one tar file (`oci-archive`).
    pub fn write_oci_archive(&self, path: &Path) -> Result<()> {
        write_archive(path, &self.layout())
    }

    /// Writes docker's archive, with uncompressed layers (`docker-archive`).
    pub fn write_docker_archive(&self, path: &Path) -> Result<()> {
        let name = |layer: &BuiltLayer| format!("{}.tar", &layer.diff_id[7..]);
        let configuration = format!("{}.json", self.configuration.hex());
        let manifest = json!([{
            "Config": configuration,
            "RepoTags": [self.reference],
            "Layers": self.layers.iter().map(name).collect::<Vec<_>>(),
        }]);
        let mut files: Vec<(String, Cow<'_, [u8]>)> =
            self.layers.iter().map(|layer| (name(layer), Cow::from(&layer.tar))).collect();
        files.push((configuration, Cow::from(&self.configuration.bytes)));
        files.push(("manifest.json".into(), manifest.to_string().into_bytes().into()));
        write_archive(path, &files)
    }

    /// The files of an OCI image layout.
    fn layout(&self) -> Vec<(String, Cow<'_, [u8]>)> {
        let mut top = self.manifest.descriptor();
        top["annotations"] = json!({"org.opencontainers.image.ref.name": self.reference});
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [top],
        });
        let mut files: Vec<(String, Cow<'_, [u8]>)> = vec![
            ("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.into()),
            ("index.json".into(), index.to_string().into_bytes().into()),
        ];
        let layers = self.layers.iter().map(|layer| &layer.blob);
        for blob in layers.chain([&self.configuration, &self.manifest]) {
            files.push((format!("blobs/sha256/{}", blob.hex()), Cow::from(&blob.bytes)));
        }
        files
    }
}

fn write_archive(path: &Path, files: &[(String, Cow<'_, [u8]>)]) -> Result<()> {
    let mut archive = Layer::new();
    for (name, bytes) in files {
        archive.file(name, bytes, 0o644);
    }
    fs::write(path, archive.tar()).with_context(|| format!("write {path:?}"))
}

fn media_type(layer: &Layer) -> &'static str {
    match layer.compression {
        Compression::None => "application/vnd.oci.image.layer.v1.tar",
        Compression::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
        Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
    }
}

/// This machine's architecture in Go's words, which OCI uses.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_names_every_blob_by_its_digest() {
        let mut layer = Layer::new();
        layer.file("a", "b", 0o644);
        let image =
            Image { reference: "localhost/a:latest".into(), config: json!({"Cmd": ["a"]}), layers: vec![layer] };
        let built = image.build().unwrap();
        let files = built.layout();
        for (path, bytes) in &files[2..] {
            assert_eq!(*path, format!("blobs/sha256/{}", &digest::sha256(bytes)[7..]));
        }
        assert_eq!(files, image.build().unwrap().layout());
        let index: Value = serde_json::from_slice(&files[1].1).unwrap();
        let digest = index["manifests"][0]["digest"].as_str().unwrap();
        assert_eq!(files.last().unwrap().0, format!("blobs/sha256/{}", &digest[7..]));
    }
}
