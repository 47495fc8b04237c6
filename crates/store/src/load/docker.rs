//! Docker's format: `manifest.json` lists images, each with its config, names and layer tars.
//!
//! It has no manifests, so one is made: its layers are the plain tars, whose digests are known and were checked.

use super::source::Source;
use super::{LoadedImage, OP, report, unpack_member};
use crate::blob::digest_of;
use crate::error::{Error, Kind, Result};
use crate::pull::{Limits, NewImage, missing_layer};
use crate::store::Store;
use jiff::Timestamp;
use serde::Deserialize;
use spec::Reference;
use spec::oci::{Descriptor, ImageConfig, LAYER_LIMIT, Manifest};
use std::collections::BTreeMap;

/// Images in one archive.
const IMAGES: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

pub(super) fn load(store: &Store, source: &Source, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
    let entries: Vec<Entry> = serde_json::from_slice(&source.document("manifest.json")?)
        .map_err(|error| source.bad(&format!("manifest.json: {error}")))?;
    if entries.len() > IMAGES {
        return Err(source.bad(&format!("more than {IMAGES} images")));
    }
    let mut loaded = Vec::new();
    for entry in &entries {
        loaded.extend(load_one(store, source, entry, limits, now)?);
    }
    Ok(loaded)
}

fn load_one(store: &Store, source: &Source, entry: &Entry, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
    let bytes = source.document(&entry.config)?;
    let config: ImageConfig =
        serde_json::from_slice(&bytes).map_err(|error| source.bad(&format!("{:?}: {error}", entry.config)))?;
    let diff_ids = &config.rootfs.diff_ids;
    let layers = entry.layers.as_deref().unwrap_or_default();
    if layers.len() != diff_ids.len() || layers.len() > LAYER_LIMIT {
        let why = format!("{} layers where the config has {}", layers.len(), diff_ids.len());
        return Err(source.bad(&why));
    }
    let names = entry.repo_tags.iter().flatten().map(|tag| full_name(tag)).collect::<Result<Vec<_>>>()?;
    let pull = store.begin_pull(limits)?;
    let mut blobs = Vec::with_capacity(layers.len());
    for (layer, diff_id) in layers.iter().zip(diff_ids) {
        if !pull.has_layer(diff_id)? {
            unpack_member(&pull, source, source.member(layer)?, diff_id)?;
        }
        let size = store.layer_record(diff_id)?.ok_or_else(|| missing_layer(diff_id))?.tar_size;
        blobs.push(descriptor("application/vnd.oci.image.layer.v1.tar", *diff_id, size));
    }
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some("application/vnd.oci.image.manifest.v1+json".into()),
        config: descriptor("application/vnd.oci.image.config.v1+json", digest_of(&bytes), bytes.len() as u64),
        layers: blobs,
        annotations: BTreeMap::new(),
    };
    let manifest = serde_json::to_vec(&manifest).map_err(|error| source.bad(&error.to_string()))?;
    let image = pull.commit(&NewImage { manifest: &manifest, config: &bytes, names: &names, digests: &[], now })?;
    Ok(report(&image, &names))
}

fn descriptor(media_type: &str, digest: spec::Digest, size: u64) -> Descriptor {
    Descriptor { media_type: media_type.into(), digest, size, platform: None, annotations: BTreeMap::new() }
}

/// Docker leaves its own registry out of names.
fn full_name(tag: &str) -> Result<Reference> {
    let name = Reference::parse(tag).map_err(|error| Error::new(OP, tag, Kind::InvalidName(error.to_string())))?;
    let name = Reference { digest: None, ..name }.with_default_tag();
    Ok(if name.registry.is_none() { name.at("docker.io") } else { name })
}
