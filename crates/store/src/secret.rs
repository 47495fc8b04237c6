//! Secrets: small values that containers are given, each in a file that its owner alone may read.
//!
//! A container has what its secrets were when it was made, whatever becomes of them: the values are kept with it.

use crate::container::ContainerId;
use crate::error::{At, Error, Kind, Result, What};
use crate::layout;
use crate::lock::Access;
use crate::record::{self, Durability};
use crate::store::{Listing, Store};
use jiff::Timestamp;
use rustix::fs::{Mode, RenameFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A value is smaller, as in podman, in bytes.
pub const SECRET_LIMIT: usize = 512_000;

/// Everything about a secret but its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// 25 hex digits.
    pub id: String,
    /// Its name; unique.
    pub name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What was given with `--driver-opts`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// When the first of this name was made.
    pub created: Timestamp,
    /// When it got its value.
    pub updated: Timestamp,
}

/// What becomes of a secret whose name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is not made.
    Refuse,
    /// It takes the other's place.
    Replace,
}

/// The values of a container's secrets, by their place in its spec; never printed.
#[derive(Default)]
pub struct Kept(pub Vec<(usize, Vec<u8>)>);

fn of_name(secrets: Vec<SecretRecord>, name: &str) -> Vec<SecretRecord> {
    secrets.into_iter().filter(|secret| secret.name == name).collect()
}

impl Store {
    /// Makes a secret, and returns its record with a new ID. Fails with `Exists` when the name is taken and not to be replaced.
    pub fn create_secret(&self, mut secret: SecretRecord, value: &[u8], taken: Taken) -> Result<SecretRecord> {
        let op = "create secret";
        spec::secret::check_name(&secret.name)
            .map_err(|error| Error::new(op, secret.name.clone(), Kind::InvalidName(error.to_string())))?;
        let _lease = self.lease()?;
        self.make_directory_once(Path::new(layout::SECRETS))?;
        // Volumes and secrets share a lock: both are made and removed rarely.
        let _secrets = self.volumes_lock(Access::Exclusive)?;
        let others = self.all_secrets()?.items;
        if let Some(other) = others.iter().find(|other| other.name == secret.name) {
            if taken == Taken::Refuse {
                return Err(Error::new(op, secret.name, Kind::Exists));
            }
            secret.created = other.created;
        }
        secret.id = record::random_name()[..25].to_owned();
        let tmp = layout::tmp(&record::random_name());
        let target = layout::in_secret(&secret.id, "");
        let made = self.make_secret(&tmp, &secret, value).and_then(|()| {
            rustix::fs::renameat_with(self.dir(), &tmp, self.dir(), &target, RenameFlags::NOREPLACE)
                .at("create", &self.path(&target))
        });
        if let Err(error) = made {
            let _ = self.discard(&tmp);
            return Err(error);
        }
        // What it replaces goes once it is on the disk itself; after a power cut between the two, the newer is the one.
        self.sync_dir(Path::new(layout::SECRETS))?;
        for other in of_name(others, &secret.name) {
            self.discard(&layout::in_secret(&other.id, ""))?;
        }
        Ok(secret)
    }

    fn make_secret(&self, tmp: &Path, secret: &SecretRecord, value: &[u8]) -> Result<()> {
        let path = self.path(tmp);
        rustix::fs::mkdirat(self.dir(), tmp, Mode::from_raw_mode(0o700)).at("create", &path)?;
        let bytes = serde_json::to_vec(secret)
            .map_err(|error| Error::new("create secret", secret.name.clone(), Kind::Corrupt(error.to_string())))?;
        for (file, bytes) in [(layout::SECRET_RECORD, bytes.as_slice()), (layout::SECRET_DATA, value)] {
            record::create_at(self.dir(), &layout::within(tmp, file), bytes, Durability::Durable).at("write", &path)?;
        }
        self.sync_dir(tmp)
    }

    fn make_directory_once(&self, path: &Path) -> Result<()> {
        match rustix::fs::mkdirat(self.dir(), path, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(Error::at("create", &self.path(path), errno)),
        }
    }

    /// All secrets, by name.
    pub fn secrets(&self) -> Result<Listing<SecretRecord>> {
        let mut listing = self.all_secrets()?;
        listing.items.dedup_by(|later, first| later.name == first.name);
        Ok(listing)
    }

    /// The same with what a replacement that was cut off has left: of each name the newest first.
    fn all_secrets(&self) -> Result<Listing<SecretRecord>> {
        let mut listing = Listing::default();
        let ids = match self.exists(Path::new(layout::SECRETS))? {
            true => self.list(Path::new(layout::SECRETS))?,
            false => Vec::new(),
        };
        for id in ids {
            match self.read_record(&layout::in_secret(&id, layout::SECRET_RECORD)) {
                Ok(record) => listing.items.extend(record),
                Err(error) => listing.damaged.push(error),
            }
        }
        listing.items.sort_by(|a: &SecretRecord, b| a.name.cmp(&b.name).then(b.updated.cmp(&a.updated)));
        Ok(listing)
    }

    /// Finds a secret by name, by ID, or by the beginning of an ID that only one has.
    pub fn find_secret(&self, text: &str) -> Result<SecretRecord> {
        let op = "find secret";
        let mut all = self.secrets()?.items;
        if let Some(at) = all.iter().position(|secret| secret.name == text || secret.id == text) {
            return Ok(all.swap_remove(at));
        }
        all.retain(|secret| !text.is_empty() && secret.id.starts_with(text));
        match all.len() {
            0 => Err(Error::not_found(op, What::Secret, text)),
            1 => Ok(all.remove(0)),
            _ => {
                let matches = all.into_iter().map(|secret| secret.id).collect();
                Err(Error::new(op, text, Kind::Ambiguous { what: What::Secret, matches }))
            }
        }
    }

    /// The directory that all secrets are in.
    pub fn secrets_dir(&self) -> PathBuf {
        self.path(Path::new(layout::SECRETS))
    }

    /// The value of a secret.
    pub fn secret_value(&self, secret: &SecretRecord) -> Result<Vec<u8>> {
        self.read_small(&layout::in_secret(&secret.id, layout::SECRET_DATA))?
            .ok_or_else(|| Error::not_found("read secret", What::Secret, secret.name.clone()))
    }

    /// Removes a secret; containers that have it keep what they have.
    pub fn remove_secret(&self, secret: &SecretRecord) -> Result<()> {
        let _secrets = self.volumes_lock(Access::Exclusive)?;
        let gone = || Error::not_found("remove secret", What::Secret, secret.name.clone());
        let all = self.all_secrets()?.items;
        if !all.iter().any(|other| other.id == secret.id) {
            return Err(gone());
        }
        // The oldest first: none of them is to come back.
        for other in of_name(all, &secret.name).into_iter().rev() {
            let trash = self.to_trash(&layout::in_secret(&other.id, ""))?.ok_or_else(gone)?;
            self.empty_trash(&trash)?;
        }
        Ok(())
    }

    /// Writes the values of a container's secrets into the directory that becomes the container's. Synced whatever becomes of the
    /// container: without them it cannot be started.
    pub(crate) fn keep_secrets(&self, container: &Path, secrets: &Kept) -> Result<()> {
        if secrets.0.is_empty() {
            return Ok(());
        }
        let directory = layout::within(container, layout::CONTAINER_SECRETS);
        self.make_directory_once(&directory)?;
        for (number, value) in &secrets.0 {
            let path = layout::within(&directory, &number.to_string());
            record::create_at(self.dir(), &path, value, Durability::Durable).at("write", &self.path(&path))?;
        }
        self.sync_dir(&directory)
    }

    /// The value of a container's `number`th secret.
    pub fn kept_secret(&self, id: &ContainerId, number: usize) -> Result<Option<Vec<u8>>> {
        let directory = layout::in_container(id, layout::CONTAINER_SECRETS);
        self.read_small(&layout::within(&directory, &number.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::MetadataExt;

    fn secret(name: &str) -> SecretRecord {
        SecretRecord {
            id: String::new(),
            name: name.to_owned(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_secret_is_made_once_replaced_and_found() {
        let scratch = Scratch::new();
        let store = Store::open(&scratch.path().join("store")).unwrap();
        assert!(store.secrets().unwrap().items.is_empty());
        let first = store.create_secret(secret("password"), b"one", Taken::Refuse).unwrap();
        assert_eq!(first.id.len(), 25);
        let again = store.create_secret(secret("password"), b"two", Taken::Refuse).unwrap_err();
        assert!(matches!(again.kind, Kind::Exists));
        // As a power cut between the two steps of a replacement leaves it.
        let copy = SecretRecord { updated: Timestamp::now(), ..secret("cut-off") };
        let tmp = layout::tmp("cut-off");
        store.create_secret(secret("cut-off"), b"old", Taken::Refuse).unwrap();
        store.make_secret(&tmp, &SecretRecord { id: "c".repeat(25), ..copy }, b"new").unwrap();
        std::fs::rename(store.path(&tmp), store.path(&layout::in_secret(&"c".repeat(25), ""))).unwrap();
        assert_eq!(store.secrets().unwrap().items.len(), 2);
        let newest = store.find_secret("cut-off").unwrap();
        assert_eq!(store.secret_value(&newest).unwrap(), b"new");
        store.remove_secret(&newest).unwrap();
        assert!(store.find_secret("cut-off").unwrap_err().is_not_found());
        let later = SecretRecord { created: Timestamp::now(), ..secret("password") };
        let second = store.create_secret(later, b"two", Taken::Replace).unwrap();
        assert_ne!(first.id, second.id);
        assert_eq!(second.created, first.created);
        for text in ["password", &second.id, &second.id[..5]] {
            assert_eq!(store.find_secret(text).unwrap(), second, "{text}");
        }
        assert_eq!(store.secret_value(&second).unwrap(), b"two");
        let file = store.path(&layout::in_secret(&second.id, layout::SECRET_DATA));
        assert_eq!(std::fs::metadata(file).unwrap().mode() & 0o777, 0o600);
        assert!(store.find_secret("pass").unwrap_err().is_not_found());
        assert!(store.find_secret("").unwrap_err().is_not_found());
        let bad = store.create_secret(secret("a/b"), b"x", Taken::Refuse).unwrap_err();
        assert!(matches!(bad.kind, Kind::InvalidName(_)));
        store.remove_secret(&second).unwrap();
        assert!(store.remove_secret(&second).unwrap_err().is_not_found());
        assert!(store.secrets().unwrap().items.is_empty());
    }
}
