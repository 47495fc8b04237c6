//! Images: finding, listing, naming and removing.

use crate::container::ContainerId;
use crate::error::{Error, Kind, Result, What};
use crate::index::Index;
pub use crate::index::PastImage;
use crate::layer::RootAttributes;
use crate::layout;
use crate::lock::Access;
use crate::record::Durability;
use crate::store::{Listing, Store};
use jiff::Timestamp;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use spec::oci::ImageConfig;
use spec::{Digest, Reference};
use std::path::Path;

/// One image. What is immutable lies in its own file; its names come from the index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// Image ID: the digest of its config.
    pub id: Digest,
    /// The manifest it came with last.
    pub manifest: Digest,
    /// All manifests it came with; the same image may be compressed in several ways.
    pub manifests: Vec<Digest>,
    /// Diff IDs, lowest first.
    pub layers: Vec<Digest>,
    /// Bytes of all layers as tars, and of the documents, as podman counts them.
    pub size: u64,
    /// Mode and owner of the top directory, as the topmost layer that has one says.
    pub root: RootAttributes,
    /// Of the build, as the config has it (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// When it first came into this store.
    pub pulled: Timestamp,
    /// Full names with tag, in order; none for a dangling image.
    #[serde(skip)]
    pub names: Vec<Reference>,
    /// Full names with digest: of its manifests, and of the index it was chosen from.
    #[serde(skip)]
    pub digests: Vec<Reference>,
}

/// What `Store::remove_image` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// Only this name went; the image has others.
    Untagged(Reference),
    /// The image went, with these names. Its layers go with the next `Store::gc`.
    Image {
        /// Image ID.
        id: Digest,
        /// The names it had.
        names: Vec<Reference>,
    },
}

/// How far a removal may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// By ID only if it has at most one name.
    Careful,
    /// By ID whatever names it has.
    AllNames,
}

/// What a text means, before the record is read.
struct Found {
    id: Digest,
    /// The stored name that matched, when it was found by a name with tag.
    name: Option<Reference>,
}

impl Store {
    /// All images, in order of ID.
    pub fn images(&self) -> Result<Listing<ImageRecord>> {
        let index = self.index()?;
        let mut listing = Listing::default();
        for id in self.image_ids()? {
            match self.read_record::<ImageRecord>(&layout::image(&id)) {
                Ok(record) => listing.items.extend(record.map(|record| with_names(record, &index))),
                Err(error) => listing.damaged.push(error),
            }
        }
        Ok(listing)
    }

    pub(crate) fn image_ids(&self) -> Result<Vec<Digest>> {
        let names = self.list(Path::new(layout::IMAGES))?;
        let mut ids: Vec<_> = names.iter().filter_map(|name| Digest::parse_hex(name.strip_suffix(".json")?)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Finds an image: by full ID, by the beginning of an ID that only one has, or by name.
    ///
    /// A name without tag means `latest`. A short name means `localhost/NAME`, else the one stored name that ends in
    /// `/NAME`. `NAME@sha256:…` means the image that came under that digest. A name wins over the beginning of an ID.
    pub fn find_image(&self, text: &str) -> Result<ImageRecord> {
        let index = self.index()?;
        let found = self.resolve(&index, text)?;
        self.image_in(&index, &found.id).map_err(|error| match error.is_not_found() {
            true => Error::not_found("find image", What::Image, text),
            false => error,
        })
    }

    /// Reads the image with exactly this ID.
    pub fn image(&self, id: &Digest) -> Result<ImageRecord> {
        self.image_in(&self.index()?, id)
    }

    fn image_in(&self, index: &Index, id: &Digest) -> Result<ImageRecord> {
        let record = self.read_record(&layout::image(id))?;
        let record = record.ok_or_else(|| Error::not_found("find image", What::Image, id.hex()))?;
        Ok(with_names(record, index))
    }

    /// Reads an image's config.
    pub fn image_config(&self, image: &ImageRecord) -> Result<ImageConfig> {
        let bytes = self.blob(&image.id)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::new("read config of image", image.id.hex(), Kind::Corrupt(error.to_string())))
    }

    /// The bytes of the manifest that an image came with last.
    pub fn image_manifest(&self, image: &ImageRecord) -> Result<Vec<u8>> {
        self.blob(&image.manifest)
    }

    /// What a full name with tag meant before, latest first; at most three.
    pub fn name_history(&self, name: &Reference) -> Result<Vec<PastImage>> {
        Ok(self.index()?.names.remove(name).map(|name| name.before).unwrap_or_default())
    }

    /// Whether some name's history leads back to this image, so that a roll-back needs it.
    pub fn is_past_image(&self, id: &Digest) -> Result<bool> {
        Ok(self.index()?.names.values().any(|name| name.before.iter().any(|past| past.image == *id)))
    }

    /// Gives an image another full name with tag, taking it from whichever image bore it.
    pub fn tag_image(&self, id: &Digest, name: &Reference, now: Timestamp) -> Result<()> {
        let name = full_name("tag image", name)?;
        let _lease = self.lease()?;
        let _images = self.images_lock(Access::Exclusive)?;
        let mut index = self.index()?;
        let record = self.image_in(&index, id)?;
        index.give(name, PastImage { image: *id, manifest: record.manifest, since: now });
        self.write_index(&index, Durability::Durable)
    }

    /// Takes a name from an image. The image stays, without a name if that was its last.
    pub fn untag_image(&self, name: &str) -> Result<()> {
        self.on_full_disk(|| self.untag(name))
    }

    fn untag(&self, name: &str) -> Result<()> {
        let _lease = self.lease()?;
        let _images = self.images_lock(Access::Exclusive)?;
        let mut index = self.index()?;
        let found = self.resolve(&index, name)?;
        let Some(full) = found.name else {
            return Err(Error::not_found("untag image", What::Image, name));
        };
        index.take(&full);
        self.write_index(&index, Durability::Durable)
    }

    /// Removes an image, or only a name of it.
    ///
    /// By name: if the image has other names, only this one goes; if not, the image goes. By ID: all names go with
    /// `Removal::AllNames`, else several names fail with `SeveralNames`. An image that a container was made from fails with
    /// `InUse` and the containers' IDs.
    pub fn remove_image(&self, text: &str, removal: Removal) -> Result<Removed> {
        self.on_full_disk(|| self.remove(text, removal))
    }

    fn remove(&self, text: &str, removal: Removal) -> Result<Removed> {
        let op = "remove image";
        let _lease = self.lease()?;
        let _images = self.images_lock(Access::Exclusive)?;
        let mut index = self.index()?;
        let found = self.resolve(&index, text)?;
        let names = index.names_of(&found.id);
        if let (Some(name), true) = (&found.name, names.len() > 1) {
            index.take(name);
            self.write_index(&index, Durability::Durable)?;
            return Ok(Removed::Untagged(name.clone()));
        }
        if removal == Removal::Careful && names.len() > 1 {
            let names = names.iter().map(Reference::to_string).collect();
            return Err(Error::new(op, text, Kind::SeveralNames { names }));
        }
        let by: Vec<_> = self.image_users(&found.id)?.iter().map(ContainerId::to_string).collect();
        if !by.is_empty() {
            return Err(Error::new(op, text, Kind::InUse { by }));
        }
        // The record first: a crash in between leaves a name that means nothing, which counts as absent and goes with the
        // next removal of it, and no nameless image that nobody asked for.
        self.remove_record(&found.id)?;
        index.forget(&found.id);
        self.write_index(&index, Durability::Durable)?;
        self.forget_shown(&found.id);
        Ok(Removed::Image { id: found.id, names })
    }

    fn remove_record(&self, id: &Digest) -> Result<()> {
        let path = layout::image(id);
        match rustix::fs::unlinkat(self.dir(), &path, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => self.sync_dir(Path::new(layout::IMAGES)),
            Err(errno) => Err(Error::at("remove", &self.path(&path), errno)),
        }
    }

    /// The containers made from an image, running or not.
    pub fn image_users(&self, id: &Digest) -> Result<Vec<ContainerId>> {
        let containers = self.container_summaries()?.items.into_iter();
        Ok(containers.filter(|container| container.uses_image(id)).map(|c| c.id).collect())
    }

    fn resolve(&self, index: &Index, text: &str) -> Result<Found> {
        let none = || Error::not_found("find image", What::Image, text);
        if let Some(id) = Digest::parse_hex(text.strip_prefix("sha256:").unwrap_or(text)) {
            return if self.exists(&layout::image(&id))? { Ok(Found { id, name: None }) } else { Err(none()) };
        }
        if let Ok(reference) = Reference::parse(text) {
            if let Some(found) = resolve_name(index, text, reference)? {
                return Ok(found);
            }
        }
        let prefix = text.strip_prefix("sha256:").unwrap_or(text);
        if prefix.is_empty() || !prefix.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(none());
        }
        let matches: Vec<_> = self.image_ids()?.into_iter().filter(|id| id.hex().starts_with(prefix)).collect();
        match matches[..] {
            [id] => Ok(Found { id, name: None }),
            [] => Err(none()),
            _ => {
                let matches = matches.iter().map(Digest::hex).collect();
                Err(Error::new("find image", text, Kind::Ambiguous { what: What::Image, matches }))
            }
        }
    }
}

fn resolve_name(index: &Index, text: &str, reference: Reference) -> Result<Option<Found>> {
    if reference.digest.is_some() {
        // A tag beside a digest is only for people.
        let wanted = Reference { tag: None, ..reference };
        let matches = matching(index.digests.iter().map(|(name, id)| (name, *id)), &wanted);
        return one_image(text, matches).map(|found| found.map(|(_, id)| Found { id, name: None }));
    }
    let wanted = reference.with_default_tag();
    let named = index.names.iter().filter_map(|(name, entry)| Some((name, entry.now.as_ref()?.image)));
    let found = one_image(text, matching(named, &wanted))?;
    Ok(found.map(|(name, id)| Found { id, name: Some(name) }))
}

/// The stored names that a name may mean: itself, else at localhost, else those that end in it.
fn matching<'a>(stored: impl Iterator<Item = (&'a Reference, Digest)>, wanted: &Reference) -> Vec<(Reference, Digest)> {
    let mut local = None;
    let mut ending = Vec::new();
    for (name, id) in stored {
        if name == wanted {
            return vec![(name.clone(), id)];
        }
        let same_version = name.tag == wanted.tag && name.digest == wanted.digest;
        if wanted.registry.is_some() || !same_version {
            continue;
        }
        if name.registry.as_deref() == Some("localhost") && name.repository == wanted.repository {
            local = Some((name.clone(), id));
        } else if name.repository == wanted.repository
            || name.repository.strip_suffix(&wanted.repository).is_some_and(|rest| rest.ends_with('/'))
        {
            ending.push((name.clone(), id));
        }
    }
    local.map_or(ending, |local| vec![local])
}

fn one_image(text: &str, matches: Vec<(Reference, Digest)>) -> Result<Option<(Reference, Digest)>> {
    let Some((_, id)) = matches.first() else { return Ok(None) };
    if matches.iter().any(|(_, other)| other != id) {
        let matches = matches.iter().map(|(name, _)| name.to_string()).collect();
        return Err(Error::new("find image", text, Kind::Ambiguous { what: What::Image, matches }));
    }
    Ok(matches.into_iter().next())
}

/// A name as the index keeps it: with registry and tag, without digest.
pub(crate) fn full_name(op: &'static str, name: &Reference) -> Result<Reference> {
    if name.registry.is_none() || name.digest.is_some() {
        let why = "expected a name with a registry and without a digest".to_owned();
        return Err(Error::new(op, name.to_string(), Kind::InvalidName(why)));
    }
    Ok(name.clone().with_default_tag())
}

fn with_names(mut record: ImageRecord, index: &Index) -> ImageRecord {
    record.names = index.names_of(&record.id);
    record.digests = index.digests_of(&record.id);
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scratch, TestImage, as_root};
    use crate::{Limits, NewImage, Partials};

    fn open(scratch: &Scratch) -> Store {
        Store::open(&scratch.path().join("store")).unwrap()
    }

    fn name(text: &str) -> Reference {
        Reference::parse(text).unwrap()
    }

    #[test]
    fn names_are_looked_up_as_podman_does() {
        as_root("image::tests::names_are_looked_up_as_podman_does", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            let (local, hub, quay) = (TestImage::small("local"), TestImage::small("hub"), TestImage::small("quay"));
            local.pull(&store, &["localhost/web:1.4", "localhost/both"]).unwrap();
            hub.pull(&store, &["docker.io/library/busybox", "docker.io/team/web:2", "docker.io/x/both"]).unwrap();
            quay.pull(&store, &["quay.io/team/web:3", "quay.io/y/web:2", "quay.io/same/tool", "quay.io/other/tool"])
                .unwrap();
            for (text, image) in [
                ("web:1.4", &local),
                ("localhost/web:1.4", &local),
                ("both", &local),
                ("busybox", &hub),
                ("busybox:latest", &hub),
                ("library/busybox", &hub),
                ("docker.io/library/busybox", &hub),
                ("x/both", &hub),
                ("team/web:2", &hub),
                ("web:3", &quay),
                // Two names, one image.
                ("tool", &quay),
            ] {
                assert_eq!(store.find_image(text).unwrap().id, image.id(), "{text}");
            }
            for text in
                ["web", "web:1", "usybox", "eam/web:3", "docker.io/busybox", "x.io/library/busybox", "", "UPPER"]
            {
                assert!(store.find_image(text).unwrap_err().is_not_found(), "{text}");
            }
            let Kind::Ambiguous { matches, .. } = store.find_image("web:2").unwrap_err().kind else { panic!() };
            assert_eq!(matches, ["docker.io/team/web:2", "quay.io/y/web:2"]);
        });
    }

    #[test]
    fn ids_are_found_by_their_beginning_after_names() {
        as_root("image::tests::ids_are_found_by_their_beginning_after_names", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            let images: Vec<_> = (0..17).map(|n| TestImage::small(&n.to_string())).collect();
            images.iter().for_each(|image| drop(image.pull(&store, &[]).unwrap()));
            let hex = images[0].id().hex();
            for text in [&hex, &images[0].id().to_string(), &hex[..16], &format!("sha256:{}", &hex[..16])] {
                assert_eq!(store.find_image(text).unwrap().id, images[0].id());
            }
            let first = |image: &TestImage| image.id().hex()[..1].to_owned();
            let twice =
                images.iter().map(first).find(|a| images.iter().filter(|b| first(b) == *a).count() > 1).unwrap();
            assert!(matches!(store.find_image(&twice).unwrap_err().kind, Kind::Ambiguous { .. }));
            assert!(store.find_image(&"0".repeat(64)).unwrap_err().is_not_found());
            store
                .tag_image(&images[1].id(), &name(&format!("localhost/{}", &hex[..16])), Timestamp::UNIX_EPOCH)
                .unwrap();
            assert_eq!(store.find_image(&hex[..16]).unwrap().id, images[1].id());
        });
    }

    #[test]
    fn digests_find_the_image_that_came_under_them() {
        as_root("image::tests::digests_find_the_image_that_came_under_them", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            let image = TestImage::small("x");
            let index = Digest::from_bytes([7; 32]);
            let pull = store.begin_pull(Limits::default()).unwrap();
            image.layers[0].fetch(&pull).unwrap();
            let digests = [name(&format!("quay.io/a/b:1@{index}"))];
            let names = [name("quay.io/a/b:1")];
            let (manifest, config, now) = (&image.manifest[..], &image.config[..], Timestamp::UNIX_EPOCH);
            let record = pull.commit(&NewImage { manifest, config, names: &names, digests: &digests, now }).unwrap();
            let own = record.manifest;
            assert_eq!(record.digests.len(), 2);
            for text in [format!("quay.io/a/b@{index}"), format!("b@{own}"), format!("a/b:9@{own}")] {
                assert_eq!(store.find_image(&text).unwrap().id, image.id(), "{text}");
            }
            assert!(store.find_image(&format!("c@{own}")).unwrap_err().is_not_found());
            store.remove_image("b:1", Removal::Careful).unwrap();
            assert!(store.find_image(&format!("b@{own}")).unwrap_err().is_not_found());
            assert_eq!(store.index().unwrap(), Index::default());
        });
    }

    #[test]
    fn a_name_remembers_what_it_meant() {
        as_root("image::tests::a_name_remembers_what_it_meant", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            let images: Vec<_> = (0..6).map(|n| TestImage::small(&n.to_string())).collect();
            images.iter().for_each(|image| drop(image.pull(&store, &["localhost/web"]).unwrap()));
            // The same again is no change.
            images[5].pull(&store, &["localhost/web"]).unwrap();
            let history = |store: &Store| -> Vec<_> {
                store.name_history(&name("localhost/web:latest")).unwrap().iter().map(|past| past.image).collect()
            };
            assert_eq!(history(&store), [images[4].id(), images[3].id(), images[2].id()]);
            assert!(store.is_past_image(&images[4].id()).unwrap() && !store.is_past_image(&images[0].id()).unwrap());
            // Rolled back: what it meant is now the past.
            store.tag_image(&images[3].id(), &name("localhost/web"), Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(history(&store), [images[5].id(), images[4].id(), images[2].id()]);
            store.remove_image(&images[4].id().hex(), Removal::Careful).unwrap();
            assert_eq!(history(&store), [images[5].id(), images[2].id()]);
            store.untag_image("web").unwrap();
            assert_eq!(history(&store), [images[3].id(), images[5].id(), images[2].id()]);
            assert!(store.find_image("web").unwrap_err().is_not_found());
            assert_eq!(store.gc(Partials::Keep).unwrap().layers, 1);
        });
    }

    #[test]
    fn removal_by_name_and_by_id() {
        as_root("image::tests::removal_by_name_and_by_id", || {
            let scratch = Scratch::new();
            let store = open(&scratch);
            let image = TestImage::small("x");
            let id = image.id().hex();
            image.pull(&store, &["localhost/a", "localhost/b"]).unwrap();
            let several = store.remove_image(&id, Removal::Careful).unwrap_err();
            assert!(matches!(several.kind, Kind::SeveralNames { names } if names.len() == 2));
            let untagged = store.remove_image("a", Removal::Careful).unwrap();
            assert_eq!(untagged, Removed::Untagged(name("localhost/a:latest")));
            let removed = Removed::Image { id: image.id(), names: vec![name("localhost/b:latest")] };
            assert_eq!(store.remove_image("b", Removal::Careful).unwrap(), removed);
            assert!(store.remove_image("b", Removal::Careful).unwrap_err().is_not_found());
            // A removal killed half-way: the name means nothing, can be removed, and given again.
            image.pull(&store, &["localhost/a"]).unwrap();
            store.remove_record(&image.id()).unwrap();
            assert!(store.find_image("a").unwrap_err().is_not_found());
            assert!(store.images().unwrap().items.is_empty());
            store.remove_image("a", Removal::Careful).unwrap();
            assert_eq!(store.index().unwrap(), Index::default());
            image.pull(&store, &["localhost/a", "localhost/b"]).unwrap();
            assert!(matches!(store.remove_image(&id[..12], Removal::AllNames).unwrap(), Removed::Image { .. }));
            assert!(store.images().unwrap().items.is_empty());
            // Tagging wants a full name and an image that is there.
            let missing = store.tag_image(&image.id(), &name("localhost/a"), Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(missing.is_not_found());
            image.pull(&store, &[]).unwrap();
            let short = store.tag_image(&image.id(), &name("short"), Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(matches!(short.kind, Kind::InvalidName(_)));
            assert!(store.untag_image(&id).unwrap_err().is_not_found());
        });
    }

    #[test]
    fn a_newer_store_is_left_alone() {
        let scratch = Scratch::new();
        let root = scratch.path().join("store");
        drop(open(&scratch));
        std::fs::write(root.join("format"), "2\n").unwrap();
        let before = crate::testing::tree(&root);
        let refused = Store::open(&root).unwrap_err();
        assert!(matches!(refused.kind, Kind::NewerFormat { found: 2, known: 1 }));
        assert_eq!(crate::testing::tree(&root), before);
        std::fs::write(root.join("format"), "").unwrap();
        Store::open(&root).unwrap();
        std::fs::write(root.join("format"), "what").unwrap();
        assert!(matches!(Store::open(&root).unwrap_err().kind, Kind::Corrupt(_)));
    }
}
