//! Secrets: made, found, and given to containers. Their values are in no message and no record of a container.

use crate::error::{Error, Kind, Result};
use crate::events::{self, Act, Event};
use crate::resolve::files::guest;
use crate::{Engine, store_error};
use jiff::Timestamp;
use runtime::plan::{self, Access, File};
use spec::ContainerSpec;
use spec::secret::SecretForm;
use std::collections::BTreeMap;
use std::fmt;
use store::secret::Kept;
use store::{ContainerRecord, SECRET_LIMIT};

pub use store::SecretRecord;
pub use store::secret::Taken;

/// What `secret create` is asked for.
#[derive(Clone)]
pub struct NewSecret {
    /// Its name.
    pub name: String,
    /// `--label`
    pub labels: BTreeMap<String, String>,
    /// `--driver-opts`
    pub options: BTreeMap<String, String>,
    /// Its value.
    pub value: Vec<u8>,
    /// What becomes of another of this name.
    pub taken: Taken,
}

impl fmt::Debug for NewSecret {
    /// Without the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSecret {{ name: {:?}, {} bytes }}", self.name, self.value.len())
    }
}

impl Engine {
    /// Makes a secret, and returns what is known of it.
    pub fn create_secret(&self, new: NewSecret) -> Result<SecretRecord> {
        if new.value.is_empty() || new.value.len() >= SECRET_LIMIT {
            return Err(Error::invalid("secret data must be larger than 0 and less than 512000 bytes"));
        }
        self.before_writing()?;
        let now = Timestamp::now();
        let record = SecretRecord {
            id: String::new(),
            name: new.name,
            labels: new.labels,
            options: new.options,
            created: now,
            updated: now,
        };
        let name = record.name.clone();
        match self.store.create_secret(record, &new.value, new.taken) {
            Err(error) if matches!(error.kind, store::Kind::Exists) => Err(Error::new(Kind::SecretExists(name))),
            other => {
                let made = other.map_err(store_error)?;
                self.tell_secret(Act::Create, &made);
                Ok(made)
            }
        }
    }

    fn tell_secret(&self, act: Act, secret: &SecretRecord) {
        let event = Event::new(events::Subject::Secret, act).named(&secret.name);
        self.tell(Event { id: secret.id.clone(), ..event });
    }

    /// A secret by name, ID or the beginning of an ID.
    pub fn secret(&self, text: &str) -> Result<SecretRecord> {
        self.store.find_secret(text).map_err(store_error)
    }

    /// All secrets; damaged records are told to `damaged` and passed over.
    pub fn secrets(&self, damaged: &mut dyn FnMut(Error)) -> Result<Vec<SecretRecord>> {
        let listing = self.store.secrets().map_err(store_error)?;
        listing.damaged.into_iter().map(store_error).for_each(damaged);
        Ok(listing.items)
    }

    /// The value of a secret.
    pub fn secret_value(&self, secret: &SecretRecord) -> Result<Vec<u8>> {
        self.store.secret_value(secret).map_err(store_error)
    }

    /// Where the values of all secrets are.
    pub fn secrets_path(&self) -> std::path::PathBuf {
        self.store.secrets_dir()
    }

    /// Removes a secret; containers keep the files that they have of it.
    pub fn remove_secret(&self, secret: &SecretRecord) -> Result<()> {
        self.before_writing()?;
        self.store.remove_secret(secret).map_err(store_error)?;
        self.tell_secret(Act::Remove, secret);
        Ok(())
    }

    /// Finds the secrets of a container that is being made; those that it gets as files are read.
    pub(crate) fn find_secrets(&self, spec: &mut ContainerSpec) -> Result<Kept> {
        let mut values = Vec::new();
        for (number, used) in spec.mounts.secrets.iter_mut().enumerate() {
            let secret = self.secret(&used.name)?;
            if matches!(used.form, SecretForm::Mount { .. }) {
                values.push((number, self.secret_value(&secret)?));
            }
            used.id = secret.id;
        }
        Ok(Kept(values))
    }

    /// The files of a container's secrets, in memory.
    pub(crate) fn secret_files(&self, record: &ContainerRecord) -> Result<Vec<plan::Mount>> {
        let mut files: Vec<plan::Mount> = Vec::new();
        let mut taken = std::collections::BTreeSet::new();
        for (number, used) in record.spec.mounts.secrets.iter().enumerate() {
            let SecretForm::Mount { uid, gid, mode, .. } = &used.form else { continue };
            let path = used.path().unwrap_or_default();
            if !taken.insert(path.clone()) {
                continue;
            }
            let kept = self.store.kept_secret(&record.id, number).map_err(store_error)?;
            let contents = kept.ok_or_else(|| Error::new(Kind::NoSuchSecret(used.name.clone())))?;
            let target = guest(&path)?;
            let (mode, access) = (mode.unwrap_or(0o444), Access::Writable);
            files.push(plan::Mount::File(File { target, contents, mode, uid: *uid, gid: *gid, access }));
        }
        Ok(files)
    }

    /// The secrets that a container gets as variables, as they are now.
    pub(crate) fn secret_variables(&self, spec: &ContainerSpec) -> Result<Vec<(String, String)>> {
        let mut variables = Vec::new();
        for used in &spec.mounts.secrets {
            let Some(variable) = used.variable() else { continue };
            let value = self.secret_value(&self.secret(&used.name)?)?;
            let text = String::from_utf8(value).ok().filter(|text| !text.contains('\0'));
            let text = text
                .ok_or_else(|| Error::invalid(format!("secret {} cannot be a variable: it is not text", used.name)))?;
            variables.push((variable.to_owned(), text));
        }
        Ok(variables)
    }
}
