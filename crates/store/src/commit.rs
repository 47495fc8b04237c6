//! Making an image visible: blobs and layers durable first, then its record, then its names.

use crate::blob::digest_of;
use crate::error::{At, Error, Kind, Result};
use crate::image::{ImageRecord, full_name};
use crate::index::PastImage;
use crate::layer::{LayerRecord, Presence, RootAttributes};
use crate::layout;
use crate::lock::Access;
use crate::pull::{Pull, missing_layer};
use crate::record::{self, Durability};
use crate::save::{Family, manifest_of_parts};
use crate::store::Store;
use jiff::Timestamp;
use spec::oci::{ImageConfig, LAYER_LIMIT, Manifest, MediaType};
use spec::{Digest, Reference};
use std::path::Path;

const OP: &str = "commit image";

/// What makes an image of layers.
#[derive(Debug, Clone)]
pub struct NewImage<'a> {
    /// The manifest, byte for byte.
    pub manifest: &'a [u8],
    /// The config, byte for byte; its digest is the image ID.
    pub config: &'a [u8],
    /// Full names that it gets, with registry; a missing tag means `latest`.
    pub names: &'a [Reference],
    /// Names with digest that it came under: the manifest's own, and that of the index it was chosen from.
    pub digests: &'a [Reference],
    /// When.
    pub now: Timestamp,
}

/// Checks that the documents belong together: the manifest names the config, and both have the same number of layers.
///
/// Returns the diff IDs, lowest first.
fn check_documents(image: &NewImage<'_>, id: &Digest) -> Result<(Manifest, ImageConfig)> {
    let bad = |what: &str, why: String| Error::new(OP, format!("{what} of {id}"), Kind::Corrupt(why));
    let manifest: Manifest =
        serde_json::from_slice(image.manifest).map_err(|error| bad("manifest", error.to_string()))?;
    let config: ImageConfig = serde_json::from_slice(image.config).map_err(|error| bad("config", error.to_string()))?;
    if manifest.config.digest != *id {
        let kind = Kind::DigestMismatch { expected: manifest.config.digest, actual: *id };
        return Err(Error::new(OP, "config", kind));
    }
    if manifest.config.size != image.config.len() as u64 {
        let kind = Kind::SizeMismatch { expected: manifest.config.size, actual: image.config.len() as u64 };
        return Err(Error::new(OP, "config", kind));
    }
    for layer in &manifest.layers {
        if !matches!(MediaType::parse(&layer.media_type), Ok(MediaType::Layer(_))) {
            return Err(Error::new(OP, id.to_string(), Kind::UnsupportedMediaType(layer.media_type.clone())));
        }
    }
    let (blobs, layers) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if blobs != layers {
        return Err(bad("manifest", format!("the manifest has {blobs} layers, the config {layers}")));
    }
    if layers > LAYER_LIMIT {
        return Err(bad("config", format!("more than {LAYER_LIMIT} layers")));
    }
    Ok((manifest, config))
}

impl Pull<'_> {
    /// Makes the image visible: everything durable first, then its record, then its names.
    ///
    /// Checks that manifest, config and layers belong together and that every layer is there. An image that is there
    /// already only gets the new names and digests.
    pub fn commit(self, image: &NewImage<'_>) -> Result<ImageRecord> {
        let store = self.store;
        let (id, manifest) = (digest_of(image.config), digest_of(image.manifest));
        let (_, config) = check_documents(image, &id)?;
        let names = image.names.iter().map(|name| full_name(OP, name)).collect::<Result<Vec<_>>>()?;
        let mut record = store.new_record(&id, &manifest, &config, image)?;

        // What a record names was synced before; what is only there may still be another pull's unsynced work.
        let known = store.read_record::<ImageRecord>(&layout::image(&id)).unwrap_or_default();
        let mut sync = !known.is_some_and(|known| known.manifests.contains(&manifest));
        sync |= store.write_blob(&id, image.config)? | store.write_blob(&manifest, image.manifest)?;
        let mut unsynced = Vec::new();
        for diff_id in &record.layers {
            match store.layer_presence(diff_id)? {
                Presence::Durable => {}
                Presence::Unsynced => unsynced.push(*diff_id),
                Presence::Absent => return Err(missing_layer(diff_id)),
            }
        }
        sync |= !unsynced.is_empty();
        if sync {
            store.sync_all()?;
        }

        let _images = store.images_lock(Access::Exclusive)?;
        store.write_image(&mut record)?;
        for diff_id in &unsynced {
            store.mark_synced(diff_id)?;
        }
        let mut index = store.index()?;
        let before = index.clone();
        for name in names {
            index.digests.insert(with_digest(&name, manifest), id);
            index.give(name, PastImage { image: id, manifest, since: image.now });
        }
        for digest in image.digests.iter().filter(|name| name.registry.is_some() && name.digest.is_some()) {
            index.digests.insert(Reference { tag: None, ..digest.clone() }, id);
        }
        if index != before {
            store.write_index(&index, Durability::Durable)?;
        }
        record.names = index.names_of(&id);
        record.digests = index.digests_of(&id);
        Ok(record)
    }
}

impl Pull<'_> {
    /// The same for an image whose layers (diff IDs, lowest first) are there and whose manifest, of plain layers, is not.
    pub fn commit_made(
        self,
        config: &[u8],
        layers: &[Digest],
        names: &[Reference],
        family: Family,
        now: Timestamp,
    ) -> Result<ImageRecord> {
        let blobs = layers.iter().map(|layer| self.store.plain_layer(layer, family)).collect::<Result<Vec<_>>>()?;
        let manifest = manifest_of_parts(digest_of(config), config.len(), blobs, family)?;
        self.commit(&NewImage { manifest: &manifest, config, names, digests: &[], now })
    }
}

/// The name with the digest in place of its tag.
fn with_digest(name: &Reference, digest: Digest) -> Reference {
    Reference { tag: None, digest: Some(digest), ..name.clone() }
}

impl Store {
    /// The record of an image whose layers are there.
    fn new_record(
        &self,
        id: &Digest,
        manifest: &Digest,
        config: &ImageConfig,
        image: &NewImage<'_>,
    ) -> Result<ImageRecord> {
        let layers = config.rootfs.diff_ids.clone();
        // As podman counts: the manifest is kept under two names.
        let mut size = (image.config.len() + 2 * image.manifest.len()) as u64;
        let mut root = RootAttributes::default();
        for diff_id in &layers {
            let layer: LayerRecord = self.layer_record(diff_id)?.ok_or_else(|| missing_layer(diff_id))?;
            size = size.saturating_add(layer.tar_size);
            root = layer.root.unwrap_or(root);
        }
        Ok(ImageRecord {
            id: *id,
            manifest: *manifest,
            manifests: vec![*manifest],
            layers,
            size,
            root,
            created: config.created.clone(),
            pulled: image.now,
            names: Vec::new(),
            digests: Vec::new(),
        })
    }

    /// Writes an image's record, durable. What an earlier one knows is kept. The images' lock is held exclusively.
    fn write_image(&self, record: &mut ImageRecord) -> Result<()> {
        let path = layout::image(&record.id);
        // One that cannot be read is replaced: the image was just verified.
        let earlier = self.read_record::<ImageRecord>(&path).unwrap_or_default();
        if let Some(earlier) = earlier {
            record.pulled = earlier.pulled;
            let others = earlier.manifests.iter().filter(|manifest| **manifest != record.manifest);
            record.manifests.extend(others);
            if earlier == *record {
                return Ok(());
            }
        }
        self.write_record(&path, record, Durability::Durable)
    }

    /// Writes a blob unless it is there and whole. Not synced; true if it was written.
    fn write_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<bool> {
        if self.blob(digest).is_ok() {
            return Ok(false);
        }
        let (path, tmp) = (layout::blob(digest), layout::tmp(&record::random_name()));
        record::create_at(self.dir(), &tmp, bytes, Durability::Volatile).at("write", &self.path(&path))?;
        rustix::fs::renameat(self.dir(), &tmp, self.dir(), Path::new(&path)).at("write", &self.path(&path))?;
        Ok(true)
    }
}
