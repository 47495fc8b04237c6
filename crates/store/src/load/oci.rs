//! An OCI layout: `index.json` lists images or indexes of images; every blob is named by its digest.

use super::source::Source;
use super::{LoadedImage, report};
use crate::blob::digest_of;
use crate::error::{Error, Kind, Result};
use crate::lock::Wait;
use crate::pull::{LayerPull, Limits, NewImage};
use crate::store::Store;
use jiff::Timestamp;
use spec::oci::{Compression, DOCUMENT_LIMIT, Descriptor, ImageConfig, Index, LAYER_LIMIT, Manifest, MediaType};
use spec::{Platform, Reference};
use std::time::Duration;

/// Indexes inside indexes.
const NESTING: u32 = 4;
/// Images in one layout.
const IMAGES: usize = 1_000;

pub(super) fn load(store: &Store, source: &Source, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
    let index: Index = serde_json::from_slice(&source.document("index.json")?)
        .map_err(|error| source.bad(&format!("index.json: {error}")))?;
    if index.manifests.len() > IMAGES {
        return Err(source.bad(&format!("more than {IMAGES} images")));
    }
    let mut loaded = Vec::new();
    for descriptor in choices(&index) {
        let names: Vec<_> = name_of(descriptor).into_iter().collect();
        let Some(manifest) = manifest_of(source, descriptor, NESTING)? else { continue };
        loaded.extend(load_one(store, source, &manifest, &names, limits, now, path_of)?);
    }
    Ok(loaded)
}

/// A directory of `dir:` form: one image, without a name; each blob is a file called by its digits.
pub(super) fn load_flat(store: &Store, source: &Source, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
    let manifest = source.document("manifest.json")?;
    load_one(store, source, &manifest, &[], limits, now, |descriptor| descriptor.digest.hex())
}

/// What of an index is for this platform. Entries that do not say are; those that do give way to ones that fit better.
fn choices(index: &Index) -> Vec<&Descriptor> {
    let native = Platform::native();
    let fits = |descriptor: &Descriptor| {
        let platform = descriptor.platform.as_ref();
        platform.is_none_or(|platform| platform.platform().is_some_and(|platform| platform.serves(&native)))
    };
    let is_image = |descriptor: &&Descriptor| {
        // Attestations stand beside images, with a platform that is none.
        descriptor.platform.as_ref().is_none_or(|platform| platform.os != "unknown")
    };
    let fitting: Vec<_> = index.manifests.iter().filter(|descriptor| fits(descriptor)).collect();
    match fitting.is_empty() {
        // An archive made for another platform on purpose.
        true if index.manifests.len() == 1 => index.manifests.iter().filter(is_image).collect(),
        _ => fitting,
    }
}

/// The manifest that a descriptor leads to, through indexes; `None` if they have none for this platform.
fn manifest_of(source: &Source, descriptor: &Descriptor, nesting: u32) -> Result<Option<Vec<u8>>> {
    match MediaType::parse(&descriptor.media_type) {
        Ok(MediaType::Manifest) => blob(source, descriptor).map(Some),
        Ok(MediaType::Index) if nesting > 0 => {
            let index: Index = parse(source, &blob(source, descriptor)?)?;
            match choices(&index).first() {
                Some(chosen) => manifest_of(source, chosen, nesting - 1),
                None => Ok(None),
            }
        }
        Ok(MediaType::Index) => Err(source.bad("indexes inside indexes inside indexes")),
        // Other artifacts may lie in a layout too.
        _ => Ok(None),
    }
}

fn load_one(
    store: &Store,
    source: &Source,
    bytes: &[u8],
    names: &[Reference],
    limits: Limits,
    now: Timestamp,
    place: fn(&Descriptor) -> String,
) -> Result<Vec<LoadedImage>> {
    let manifest: Manifest = parse(source, bytes)?;
    if !matches!(MediaType::parse(&manifest.config.media_type), Ok(MediaType::Config)) {
        return Ok(Vec::new());
    }
    if manifest.layers.len() > LAYER_LIMIT {
        return Err(source.bad(&format!("an image of more than {LAYER_LIMIT} layers")));
    }
    let config_bytes = blob_at(source, &manifest.config, place)?;
    let config: ImageConfig = parse(source, &config_bytes)?;
    let pull = store.begin_pull(limits)?;
    for (descriptor, diff_id) in manifest.layers.iter().zip(&config.rootfs.diff_ids) {
        let compression = compression_of(source, descriptor)?;
        let wait = Wait::at_most(Duration::from_secs(600));
        match pull.layer(descriptor, diff_id, compression, wait)? {
            LayerPull::Present => {}
            LayerPull::Stream(stream) => {
                let mut member = source.member(&place(descriptor))?;
                member.skip(stream.resume_offset());
                stream.run(member, &|_| ())?;
            }
        }
    }
    let image = pull.commit(&NewImage { manifest: bytes, config: &config_bytes, names, digests: &[], now })?;
    Ok(report(&image, names))
}

fn compression_of(source: &Source, descriptor: &Descriptor) -> Result<Compression> {
    match MediaType::parse(&descriptor.media_type) {
        Ok(MediaType::Layer(compression)) => Ok(compression),
        _ => Err(Error::new(super::OP, source.name(), Kind::UnsupportedMediaType(descriptor.media_type.clone()))),
    }
}

fn path_of(descriptor: &Descriptor) -> String {
    format!("blobs/sha256/{}", descriptor.digest.hex())
}

/// Reads a document by its descriptor, and checks it.
fn blob(source: &Source, descriptor: &Descriptor) -> Result<Vec<u8>> {
    blob_at(source, descriptor, path_of)
}

fn blob_at(source: &Source, descriptor: &Descriptor, place: fn(&Descriptor) -> String) -> Result<Vec<u8>> {
    if descriptor.size > DOCUMENT_LIMIT {
        return Err(source.bad(&format!("a document larger than {DOCUMENT_LIMIT} bytes")));
    }
    let bytes = source.document(&place(descriptor))?;
    let (expected, actual) = (descriptor.digest, digest_of(&bytes));
    if actual != expected {
        return Err(Error::new(super::OP, source.name(), Kind::DigestMismatch { expected, actual }));
    }
    Ok(bytes)
}

fn parse<T: serde::de::DeserializeOwned>(source: &Source, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| source.bad(&error.to_string()))
}

/// The name in a descriptor's annotations, completed with `localhost` and `latest` as podman does.
fn name_of(descriptor: &Descriptor) -> Option<Reference> {
    ["io.containerd.image.name", "org.opencontainers.image.ref.name"].iter().find_map(|key| {
        let name = Reference::parse(descriptor.annotations.get(*key)?).ok()?;
        let name = Reference { digest: None, ..name }.with_default_tag();
        Some(if name.registry.is_none() { name.at("localhost") } else { name })
    })
}
