//! `system`: what takes room, what is damaged, and everything gone.

use crate::config::RegistryOptions;
use crate::containers::{Container, Force, Listed, Volumes};
use crate::error::{Error, Kind, Result};
use crate::{Engine, store_error};
use spec::pull::Pull;
use spec::{Digest, Reference};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use store::{ImageRecord, VolumeRecord};

/// What takes room; all sizes in bytes of files' content.
#[derive(Debug, Default)]
pub struct Usage {
    /// Every image.
    pub images: Vec<ImageUsage>,
    /// All layers together, each once.
    pub layers: u64,
    /// Of these, what only unused images need.
    pub unused_layers: u64,
    /// Every container, and what it has changed in its root.
    pub containers: Vec<(Container, u64)>,
    /// Every volume, how many containers have it, and its data.
    pub volumes: Vec<(VolumeRecord, usize, u64)>,
}

/// What an image takes.
#[derive(Debug)]
pub struct ImageUsage {
    /// Which.
    pub image: ImageRecord,
    /// Of layers that other images have too.
    pub shared: u64,
    /// Of layers of its own.
    pub unique: u64,
    /// How many containers use it.
    pub containers: usize,
}

/// How thorough a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// That everything is there.
    Quick,
    /// That every byte is what it should be.
    Full,
}

/// What becomes of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// It is told.
    No,
    /// What a registry has is fetched again, by digest.
    Yes,
}

/// Something damaged.
#[derive(Debug)]
pub struct Finding {
    /// What it is: `layer sha256:… of localhost/web:1`.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
    /// Whether it is whole again; the error says why not. Nothing where no repair was asked for.
    pub repaired: Option<Result<()>>,
}

impl Engine {
    /// Measures everything.
    pub fn usage(&self) -> Result<Usage> {
        self.enter_user_namespace()?;
        let images = self.images(&mut |_| ())?;
        let containers = self.containers(Listed::All, &mut |_| ())?;
        let mut sizes: BTreeMap<Digest, (u64, usize, usize)> = BTreeMap::new();
        let users = |image: &ImageRecord| {
            let of = |one: &&Container| one.record.image.as_ref().is_some_and(|own| own.id == image.id);
            containers.iter().filter(of).count()
        };
        for image in &images {
            let used = users(image);
            for layer in image.layers.iter().collect::<BTreeSet<_>>() {
                let entry = sizes.entry(*layer).or_insert((self.store.layer_tar_size(layer).unwrap_or(0), 0, 0));
                entry.1 += 1;
                entry.2 += used;
            }
        }
        let sum = |image: &ImageRecord, shared: bool| {
            let layers: BTreeSet<_> = image.layers.iter().collect();
            let entries = layers.into_iter().filter_map(|layer| sizes.get(layer));
            entries.filter(|entry| (entry.1 > 1) == shared).map(|entry| entry.0).sum()
        };
        let mut usage = Usage {
            layers: sizes.values().map(|entry| entry.0).sum(),
            unused_layers: sizes.values().filter(|entry| entry.2 == 0).map(|entry| entry.0).sum(),
            ..Usage::default()
        };
        // The same files with other owners, for containers with ids of their own.
        let trees = self.store.mapped_trees().map_err(store_error)?;
        for image in images {
            let trees: u64 = trees.iter().filter(|(layers, _)| *layers == image.layers).map(|(_, size)| size).sum();
            let (shared, unique, containers) = (sum(&image, true), sum(&image, false) + trees, users(&image));
            usage.layers += trees;
            usage.unused_layers += if containers == 0 { trees } else { 0 };
            usage.images.push(ImageUsage { image, shared, unique, containers });
        }
        for container in containers {
            let size = tree_size(&self.store.upper_dir(&container.record.id));
            usage.containers.push((container, size));
        }
        for volume in self.volumes(&mut |_| ())? {
            let path = match self.volume_path(&volume) {
                // Removed since.
                Err(error) if matches!(error.kind, Kind::NoSuchVolume(_)) => continue,
                other => other?,
            };
            let links = self.volume_users(&volume)?.len();
            usage.volumes.push((volume, links, tree_size(&path)));
        }
        Ok(usage)
    }

    /// Removes every container, image, volume and secret, and what interrupted pulls have left. Goes on after a failure, and
    /// returns all of them.
    pub fn reset(&self) -> Result<Vec<Error>> {
        let mut failed = Vec::new();
        let mut containers = self.containers(Listed::All, &mut |_| ())?;
        containers.sort_by_key(|one| !self.has_host_ids(&one.record.spec));
        for container in containers {
            failed.extend(self.remove(&container, Force::Kill, Volumes::Remove).err());
        }
        for volume in self.volumes(&mut |_| ())? {
            failed.extend(self.remove_volume(&volume.name).err());
        }
        self.enter_user_namespace()?;
        for image in self.images(&mut |_| ())? {
            let removed = self.store.remove_image(&image.id.hex(), store::Removal::AllNames);
            failed.extend(removed.err().map(store_error));
        }
        for secret in self.store.secrets().map_err(store_error)?.items {
            failed.extend(self.store.remove_secret(&secret).err().map(store_error));
        }
        failed.extend(self.store.gc(store::Partials::Discard).err().map(store_error));
        Ok(failed)
    }

    /// Looks for damage: records, configs, manifests and layers. Containers may run meanwhile.
    pub fn check(&self, depth: Depth, repair: Repair) -> Result<Vec<Finding>> {
        self.enter_user_namespace()?;
        let mut found = Vec::new();
        let mut damaged: Vec<(String, Error)> = Vec::new();
        self.containers(Listed::All, &mut |error| damaged.push(("container".to_owned(), error)))?;
        self.volumes(&mut |error| damaged.push(("volume".to_owned(), error)))?;
        let images = self.images(&mut |error| damaged.push(("image".to_owned(), error)))?;
        for (what, error) in damaged {
            let fix = || match what.as_str() {
                "image" => self.refetch_unreadable(),
                _ => Err(Error::other(format!("remove the {what}, or restore its record from a backup"))),
            };
            let repaired = (repair == Repair::Yes).then(fix);
            found.push(Finding {
                what: format!("record of {article} {what}", article = if what == "image" { "an" } else { "a" }),
                problem: error.chain(),
                repaired,
            });
        }
        let mut seen = BTreeSet::new();
        for image in &images {
            self.check_image(image, depth, repair, &mut seen, &mut found);
        }
        for error in self.store.damaged_mapped().map_err(store_error)? {
            let repaired = (repair == Repair::Yes).then(|| self.store.mend_mapped().map_err(store_error));
            let what = "an image's files with the owners of another map".to_owned();
            found.push(Finding { what, problem: store_error(error).chain(), repaired });
        }
        Ok(found)
    }

    fn check_image(
        &self,
        image: &ImageRecord,
        depth: Depth,
        repair: Repair,
        seen: &mut BTreeSet<Digest>,
        found: &mut Vec<Finding>,
    ) {
        let name = image.names.first().map_or_else(|| image.id.hex(), ToString::to_string);
        for (what, digest) in
            [("config", image.id)].into_iter().chain(image.manifests.iter().map(|one| ("manifest", *one)))
        {
            if let (true, Err(error)) = (seen.insert(digest), self.store.blob(&digest)) {
                let repaired = (repair == Repair::Yes).then(|| self.refetch(image));
                found.push(Finding {
                    what: format!("{what} {digest} of {name}"),
                    problem: store_error(error).chain(),
                    repaired,
                });
            }
        }
        for layer in &image.layers {
            if !seen.insert(*layer) {
                continue;
            }
            let problem = match (depth, self.store.find_layer(layer)) {
                (Depth::Full, Ok(())) => match self.store.check_layer(layer) {
                    // Its archive had entries that replace one another: nothing to compare with, and no damage.
                    Err(error) if matches!(error.kind, store::Kind::BadArchive(_)) => continue,
                    result => result,
                },
                (_, result) => result,
            };
            if let Err(error) = problem {
                let repaired = (repair == Repair::Yes).then(|| self.refetch_layer(image, layer));
                found.push(Finding {
                    what: format!("layer {layer} of {name}"),
                    problem: store_error(error).chain(),
                    repaired,
                });
            }
        }
    }

    /// Fetches a layer again. The damaged one stays until the new one is here; what runs on it keeps it.
    fn refetch_layer(&self, image: &ImageRecord, layer: &Digest) -> Result<()> {
        for container in self.containers(Listed::Running, &mut |_| ())? {
            if container.record.image.as_ref().is_some_and(|own| own.layers.contains(layer)) {
                return Err(Error::other(format!("container {} runs on it: stop it first", container.record.name)));
            }
        }
        let aside = self.store.set_layer_aside(layer).map_err(store_error)?;
        match self.refetch(image) {
            Ok(()) => aside.discard().map_err(store_error),
            Err(error) => {
                aside.put_back().map_err(store_error)?;
                Err(error)
            }
        }
    }

    /// Fetches an image again by the digests it came under.
    fn refetch(&self, image: &ImageRecord) -> Result<()> {
        self.refetch_by(&image.digests, &image.id)
    }

    fn refetch_by(&self, digests: &[Reference], id: &Digest) -> Result<()> {
        let mut last = None;
        for name in digests.iter().filter(|name| name.registry.as_deref() != Some("localhost")) {
            match self.pull(&name.to_string(), &Pull::default(), &RegistryOptions::default(), &|_| ()) {
                Ok(fresh) if fresh.id == *id => return Ok(()),
                Ok(_) => last = Some(Error::other(format!("{name} is another image by now"))),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::other("it came from no registry: load or build it again")))
    }

    /// Fetches again the images whose records cannot be read.
    fn refetch_unreadable(&self) -> Result<()> {
        let unreadable = self.store.unreadable_images().map_err(store_error)?;
        unreadable.iter().try_for_each(|(id, digests)| self.refetch_by(digests, id))
    }
}

/// Bytes of all files below a directory; what cannot be looked at counts nothing.
pub(crate) fn tree_size(top: &Path) -> u64 {
    let mut size = 0;
    let mut open: Vec<PathBuf> = vec![top.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            // Of the entry itself, never of what a link leads to.
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => open.push(entry.path()),
                Ok(meta) if meta.is_file() => size += meta.len(),
                _ => {}
            }
        }
    }
    size
}

/// Whether anything is left to be done about a finding.
impl Finding {
    /// Damage that is still there.
    pub fn remains(&self) -> bool {
        !matches!(self.repaired, Some(Ok(())))
    }
}

/// The error of a check that has found damage.
pub fn damage(count: usize) -> Error {
    Error::new(Kind::Corrupt).within(format!("{count} damaged"))
}
