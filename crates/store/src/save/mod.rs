//! Images out of the store: archives and directories that every tool for images reads, and layers as blobs for a registry.
//!
//! ```text
//! docker   config, layer tars, manifest.json          (`docker save`; the ID comes back, the manifest's digest does not)
//! oci      oci-layout, index.json, blobs/sha256/…     (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>)
//! dir      version, manifest.json, one file a blob    (containers-transports(5), `dir:`)
//! ```
//!
//! Every layer's digest is checked while it is written: what is saved is whole, or an error says so.

mod blob;
mod sink;

use crate::error::{Error, Kind, Result};
use crate::image::ImageRecord;
use crate::store::Store;
use serde_json::{Value, json};
use sink::Sink;
use spec::oci::{Compression, Descriptor, Manifest};
use spec::{Digest, Reference};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::fd::BorrowedFd;

pub use blob::{LayerBlob, LayerForm};

const OP: &str = "save";
/// Media type of an OCI manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an OCI image config.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// `version` of a `dir:` directory.
const DIR_VERSION: &[u8] = b"Directory Transport Version: 1.1\n";

/// An image to save.
#[derive(Debug, Clone)]
pub struct SavedImage<'a> {
    /// Which.
    pub image: &'a ImageRecord,
    /// The names it is to have, each with registry and tag.
    pub names: Vec<Reference>,
}

/// What a single file looks like inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// As `docker save` makes them; holds any number of images.
    Docker,
    /// An OCI layout.
    Oci(LayerForm),
}

/// What a directory looks like inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryFormat {
    /// `dir:`, with a manifest of Docker's kind.
    Docker(LayerForm),
    /// An OCI layout; images that it has already stay, except one of the same name.
    Oci(LayerForm),
}

/// The families of media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The Open Container Initiative's.
    Oci,
    /// Docker's, schema 2.
    Docker,
}

impl Store {
    /// Writes images as one archive. Must run where the files' owners are mapped.
    pub fn save_archive(&self, images: &[SavedImage<'_>], format: ArchiveFormat, out: &mut dyn Write) -> Result<()> {
        let mut sink = Sink::archive(out);
        match format {
            ArchiveFormat::Docker => self.save_docker(images, &mut sink)?,
            ArchiveFormat::Oci(form) => self.save_layout(images, form, Vec::new(), &mut sink)?,
        }
        sink.finish()
    }

    /// Writes an image as files of a directory. Must run where the files' owners are mapped.
    pub fn save_directory(&self, image: &SavedImage<'_>, format: DirectoryFormat, to: BorrowedFd<'_>) -> Result<()> {
        let mut sink = Sink::directory(to);
        match format {
            DirectoryFormat::Docker(form) => self.save_flat(image.image, form, &mut sink)?,
            DirectoryFormat::Oci(form) => {
                sink.make_directory("blobs")?;
                sink.make_directory("blobs/sha256")?;
                let others = others_in(&mut sink, &image.names)?;
                self.save_layout(std::slice::from_ref(image), form, others, &mut sink)?;
            }
        }
        sink.finish()
    }

    fn save_docker(&self, images: &[SavedImage<'_>], sink: &mut Sink<'_>) -> Result<()> {
        let mut written = BTreeSet::new();
        let mut entries = Vec::new();
        for SavedImage { image, names } in images {
            for diff_id in image.layers.iter().filter(|diff_id| written.insert(**diff_id)) {
                self.put_layer(diff_id, &format!("{}.tar", diff_id.hex()), sink)?;
            }
            let config = format!("{}.json", image.id.hex());
            if written.insert(image.id) {
                sink.put_bytes(&config, &self.blob(&image.id)?)?;
            }
            let layers: Vec<_> = image.layers.iter().map(|diff_id| format!("{}.tar", diff_id.hex())).collect();
            let tags: Vec<_> = names.iter().map(ToString::to_string).collect();
            entries.push(json!({"Config": config, "RepoTags": tags, "Layers": layers}));
        }
        sink.put_bytes("manifest.json", Value::from(entries).to_string().as_bytes())
    }

    fn save_layout(
        &self,
        images: &[SavedImage<'_>],
        form: LayerForm,
        mut entries: Vec<Value>,
        sink: &mut Sink<'_>,
    ) -> Result<()> {
        let place = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
        let mut written = BTreeSet::new();
        for SavedImage { image, names } in images {
            let (manifest, bytes) = self.put_image(image, (Family::Oci, form), &place, &mut written, sink)?;
            sink.put_bytes(&place(&manifest), &bytes)?;
            let entry = |annotations: Value| {
                let mut entry = json!({"mediaType": OCI_MANIFEST, "digest": manifest, "size": bytes.len()});
                entry["annotations"] = annotations;
                entry
            };
            match names.is_empty() {
                true => entries.push(json!({"mediaType": OCI_MANIFEST, "digest": manifest, "size": bytes.len()})),
                false => entries.extend(
                    names.iter().map(|name| entry(json!({"org.opencontainers.image.ref.name": name.to_string()}))),
                ),
            }
        }
        sink.put_bytes("index.json", json!({"schemaVersion": 2, "manifests": entries}).to_string().as_bytes())?;
        sink.put_bytes("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}")
    }

    fn save_flat(&self, image: &ImageRecord, form: LayerForm, sink: &mut Sink<'_>) -> Result<()> {
        let (_, bytes) =
            self.put_image(image, (Family::Docker, form), &|digest| digest.hex(), &mut BTreeSet::new(), sink)?;
        sink.put_bytes("manifest.json", &bytes)?;
        sink.put_bytes("version", DIR_VERSION)
    }

    /// Writes layers and config, each once, and makes the manifest: its digest and bytes.
    fn put_image(
        &self,
        image: &ImageRecord,
        (family, form): (Family, LayerForm),
        place: &dyn Fn(&Digest) -> String,
        written: &mut BTreeSet<Digest>,
        sink: &mut Sink<'_>,
    ) -> Result<(Digest, Vec<u8>)> {
        let mut layers = Vec::with_capacity(image.layers.len());
        for diff_id in &image.layers {
            layers.push(match form {
                LayerForm::Plain => {
                    if written.insert(*diff_id) {
                        self.put_layer(diff_id, &place(diff_id), sink)?;
                    }
                    self.plain_layer(diff_id, family)?
                }
                LayerForm::Gzip => {
                    let mut blob = self.layer_blob(diff_id, family)?;
                    if written.insert(blob.descriptor.digest) {
                        sink.put_file(&place(&blob.descriptor.digest), &mut blob.file, blob.descriptor.size)?;
                    }
                    blob.descriptor
                }
            });
        }
        let config = self.blob(&image.id)?;
        if written.insert(image.id) {
            sink.put_bytes(&place(&image.id), &config)?;
        }
        let bytes = manifest_of(image, config.len(), layers, family)?;
        Ok((crate::blob::digest_of(&bytes), bytes))
    }

    fn put_layer(&self, diff_id: &Digest, name: &str, sink: &mut Sink<'_>) -> Result<()> {
        let size = self.layer_tar_size(diff_id)?;
        sink.put(name, size, |out| self.write_layer(diff_id, out))
    }
}

/// The media type of a layer.
pub fn layer_type(family: Family, compression: Compression) -> String {
    let (plain, join) = match family {
        Family::Oci => (OCI_LAYER, '+'),
        Family::Docker => (DOCKER_LAYER, '.'),
    };
    match compression {
        Compression::None => plain.to_owned(),
        Compression::Gzip => format!("{plain}{join}gzip"),
        Compression::Zstd => format!("{plain}{join}zstd"),
    }
}

/// The manifest of an image whose layers are these blobs.
pub fn manifest_of(image: &ImageRecord, config: usize, layers: Vec<Descriptor>, family: Family) -> Result<Vec<u8>> {
    manifest_of_parts(image.id, config, layers, family)
}

pub(crate) fn manifest_of_parts(id: Digest, config: usize, layers: Vec<Descriptor>, family: Family) -> Result<Vec<u8>> {
    let (own, config_type) = match family {
        Family::Oci => (OCI_MANIFEST, OCI_CONFIG),
        Family::Docker => (DOCKER_MANIFEST, DOCKER_CONFIG),
    };
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(own.to_owned()),
        config: descriptor(config_type, id, config as u64),
        layers,
        annotations: BTreeMap::new(),
    };
    let fail = |error: serde_json::Error| Error::new(OP, id.to_string(), Kind::Corrupt(error.to_string()));
    serde_json::to_vec(&manifest).map_err(fail)
}

fn descriptor(media_type: &str, digest: Digest, size: u64) -> Descriptor {
    Descriptor { media_type: media_type.into(), digest, size, platform: None, annotations: BTreeMap::new() }
}

/// What else a layout holds; entries are kept as they are.
fn others_in(sink: &mut Sink<'_>, names: &[Reference]) -> Result<Vec<Value>> {
    let Some(bytes) = sink.read("index.json")? else { return Ok(Vec::new()) };
    let bad = |why: &str| Error::new(OP, "index.json", Kind::BadArchive(why.to_owned()));
    let mut index: Value = serde_json::from_slice(&bytes).map_err(|error| bad(&error.to_string()))?;
    let Some(entries) = index["manifests"].as_array_mut().map(std::mem::take) else {
        return Err(bad("the directory holds something else"));
    };
    let ours = |entry: &Value| {
        let name = entry["annotations"]["org.opencontainers.image.ref.name"].as_str();
        names.iter().any(|own| name == Some(&own.to_string()))
    };
    Ok(entries.into_iter().filter(|entry| !ours(entry)).collect())
}

#[cfg(test)]
mod tests;
