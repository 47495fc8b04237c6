//! Making, finding, listing, renaming and removing containers.

use super::{ContainerId, ContainerRecord, ContainerSummary};
use crate::error::{At, Error, Kind, Result, What};
use crate::layout;
use crate::lock::{Access, Guard, Wait};
use crate::record::{self, Durability};
use crate::secret::Kept;
use crate::store::{Listing, Store};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The short locks are held for some file operations; whoever has one for longer is stuck.
const SHORT: Duration = Duration::from_secs(30);

impl Store {
    /// Makes a container: its directory, record, and the overlay's `upper` and `work`.
    ///
    /// It appears whole or not at all. Fails with `NameInUse`, with `Exists` for the ID, and with `NotFound` when its
    /// image or one of its volumes is gone. The caller must be where the owner of the image's top directory is mapped.
    pub fn create_container(&self, record: &ContainerRecord, durability: Durability) -> Result<()> {
        self.create_container_with(record, &Kept::default(), durability)
    }

    /// The same with the values of its secrets.
    pub fn create_container_with(
        &self,
        record: &ContainerRecord,
        secrets: &Kept,
        durability: Durability,
    ) -> Result<()> {
        let op = "create container";
        check_name(op, &record.name)?;
        let _lease = self.lease()?;
        let tmp = layout::tmp(&record::random_name());
        let made = self.make_directory(&tmp, record, secrets, durability).and_then(|()| self.publish(op, &tmp, record));
        if let Err(error) = made {
            let _ = self.discard(&tmp);
            return Err(error);
        }
        match durability {
            Durability::Durable => {
                self.sync_dir(Path::new(layout::CONTAINERS))?;
                self.sync_dir(Path::new(layout::NAMES))
            }
            Durability::Volatile => Ok(()),
        }
    }

    /// Brings a container that was created or renamed `Volatile` to the disk.
    pub fn sync_container(&self, id: &ContainerId) -> Result<()> {
        let record = layout::in_container(id, layout::CONTAINER_RECORD);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(self.dir(), &record, flags, Mode::empty())
            .and_then(rustix::fs::fsync)
            .at("sync", &self.path(&record))?;
        self.sync_dir(&layout::container(id))?;
        self.sync_dir(Path::new(layout::CONTAINERS))?;
        self.sync_dir(Path::new(layout::NAMES))
    }

    /// Fills the directory that becomes the container's.
    fn make_directory(
        &self,
        tmp: &Path,
        record: &ContainerRecord,
        secrets: &Kept,
        durability: Durability,
    ) -> Result<()> {
        let path = self.path(tmp);
        let private = Mode::from_raw_mode(0o700);
        rustix::fs::mkdirat(self.dir(), tmp, private).at("create", &path)?;
        let upper = layout::within(tmp, layout::CONTAINER_UPPER);
        rustix::fs::mkdirat(self.dir(), &upper, private).at("create", &self.path(&upper))?;
        rustix::fs::mkdirat(self.dir(), layout::within(tmp, layout::CONTAINER_WORK), private).at("create", &path)?;
        let root = record.image.as_ref().map(|image| image.root).unwrap_or_default();
        let root = match &record.ids {
            Some(ids) => root.with_ids(ids),
            None => root,
        };
        root.apply(self.dir(), &upper)
            .map_err(|kind| Error::new("create", self.path(&upper).display().to_string(), kind))?;
        self.keep_secrets(tmp, secrets)?;
        let bytes = serde_json::to_vec(record)
            .map_err(|error| Error::new("create container", record.name.clone(), Kind::Corrupt(error.to_string())))?;
        record::create_at(self.dir(), &layout::within(tmp, layout::CONTAINER_RECORD), &bytes, durability)
            .at("write", &path)?;
        record::create_at(self.dir(), &layout::within(tmp, layout::CONTAINER_LOCK), b"", Durability::Volatile)
            .at("create", &path)?;
        match durability {
            Durability::Durable => self.sync_dir(tmp),
            Durability::Volatile => Ok(()),
        }
    }

    /// Under the short locks: its image and volumes exist, its name is free, and it appears.
    fn publish(&self, op: &'static str, tmp: &Path, record: &ContainerRecord) -> Result<()> {
        let mut images = record.image.iter().chain(&record.mounted).peekable();
        let _images = match images.peek() {
            Some(_) => Some(self.lock(Path::new(layout::IMAGES_LOCK), Access::Shared, Wait::at_most(SHORT))?),
            None => None,
        };
        for image in images {
            if !self.exists(&layout::image(&image.id))? {
                return Err(Error::not_found(op, What::Image, image.name.clone()));
            }
        }
        let _volumes = if record.volumes.is_empty() { None } else { Some(self.volumes_lock(Access::Shared)?) };
        for volume in &record.volumes {
            if !self.exists(&layout::volume(volume))? {
                return Err(Error::not_found(op, What::Volume, volume.clone()));
            }
        }
        let _names = self.names_lock()?;
        self.claim_name(op, &record.name, &record.id)?;
        let to = layout::container(&record.id);
        match rustix::fs::renameat_with(self.dir(), tmp, self.dir(), &to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            Err(errno) => {
                let _ = rustix::fs::unlinkat(self.dir(), layout::name(&record.name), AtFlags::empty());
                match errno {
                    Errno::EXIST => Err(Error::new(op, record.id.to_string(), Kind::Exists)),
                    errno => Err(Error::at("create", &self.path(&to), errno)),
                }
            }
        }
    }

    /// Makes the link of a name, taking over one that leads nowhere. The names' lock is held.
    fn claim_name(&self, op: &'static str, name: &str, id: &ContainerId) -> Result<()> {
        let link = layout::name(name);
        if let Some(other) = self.bearer(name)? {
            return Err(Error::new(op, name, Kind::NameInUse { id: other.id.to_string() }));
        }
        match rustix::fs::unlinkat(self.dir(), &link, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(Error::at("take over name", &self.path(&link), errno)),
        }
        rustix::fs::symlinkat(id.compact(), self.dir(), &link).at("create", &self.path(&link))
    }

    /// The container that bears a name, if its record agrees.
    fn bearer(&self, name: &str) -> Result<Option<ContainerRecord>> {
        let Some(id) = self.linked_id(name)? else { return Ok(None) };
        let record = self.read_record::<ContainerRecord>(&layout::in_container(&id, layout::CONTAINER_RECORD))?;
        Ok(record.filter(|record| record.name == name))
    }

    fn linked_id(&self, name: &str) -> Result<Option<ContainerId>> {
        if spec::name::check("container name", name).is_err() {
            return Ok(None);
        }
        let link = layout::name(name);
        match rustix::fs::readlinkat(self.dir(), &link, Vec::new()) {
            Ok(target) => Ok(target.to_str().ok().and_then(ContainerId::from_compact)),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(errno) => Err(Error::at("read", &self.path(&link), errno)),
        }
    }

    /// Finds a container by name, full ID, or the beginning of an ID that only one has.
    pub fn find_container(&self, text: &str) -> Result<ContainerRecord> {
        if let Some(record) = self.bearer(text)? {
            return Ok(record);
        }
        let id = self.container_by_prefix(text)?;
        self.container(&id)
    }

    /// Reads the container with exactly this ID.
    pub fn container(&self, id: &ContainerId) -> Result<ContainerRecord> {
        self.read_record(&layout::in_container(id, layout::CONTAINER_RECORD))?
            .ok_or_else(|| Error::not_found("find container", What::Container, id.as_str()))
    }

    fn container_by_prefix(&self, text: &str) -> Result<ContainerId> {
        let none = || Error::not_found("find container", What::Container, text);
        if let Ok(id) = ContainerId::parse(text) {
            return Ok(id);
        }
        if text.is_empty() || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(none());
        }
        let mut matches: Vec<_> =
            self.container_ids()?.into_iter().filter(|id| id.as_str().starts_with(text)).collect();
        match matches.len() {
            1 => Ok(matches.remove(0)),
            0 => Err(none()),
            _ => {
                let matches = matches.iter().map(ContainerId::to_string).collect();
                Err(Error::new("find container", text, Kind::Ambiguous { what: What::Container, matches }))
            }
        }
    }

    /// The IDs of all containers, in no order.
    pub fn container_ids(&self) -> Result<Vec<ContainerId>> {
        let names = self.list(Path::new(layout::CONTAINERS))?;
        Ok(names.into_iter().filter_map(|name| ContainerId::parse(&name).ok()).collect())
    }

    /// All containers, in no order.
    pub fn containers(&self) -> Result<Listing<ContainerRecord>> {
        self.read_containers()
    }

    /// What lists show of all containers, in no order.
    pub fn container_summaries(&self) -> Result<Listing<ContainerSummary>> {
        self.read_containers()
    }

    fn read_containers<T: DeserializeOwned>(&self) -> Result<Listing<T>> {
        let mut listing = Listing::default();
        // From their common directory: a thousand shorter look-ups.
        let containers = self.open_dir(Path::new(layout::CONTAINERS))?;
        for id in self.container_ids()? {
            match self.read_beside(containers.as_fd(), &id, layout::CONTAINER_RECORD) {
                // `None`: it was removed meanwhile.
                Ok(record) => listing.items.extend(record),
                Err(error) => listing.damaged.push(error),
            }
        }
        Ok(listing)
    }

    /// Replaces a container's record; its ID and name must be those it has.
    ///
    /// The caller holds the container's lock exclusively.
    pub fn update_container(&self, record: &ContainerRecord, durability: Durability) -> Result<()> {
        self.container(&record.id)?;
        self.write_record(&layout::in_container(&record.id, layout::CONTAINER_RECORD), record, durability)
    }

    /// Gives a container another name, and returns its new record.
    ///
    /// The caller holds the container's lock exclusively. A crash leaves it with the old or the new name.
    pub fn rename_container(&self, id: &ContainerId, name: &str, durability: Durability) -> Result<ContainerRecord> {
        let op = "rename container";
        check_name(op, name)?;
        let _lease = self.lease()?;
        let _names = self.names_lock()?;
        let mut record = self.container(id)?;
        if record.name == name {
            return Err(Error::new(op, name, Kind::NameInUse { id: id.to_string() }));
        }
        self.claim_name(op, name, id)?;
        let old = std::mem::replace(&mut record.name, name.to_owned());
        self.write_record(&layout::in_container(id, layout::CONTAINER_RECORD), &record, durability)?;
        let _ = rustix::fs::unlinkat(self.dir(), layout::name(&old), AtFlags::empty());
        Ok(record)
    }

    /// Removes a container, whatever it is doing, with its files.
    ///
    /// From the first step on it does not exist any more; its files are then deleted, which needs the mapped owners'
    /// rights. Where somebody holds `locks/sweeper`, that is left to them: some file systems take milliseconds to delete a
    /// directory (ext4 mounted with `discard`), and whoever removes a container need not wait for that. What a crash
    /// leaves is deleted by the next sweep. Its volumes stay.
    pub fn remove_container(&self, id: &ContainerId) -> Result<()> {
        let trash = self.take_away(id)?;
        if self.is_locked(Path::new(layout::SWEEPER_LOCK)) { Ok(()) } else { self.empty_trash(&trash) }
    }

    /// Removes a container whose record cannot be read, by its ID or name, whatever it is doing.
    pub fn remove_damaged_container(&self, name: &str) -> Result<()> {
        let id = match ContainerId::parse(name) {
            Ok(id) => Some(id),
            Err(_) => self.linked_id(name)?,
        };
        let id = id.ok_or_else(|| Error::not_found("remove container", What::Container, name))?;
        self.remove_container(&id)
    }

    /// Moves a container to the trash; returns where.
    fn take_away(&self, id: &ContainerId) -> Result<PathBuf> {
        let gone = || Error::not_found("remove container", What::Container, id.as_str());
        // A damaged record does not say the name; its link then leads nowhere and is taken over by the next.
        let record = match self.container(id) {
            Err(error) if error.is_not_found() && !self.exists(&layout::container(id))? => return Err(gone()),
            other => other.ok(),
        };
        let _names = self.names_lock()?;
        let trash = self.to_trash(&layout::container(id))?.ok_or_else(gone)?;
        if let Some(record) = record {
            if self.linked_id(&record.name)?.as_ref() == Some(id) {
                let _ = rustix::fs::unlinkat(self.dir(), layout::name(&record.name), AtFlags::empty());
            }
        }
        let _ = rustix::fs::unlinkat(self.dir(), layout::run(id), AtFlags::empty());
        Ok(trash)
    }

    /// Locks one container: shared for reading several of its files as one, exclusively for changing it.
    pub fn lock_container(&self, id: &ContainerId, access: Access, wait: Wait<'_>) -> Result<Guard> {
        match self.lock(&layout::in_container(id, layout::CONTAINER_LOCK), access, wait) {
            Err(error) if !self.exists(&layout::container(id))? => {
                drop(error);
                Err(Error::not_found("lock container", What::Container, id.as_str()))
            }
            other => other,
        }
    }

    fn names_lock(&self) -> Result<Guard> {
        self.lock(Path::new(layout::CONTAINERS_LOCK), Access::Exclusive, Wait::at_most(SHORT))
    }

    pub(crate) fn volumes_lock(&self, access: Access) -> Result<Guard> {
        self.lock(Path::new(layout::VOLUMES_LOCK), access, Wait::at_most(SHORT))
    }

    pub(crate) fn images_lock(&self, access: Access) -> Result<Guard> {
        self.lock(Path::new(layout::IMAGES_LOCK), access, Wait::at_most(SHORT))
    }

    pub(crate) fn lease(&self) -> Result<Guard> {
        self.lock(Path::new(layout::LEASE_LOCK), Access::Shared, Wait::at_most(SHORT))
    }
}

fn check_name(op: &'static str, name: &str) -> Result<()> {
    spec::name::check("container name", name)
        .map_err(|error| Error::new(op, name, Kind::InvalidName(error.to_string())))
}
