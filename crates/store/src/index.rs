//! `images.json`: names and digests → images, with each name's history. One small file, replaced whole under
//! `locks/images`, read without a lock.

use crate::error::Result;
use crate::layout;
use crate::record::Durability;
use crate::store::Store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spec::{Digest, Reference};
use std::collections::BTreeMap;
use std::path::Path;

/// How many earlier images a name remembers.
pub(crate) const HISTORY: usize = 3;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Full names with tag.
    #[serde(default)]
    pub(crate) names: BTreeMap<Reference, Name>,
    /// Full names with digest → image ID.
    #[serde(default)]
    pub(crate) digests: BTreeMap<Reference, Digest>,
}

/// What a name means, and meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Name {
    /// What it means now; `None` keeps the history of a name that was taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) now: Option<PastImage>,
    /// What it meant before, latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) before: Vec<PastImage>,
}

/// An image that a name means or meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastImage {
    /// Image ID.
    pub image: Digest,
    /// Digest of the manifest it came with.
    pub manifest: Digest,
    /// Since when the name meant it.
    pub since: Timestamp,
}

impl Index {
    /// The full names that an image bears, in order.
    pub(crate) fn names_of(&self, image: &Digest) -> Vec<Reference> {
        let bears = |name: &Name| name.now.as_ref().is_some_and(|now| now.image == *image);
        self.names.iter().filter(|(_, name)| bears(name)).map(|(reference, _)| reference.clone()).collect()
    }

    /// The names with digest that an image came under, in order.
    pub(crate) fn digests_of(&self, image: &Digest) -> Vec<Reference> {
        self.digests.iter().filter(|(_, id)| *id == image).map(|(reference, _)| reference.clone()).collect()
    }

    /// Gives a name to an image; what it meant before goes into its history.
    pub(crate) fn give(&mut self, name: Reference, to: PastImage) {
        let entry = self.names.entry(name).or_insert_with(|| Name { now: None, before: Vec::new() });
        match &entry.now {
            Some(now) if now.image == to.image && now.manifest == to.manifest => {}
            _ => {
                let old = entry.now.replace(to);
                entry.remember(old);
            }
        }
    }

    /// Takes a name away; returns whether it meant anything.
    pub(crate) fn take(&mut self, name: &Reference) -> bool {
        let Some(entry) = self.names.get_mut(name) else { return false };
        let old = entry.now.take();
        let meant = old.is_some();
        entry.remember(old);
        meant
    }

    /// Forgets an image that is being removed: in digests, names and histories.
    pub(crate) fn forget(&mut self, image: &Digest) {
        self.digests.retain(|_, id| id != image);
        for name in self.names.values_mut() {
            name.now = name.now.take().filter(|now| now.image != *image);
            name.before.retain(|past| past.image != *image);
        }
        self.names.retain(|_, name| name.now.is_some() || !name.before.is_empty());
    }
}

impl Name {
    /// Puts an image at the head of the history, each image once.
    fn remember(&mut self, old: Option<PastImage>) {
        let Some(old) = old else { return };
        let now = self.now.as_ref().map(|now| now.image);
        self.before.retain(|past| past.image != old.image && Some(past.image) != now);
        if Some(old.image) != now {
            self.before.insert(0, old);
        }
        self.before.truncate(HISTORY);
    }
}

impl Store {
    pub(crate) fn index(&self) -> Result<Index> {
        Ok(self.read_record(Path::new(layout::INDEX))?.unwrap_or_default())
    }

    /// The images' lock is held exclusively.
    pub(crate) fn write_index(&self, index: &Index, durability: Durability) -> Result<()> {
        self.write_record(Path::new(layout::INDEX), index, durability)
    }
}
