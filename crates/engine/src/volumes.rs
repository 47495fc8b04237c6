//! Named volumes.

use crate::error::{Error, Kind, Result};
use crate::{Engine, store_error};
use jiff::Timestamp;
use spec::volume::VolumeOptions;
use std::collections::BTreeMap;
use store::{ContainerId, Durability};

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
            other => other.map(|()| record).map_err(store_error),
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

    /// Removes a volume that no container uses.
    pub fn remove_volume(&self, name: &str) -> Result<String> {
        let record = self.volume(name)?;
        self.enter_user_namespace()?;
        self.store.remove_volume(&record.name).map_err(store_error)?;
        Ok(record.name)
    }
}
