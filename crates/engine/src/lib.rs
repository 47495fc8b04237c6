//! The verbs of lodger as a library: what a command does, without its words, tables and exit codes.
//!
//! An [`Engine`] is the caller's view of the machine: who they are, their store, their systemd. Each verb is a method in
//! the file that has its name. Nothing here prints, parses flags or exits.
//!
//! ```text
//! host, config, systemd     facts: the caller, files and environment, D-Bus
//! images                    pull, load, tag, remove
//! resolve                   ContainerSpec + image + host → runtime::Plan
//! launch                    Plan → process: the one way a container starts
//! containers                create, start, stop, remove, list, exec, …
//! logs                      what they wrote
//! events                    what happened to them, told by every verb that changes something
//! ids                       which ids of the caller's a container has
//! userns, outside           root's own range of ids, and what is opened before it is entered
//! ```

mod boot;
mod cdi;
pub mod config;
pub mod containers;
mod defaults;
pub mod error;
pub mod events;
#[cfg(test)]
mod fuzz;
pub mod host;
mod ids;
pub mod images;
mod inherited;
pub mod launch;
pub mod login;
pub mod logs;
mod migrate;
mod outside;
mod resolve;
pub mod secrets;
pub mod system;
pub mod systemd;
mod unit;
mod unshare;
mod userns;
pub mod volumes;

pub use error::{Error, Kind, Result};
pub use host::Host;
pub use images::{PullEvent, PullReport};
pub use registry::auth::{Credentials, Secret};
pub use runtime::foreground::{DetachKeys, Signals};
pub use store::{
    ContainerId, ContainerRecord, ExitRecord, HealthRecord, HealthResult, HealthStatus, ImageRecord, RunState,
};

use spec::Digest;
use spec::oci::ContainerDefaults;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use store::Store;

/// A cleanup takes a few milliseconds; on a busy machine some more.
const CLEANUP_PATIENCE: Duration = Duration::from_millis(500);

/// The caller's view of the machine.
#[derive(Debug)]
pub struct Engine {
    /// Who and where.
    pub host: Host,
    /// What is on disk.
    pub store: Store,
    /// `--module`: further files of the form of containers.conf.
    pub modules: Vec<String>,
    /// `--events-backend`
    pub events_backend: Option<events::EventsLogger>,
    defaults: OnceCell<defaults::Defaults>,
    events: events::Teller,
    leaving: launch::Leaving,
    entered: userns::Entered,
    outside: outside::Outside,
    /// How long this command may yet wait for the cleanups of containers that have just ended.
    patience: Cell<Duration>,
    /// Configs read so far: a list of containers asks for the same few again and again.
    image_defaults: RefCell<BTreeMap<Digest, ContainerDefaults>>,
}

impl Engine {
    /// Opens the caller's store; `root` is `--root`, absent = the user's own.
    ///
    /// Root's store belongs to root of its containers' id range, so that the process that unpacks and starts them needs no
    /// right over the rest of the machine; it is first made from within that range.
    pub fn open(root: Option<PathBuf>) -> Result<Self> {
        let host = Host::read()?;
        let root = root.unwrap_or_else(|| host.data_dir());
        let entered = userns::Entered::by_birth(&host);
        if !host.rootless() && !host.inside && !root.join("format").exists() {
            userns::prepare_store_of_root(&host, &root)?;
        }
        let store = Store::open(&root).map_err(store_error)?;
        let patience = Cell::new(CLEANUP_PATIENCE);
        Ok(Self {
            host,
            store,
            modules: Vec::new(),
            events_backend: None,
            defaults: OnceCell::new(),
            events: events::Teller::default(),
            leaving: launch::Leaving::default(),
            entered,
            outside: Default::default(),
            patience,
            image_defaults: RefCell::default(),
        })
    }

    /// What containers.conf says, read when it is first asked for.
    pub(crate) fn defaults(&self) -> Result<&defaults::Defaults> {
        if let Some(defaults) = self.defaults.get() {
            return Ok(defaults);
        }
        let defaults = defaults::Defaults::read(&self.host, &self.modules)?;
        Ok(self.defaults.get_or_init(|| defaults))
    }

    /// The keys that leave a container running where the command line names none (`detach_keys`).
    pub fn detach_keys(&self) -> Result<Option<DetachKeys>> {
        let Some(text) = &self.defaults()?.settings().detach_keys else { return Ok(None) };
        DetachKeys::parse(text).map(Some).map_err(|error| runtime_error(error).within("containers.conf: detach_keys"))
    }
}

/// Gives a store's error its kind here.
fn store_error(error: store::Error) -> Error {
    use store::{Kind as From, What};
    let subject = error.subject.clone();
    let kind = match &error.kind {
        From::NotFound(What::Container) => Kind::NoSuchContainer(subject),
        From::NotFound(What::Image) => Kind::NoSuchImage(subject),
        From::NotFound(What::Volume) => Kind::NoSuchVolume(subject),
        From::NotFound(What::Secret) => Kind::NoSuchSecret(subject),
        From::NameInUse { id } => Kind::NameInUse { name: subject, id: id.clone() },
        From::InUse { by } => Kind::InUse { what: subject, by: by.clone() },
        From::Ambiguous { .. } => Kind::Ambiguous(subject),
        // The words of the system would repeat it.
        From::NoSpace(_) => return Error::new(Kind::NoSpace).within(format!("{} {:?}", error.op, error.subject)),
        From::Io(cause) if cause.raw_os_error() == Some(rustix::io::Errno::ROFS.raw_os_error()) => Kind::ReadOnly,
        From::Locked { .. } => Kind::Locked(error.to_string()),
        From::DigestMismatch { .. } | From::SizeMismatch { .. } | From::Corrupt(_) => Kind::Corrupt,
        From::BadArchive(_) | From::TooLarge { .. } => Kind::BadArchive,
        From::Source(_) => return source_error(error),
        From::InvalidName(text) => Kind::Invalid(text.clone()),
        _ => Kind::Other,
    };
    match kind {
        // These say it all; the store's own sentence would repeat it.
        Kind::NoSuchContainer(_)
        | Kind::NoSuchImage(_)
        | Kind::NoSuchVolume(_)
        | Kind::NoSuchSecret(_)
        | Kind::NameInUse { .. }
        | Kind::InUse { .. } => Error::new(kind),
        kind => Error::caused(kind, error),
    }
}

/// The registry's own error comes out of a failed layer, where there is one.
fn source_error(error: store::Error) -> Error {
    let store::Kind::Source(source) = error.kind else { return Error::caused(Kind::Other, error) };
    match registry::Error::from_io(source) {
        Ok(error) => error::registry_error(error),
        Err(source) => Error::io(format!("{} {}", error.op, error.subject), source),
    }
}

/// Gives a launcher's error its kind here.
fn runtime_error(error: runtime::Error) -> Error {
    let kind = userns::kind_of(&error).or_else(|| launch::start_kind(&error)).unwrap_or(Kind::Other);
    match kind {
        Kind::CommandNotFound(_) | Kind::CommandNotInvocable(_) | Kind::WorkdirMissing(_) => Error::new(kind),
        kind => Error::caused(kind, error),
    }
}
