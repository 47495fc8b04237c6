//! Overlays inside a container: binds whose changes go elsewhere (`O`), and images.

use super::asked::{Maker, Source, made, part_of};
use super::mapped;
use crate::error::{Error, Kind, Result};
use crate::{runtime_error, store_error};
use runtime::Rootfs;
use runtime::plan;
use runtime::rootfs::{self, Durability, Overlay};
use rustix::fs::{Mode, OFlags};
use spec::mount::{Changes as Wanted, Mount};
use std::os::fd::OwnedFd;
use std::path::Path;
use store::mapped::Places;

/// Where the changes of an overlay go.
pub(super) struct Scratch {
    upper: OwnedFd,
    work: OwnedFd,
    durability: Durability,
}

impl Scratch {
    /// What was asked for over a directory.
    pub(super) fn of(maker: &Maker<'_>, number: usize, changes: &Wanted, source: &Source) -> Result<Self> {
        let top = source.directory()?;
        match changes {
            Wanted::Discarded => Self::fresh(maker, number, top),
            Wanted::Kept { upper, work } => Ok(Self {
                upper: maker.engine.open_place(upper)?,
                work: maker.engine.open_place(work)?,
                durability: Durability::Durable,
            }),
        }
    }

    /// Directories of the container's own, forgotten at its next start.
    fn fresh(maker: &Maker<'_>, number: usize, top: store::RootAttributes) -> Result<Self> {
        let dirs = maker.engine.store.fresh_overlay(&maker.record.id, number, top).map_err(store_error)?;
        Ok(Self { upper: directory(&dirs.upper)?, work: directory(&dirs.work)?, durability: Durability::Volatile })
    }
}

impl Maker<'_> {
    pub(super) fn overlay(&self, lowers: Vec<OwnedFd>, scratch: Scratch, name: &str) -> Result<Rootfs> {
        let Scratch { upper, work, durability } = scratch;
        let changes = Some(rootfs::Changes { upper, work, durability });
        Rootfs::overlay(&Overlay { lowers, contents: Vec::new(), changes }, name).map_err(runtime_error)
    }

    /// The files of an image, which was found when the container was made; what is written to them is forgotten.
    pub(super) fn image(&self, number: usize, mount: &Mount, name: &str) -> Result<plan::Mount> {
        let used = self.record.mounted.iter().find(|used| used.name == name);
        let used = used.ok_or_else(|| Error::new(Kind::NoSuchImage(name.to_owned())))?;
        let store = &self.engine.store;
        let (lowers, contents) = mapped::layers(self.engine, self.record, &used.layers, Places::Missing)?;
        let root = self.record.ids.as_ref().map_or(used.root, |ids| used.root.with_ids(ids));
        let dirs = store.fresh_overlay(&self.record.id, number, root).map_err(store_error)?;
        let changes = rootfs::Changes {
            upper: directory(&dirs.upper)?,
            work: directory(&dirs.work)?,
            durability: Durability::Volatile,
        };
        let overlay =
            Rootfs::overlay(&Overlay { lowers, contents, changes: Some(changes) }, name).map_err(runtime_error)?;
        let what = match &mount.options.subpath {
            Some(subpath) => part_of(&overlay, subpath, &directory(dirs.upper.parent().unwrap_or(&dirs.upper))?)
                .map_err(|error| error.within(format!("image {name}")))?,
            None => overlay.into_mount(),
        };
        let mut mount = mount.clone();
        mount.options.read_only.get_or_insert(true);
        made(&mount, what, name)
    }
}

fn directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| Error::io(format!("open directory {path:?}"), e.into()))
}
