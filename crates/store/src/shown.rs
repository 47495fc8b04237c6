//! Where `mount` and `image mount` show files: directories that stay empty below the mount.

use crate::container::ContainerId;
use crate::error::{At, Result};
use crate::layout;
use crate::store::Store;
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;
use spec::Digest;
use std::path::{Path, PathBuf};

/// The directories of one mount; both absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPlace {
    /// Where it is mounted.
    pub root: PathBuf,
    /// Empty; the overlay's work directory.
    pub work: PathBuf,
}

impl Store {
    /// Where a container's files are shown.
    pub fn shown_container_path(&self, id: &ContainerId) -> PathBuf {
        self.path(&layout::within(&layout::in_container(id, layout::CONTAINER_SHOWN), layout::SHOWN_ROOT))
    }

    /// Where an image's files are shown.
    pub fn shown_image_path(&self, id: &Digest) -> PathBuf {
        self.path(&layout::within(&layout::shown(&id.hex()), layout::SHOWN_ROOT))
    }

    /// Makes the place for a container's files.
    pub fn shown_container(&self, id: &ContainerId) -> Result<ShownPlace> {
        self.shown_place(&layout::in_container(id, layout::CONTAINER_SHOWN))
    }

    /// Makes the place for an image's files.
    pub fn shown_image(&self, id: &Digest) -> Result<ShownPlace> {
        self.make(Path::new(layout::SHOWN))?;
        self.shown_place(&layout::shown(&id.hex()))
    }

    fn shown_place(&self, place: &Path) -> Result<ShownPlace> {
        let (root, work) = (layout::within(place, layout::SHOWN_ROOT), layout::within(place, layout::SHOWN_WORK));
        [place, &root, &work].into_iter().try_for_each(|path| self.make(path))?;
        Ok(ShownPlace { root: self.path(&root), work: self.path(&work) })
    }

    fn make(&self, path: &Path) -> Result<()> {
        match rustix::fs::mkdirat(self.dir(), path, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            other => other.at("create", &self.path(path)),
        }
    }

    /// Removes the place of an image that is gone; while something is mounted there, it stays.
    pub(crate) fn forget_shown(&self, id: &Digest) {
        let place = layout::shown(&id.hex());
        for path in [layout::within(&place, layout::SHOWN_ROOT), layout::within(&place, layout::SHOWN_WORK), place] {
            let _ = rustix::fs::unlinkat(self.dir(), &path, AtFlags::REMOVEDIR);
        }
    }
}
