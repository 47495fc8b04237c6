//! A container's or an image's files as layers, read without a mount: what `diff`, `export` and `commit` work on.
//!
//! What is mounted in a container (volumes, binds, memory) is no part of it. A container that runs is read as it is at that moment.

use super::Container;
use crate::error::{Error, Kind, Result};
use crate::resolve::mounts::has_usual_files;
use crate::{Engine, store_error};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, getrlimit, setrlimit};
use spec::container::Root;
use std::os::fd::OwnedFd;
use std::path::Path;
use store::{ContainerRecord, ImageRecord};

/// The layers of a container.
pub(super) struct Layers {
    /// What it has changed; none where it runs in a directory of the host as it is.
    pub(super) upper: Option<OwnedFd>,
    /// What it began with, topmost first.
    pub(super) lower: Vec<OwnedFd>,
}

impl Layers {
    /// All of them, topmost first.
    pub(super) fn all(self) -> Vec<OwnedFd> {
        self.upper.into_iter().chain(self.lower).collect()
    }
}

/// What `diff` compares.
#[derive(Debug, Clone)]
pub enum Tree {
    /// A container's files.
    Container(Box<Container>),
    /// An image's.
    Image(Box<ImageRecord>),
}

impl Engine {
    /// Brings this process where it can read every file of the store, and opens a container's layers.
    pub(super) fn layers_of(&self, record: &ContainerRecord) -> Result<Layers> {
        more_descriptors();
        let directory = match &record.spec.root {
            // As the caller, who named it.
            Root::Directory { path, overlay } => Some((open(Path::new(path))?, *overlay)),
            Root::Image(_) => None,
        };
        self.approach_store()?;
        let upper = || open(&self.store.upper_dir(&record.id));
        match (directory, &record.image, &record.spec.root) {
            (Some((directory, false)), ..) => Ok(Layers { upper: None, lower: vec![directory] }),
            (Some((directory, true)), ..) => Ok(Layers { upper: Some(upper()?), lower: vec![directory] }),
            (None, Some(image), _) => Ok(Layers { upper: Some(upper()?), lower: self.open_layers(&image.layers)? }),
            (None, None, Root::Image(name)) => Err(Error::new(Kind::NoSuchImage(name.clone()))),
            (None, None, Root::Directory { .. }) => Err(Error::new(Kind::NoSuchImage(String::new()))),
        }
    }

    /// The same of an image's layers (diff IDs, lowest first), topmost first.
    pub(super) fn open_layers(&self, layers: &[spec::Digest]) -> Result<Vec<OwnedFd>> {
        self.store.lower_dirs(layers).map_err(store_error)?.iter().map(|path| open(path)).collect()
    }

    /// The places that lodger mounts in every container, which lie below all layers.
    pub(super) fn bottom_layer(&self, record: &ContainerRecord) -> Result<Option<OwnedFd>> {
        match has_usual_files(&record.spec) {
            true => open(&self.store.bottom_dir().map_err(store_error)?).map(Some),
            false => Ok(None),
        }
    }
}

/// An image may have hundreds of layers, and one descriptor is held for each in each directory on the way.
pub(super) fn more_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it most images can be read as well.
    let _ = setrlimit(Resource::Nofile, limit);
}

pub(super) fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| Error::io(format!("open directory {path:?}"), e.into()))
}
