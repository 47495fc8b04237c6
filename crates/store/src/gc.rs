//! Getting rid of things: the trash, what killed processes left, and layers and blobs that no image needs.

use crate::container::{ContainerId, ContainerSummary};
use crate::error::{At, Error, Kind, Result};
use crate::layout;
use crate::lock::Access;
use crate::record;
use crate::remove_tree::remove_tree;
use crate::store::Store;
use jiff::Timestamp;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use spec::Digest;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Seconds after which something in the trash is not left to the sweeper any more.
const PATIENCE: i64 = 10;

/// What to do with layers that an interrupted pull left half fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partials {
    /// Leave them for the next try.
    Keep,
    /// Delete them.
    Discard,
}

/// What a collection did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Layers removed.
    pub layers: u64,
    /// Manifests and configs removed.
    pub blobs: u64,
    /// Bytes of file content in the layers removed.
    pub bytes: u64,
    /// Nothing was collected because a pull or another command is making something; the next collection will do it.
    pub deferred: bool,
}

impl Store {
    /// Deletes the files that killed processes left behind.
    ///
    /// Commands that bring or remove something call it; with nothing to do it costs two directory listings. Must run where
    /// files' owners are mapped.
    pub fn sweep(&self) -> Result<()> {
        if !self.list(Path::new(layout::TMP))?.is_empty() {
            // Whoever makes something holds the lease, so with the lease in hand all of it is left over.
            if let Some(_lease) = self.try_lock(Path::new(layout::LEASE_LOCK), Access::Exclusive)? {
                for name in self.list(Path::new(layout::TMP))? {
                    self.to_trash(&layout::tmp(&name))?;
                }
            }
        }
        let swept = self.is_locked(Path::new(layout::SWEEPER_LOCK));
        for name in self.list(Path::new(layout::TRASH))? {
            let trash = layout::trash(&name);
            if !swept || self.lies_there(&trash) {
                self.empty_trash(&trash)?;
            }
        }
        self.keep_reserve();
        Ok(())
    }

    /// Whether whoever sweeps the trash has had long enough: it may lack the rights that this process has.
    fn lies_there(&self, trash: &Path) -> bool {
        let Ok(stat) = rustix::fs::statat(self.dir(), trash, AtFlags::SYMLINK_NOFOLLOW) else { return false };
        Timestamp::now().as_second().saturating_sub(stat.st_ctime) > PATIENCE
    }

    /// Puts away what killed commands left of containers that do not run: `--rm` containers that nobody will start or remove
    /// any more, and the links that network processes live by, which end with them.
    ///
    /// So go containers whose record a power cut has emptied: only that of a `--rm` container is not synced.
    ///
    /// Returns the IDs whose containers or links went. Reads every record of a container that does not run. Anonymous volumes stay:
    /// `sweep_volumes` comes after it.
    pub fn sweep_containers(&self) -> Result<Vec<ContainerId>> {
        let running: Vec<_> = self.running()?.into_iter().map(|(id, _)| id).collect();
        let mut swept = Vec::new();
        let mut unknown: HashSet<_> = self.container_ids()?.into_iter().collect();
        for container in self.container_summaries()?.items {
            let id = container.id.clone();
            unknown.remove(&id);
            if running.contains(&id) {
                continue;
            }
            let abandoned = container.auto_remove && self.is_abandoned(&container)?;
            if !abandoned && !self.exists(&layout::in_container(&id, layout::CONTAINER_NETNS))? {
                continue;
            }
            // Whoever starts it holds the lock.
            let lock = layout::in_container(&id, layout::CONTAINER_LOCK);
            let Ok(Some(_guard)) = self.try_lock(&lock, Access::Exclusive) else { continue };
            if self.read_state(&id)?.is_some_and(|state| state.is_alive()) {
                continue;
            }
            match abandoned {
                true => match self.remove_container(&id) {
                    Ok(()) => swept.push(id),
                    // Somebody was quicker.
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                },
                false => {
                    self.drop_netns_link(&id)?;
                    swept.push(id);
                }
            }
        }
        for id in unknown {
            let nothing = self.container(&id).is_err_and(|error| error.is_not_found());
            if nothing && self.remove_container(&id).is_ok() {
                swept.push(id);
            }
        }
        Ok(swept)
    }

    /// Whether nobody minds a `--rm` container that does not run: it has run, or its creator wanted to start it and is dead.
    fn is_abandoned(&self, container: &ContainerSummary) -> Result<bool> {
        let has_run = || -> Result<bool> {
            Ok(self.exists(&layout::in_container(&container.id, layout::CONTAINER_STATE))?
                || self.exists(&layout::in_container(&container.id, layout::CONTAINER_EXIT))?)
        };
        match &container.creator {
            Some(creator) => Ok(!creator.is_alive()),
            // Made by `create`: it may wait for its start as long as it likes.
            None => has_run(),
        }
    }

    fn drop_netns_link(&self, id: &ContainerId) -> Result<()> {
        let link = layout::in_container(id, layout::CONTAINER_NETNS);
        match rustix::fs::unlinkat(self.dir(), &link, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(Error::at("remove", &self.path(&link), errno)),
        }
    }

    /// Removes anonymous volumes that no container has and whose creator is dead: a killed command made them, or removed
    /// their container. Those made by `volume create` have no creator on record and stay.
    pub fn sweep_volumes(&self) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        for volume in self.volumes()?.items {
            if !volume.anonymous || volume.creator.is_none_or(|creator| creator.is_alive()) {
                continue;
            }
            match self.remove_volume(&volume.name) {
                Ok(()) => removed.push(volume.name),
                Err(Error { kind: Kind::InUse { .. } | Kind::NotFound(_), .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }

    /// Moves something to the trash; returns where, or `None` if it is not there.
    pub(crate) fn to_trash(&self, relative: &Path) -> Result<Option<PathBuf>> {
        let trash = layout::trash(&record::random_name());
        match rustix::fs::renameat(self.dir(), relative, self.dir(), &trash) {
            Ok(()) => Ok(Some(trash)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::at("remove", &self.path(relative), errno)),
        }
    }

    /// Deletes one thing in the trash.
    pub(crate) fn empty_trash(&self, trash: &Path) -> Result<()> {
        remove_tree(self.dir(), trash, self.root())
    }

    /// Removes something of ours, if it is there.
    pub(crate) fn discard(&self, relative: &Path) -> Result<()> {
        self.to_trash(relative)?.map_or(Ok(()), |trash| self.empty_trash(&trash))
    }

    /// Removes the layers and blobs that no image and no container needs.
    ///
    /// Never takes anything that a pull, load or commit under way made or found: then it does nothing and says so. A record
    /// that cannot be read ends it with that record's error, because nobody knows what it needs. Must run where files' owners
    /// are mapped.
    pub fn gc(&self, partials: Partials) -> Result<Collected> {
        self.sweep()?;
        let mut collected = Collected::default();
        let trash = {
            let Some(_lease) = self.try_lock(Path::new(layout::LEASE_LOCK), Access::Exclusive)? else {
                return Ok(Collected { deferred: true, ..collected });
            };
            let needed = self.needed()?;
            self.collect_blobs(&needed, &mut collected)?;
            self.collect_partials(partials)?;
            let mut trash = self.collect_mapped(partials)?;
            trash.extend(self.collect_layers(&needed, &mut collected)?);
            trash
        };
        trash.iter().try_for_each(|trash| self.empty_trash(trash))?;
        Ok(collected)
    }

    /// Everything that images and containers need: layers, manifests, configs.
    fn needed(&self) -> Result<HashSet<Digest>> {
        let mut needed = HashSet::new();
        let images = self.images()?;
        if let Some(error) = images.damaged.into_iter().next() {
            return Err(error);
        }
        for image in images.items {
            needed.insert(image.id);
            needed.extend(image.manifests.into_iter().chain(image.layers));
        }
        let containers = self.containers()?;
        if let Some(error) = containers.damaged.into_iter().next() {
            return Err(error);
        }
        for image in
            containers.items.into_iter().flat_map(|container| container.image.into_iter().chain(container.mounted))
        {
            needed.insert(image.id);
            needed.extend(image.manifest.into_iter().chain(image.layers));
        }
        Ok(needed)
    }

    fn collect_blobs(&self, needed: &HashSet<Digest>, collected: &mut Collected) -> Result<()> {
        for name in self.list(Path::new(layout::BLOBS))? {
            let Some(digest) = Digest::parse_hex(&name).filter(|digest| !needed.contains(digest)) else { continue };
            let path = layout::blob(&digest);
            rustix::fs::unlinkat(self.dir(), &path, AtFlags::empty()).at("remove", &self.path(&path))?;
            collected.blobs += 1;
        }
        Ok(())
    }

    /// Moves layers to the trash; returns where.
    fn collect_layers(&self, needed: &HashSet<Digest>, collected: &mut Collected) -> Result<Vec<PathBuf>> {
        let mut trash = Vec::new();
        for name in self.list(Path::new(layout::LAYERS))? {
            let Some(diff_id) = Digest::parse_hex(&name).filter(|digest| !needed.contains(digest)) else { continue };
            let size = self.layer_record(&diff_id).ok().flatten().map_or(0, |record| record.size);
            trash.extend(self.to_trash(&layout::layer(&diff_id))?);
            collected.layers += 1;
            collected.bytes = collected.bytes.saturating_add(size);
        }
        Ok(trash)
    }

    /// With the lease in hand nobody fetches anything, so no lock is held.
    fn collect_partials(&self, partials: Partials) -> Result<()> {
        for name in self.list(Path::new(layout::LAYERS_PARTIAL))? {
            if partials == Partials::Discard || name.ends_with(".lock") {
                let path = layout::in_partial(&name);
                rustix::fs::unlinkat(self.dir(), &path, AtFlags::empty()).at("remove", &self.path(&path))?;
            }
        }
        Ok(())
    }
}
