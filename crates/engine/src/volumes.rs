//! Named volumes.

use crate::error::{Error, Kind, Result};
use crate::events::{self, Act};
use crate::{Engine, store_error};
use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};
use spec::volume::{Backing, VolumeOptions};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use store::{ContainerId, Direct, Durability};

pub use store::VolumeRecord;

/// What `volume create` is asked for.
#[derive(Debug, Clone, Default)]
pub struct NewVolume {
    /// Made up when absent.
    pub name: Option<String>,
    /// `--label`
    pub labels: BTreeMap<String, String>,
    /// `--opt`
    pub options: BTreeMap<String, String>,
    /// Owner of the data directory inside; absent = who `o=uid=` says, else the user of the container that first fills it.
    pub uid: Option<u32>,
    /// Group of the data directory inside; as the owner.
    pub gid: Option<u32>,
}

fn options_of(volume: &VolumeRecord) -> Result<VolumeOptions> {
    VolumeOptions::parse(&volume.options).map_err(|error| Error::invalid(format!("volume {}: {error}", volume.name)))
}

impl Engine {
    /// Makes a volume; an existing one of that name is an error.
    pub fn create_volume(&self, new: NewVolume) -> Result<VolumeRecord> {
        let options = VolumeOptions::parse(&new.options).map_err(|error| Error::invalid(error.to_string()))?;
        let (uid, gid) = (new.uid.or(options.uid), new.gid.or(options.gid));
        self.before_writing()?;
        let anonymous = new.name.is_none();
        let name = new.name.unwrap_or_else(|| ContainerId::random().to_string());
        if uid.or(gid).is_some() {
            self.enter_user_namespace()?;
        }
        let record = VolumeRecord {
            name,
            driver: "local".to_owned(),
            labels: new.labels,
            options: VolumeOptions { uid, gid, ..options.clone() }.shown(new.options),
            created: Timestamp::now(),
            anonymous,
            creator: None,
            needs_copy_up: options.mount.copy.unwrap_or(true),
            needs_chown: uid.or(gid).is_none(),
            uid: uid.unwrap_or(0),
            gid: gid.unwrap_or(0),
        };
        match self.store.create_volume(&record, Durability::Durable) {
            Err(error) if matches!(error.kind, store::Kind::Exists) => Err(Error::new(Kind::VolumeExists(record.name))),
            other => {
                other.map_err(store_error)?;
                self.tell_named(events::Subject::Volume, Act::Create, &record.name);
                Ok(record)
            }
        }
    }

    /// A volume by name or the beginning of it.
    pub fn volume(&self, text: &str) -> Result<VolumeRecord> {
        self.store.find_volume(text).map_err(store_error)
    }

    /// All volumes; damaged records are told to `damaged` and passed over.
    pub fn volumes(&self, damaged: &mut dyn FnMut(Error)) -> Result<Vec<VolumeRecord>> {
        let listing = self.store.volumes().map_err(store_error)?;
        listing.damaged.into_iter().map(store_error).for_each(damaged);
        Ok(listing.items)
    }

    /// The containers that use a volume.
    pub fn volume_users(&self, volume: &VolumeRecord) -> Result<Vec<ContainerId>> {
        self.store.volume_users(&volume.name).map_err(store_error)
    }

    /// Where a volume's data is.
    pub fn volume_path(&self, volume: &VolumeRecord) -> Result<std::path::PathBuf> {
        self.store.volume_data(&volume.name).map_err(store_error)
    }

    /// The directory of a volume's data that somebody outside can look into; an error for memory.
    pub fn volume_directory(&self, volume: &VolumeRecord) -> Result<PathBuf> {
        match options_of(volume)?.backing {
            Backing::Directory => self.volume_path(volume),
            Backing::Bind(device) => Ok(PathBuf::from(device)),
            Backing::Tmpfs { .. } => Err(Error::invalid(format!(
                "volume {} is memory: it has content only inside the containers that run with it",
                volume.name
            ))),
        }
    }

    /// Writes a volume's files as an archive.
    pub fn export_volume(&self, volume: &VolumeRecord, out: BorrowedFd<'_>) -> Result<()> {
        let elsewhere = self.elsewhere(volume)?;
        self.enter_user_namespace()?;
        let directory = elsewhere.as_ref().map(AsFd::as_fd);
        self.store.export_volume(&volume.name, directory, &mut Direct::new(out)).map_err(store_error)
    }

    /// Puts the files of an archive into a volume.
    pub fn import_volume(&self, volume: &VolumeRecord, archive: impl BufRead) -> Result<()> {
        let elsewhere = self.elsewhere(volume)?;
        self.enter_user_namespace()?;
        self.store.import_volume(&volume.name, archive, elsewhere).map_err(store_error)
    }

    /// The directory of a volume that is a bind, opened as the caller.
    fn elsewhere(&self, volume: &VolumeRecord) -> Result<Option<OwnedFd>> {
        let path = self.volume_directory(volume)?;
        match options_of(volume)?.backing {
            Backing::Bind(_) => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let opened = rustix::fs::open(&path, flags, Mode::empty());
                opened.map(Some).map_err(|errno| Error::io(format!("open {path:?}"), errno.into()))
            }
            _ => Ok(None),
        }
    }

    /// Removes those of the volumes that no container uses, and tells `gone` of each.
    pub fn prune_volumes(&self, volumes: &[VolumeRecord], gone: &mut dyn FnMut(&str)) -> Result<()> {
        self.enter_user_namespace()?;
        for volume in volumes {
            match self.store.remove_volume(&volume.name) {
                Ok(()) => {
                    self.tell_named(events::Subject::Volume, Act::Remove, &volume.name);
                    self.tell_named(events::Subject::Volume, Act::Prune, &volume.name);
                    gone(&volume.name);
                }
                Err(error) if matches!(error.kind, store::Kind::InUse { .. } | store::Kind::NotFound(_)) => {}
                Err(error) => return Err(store_error(error)),
            }
        }
        Ok(())
    }

    /// Removes a volume that no container uses.
    pub fn remove_volume(&self, name: &str) -> Result<String> {
        let record = self.volume(name)?;
        self.enter_user_namespace()?;
        self.store.remove_volume(&record.name).map_err(store_error)?;
        self.tell_named(events::Subject::Volume, Act::Remove, &record.name);
        Ok(record.name)
    }
}
