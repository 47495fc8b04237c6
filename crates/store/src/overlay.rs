//! Which directories a container's root is stacked from. Mounting them is the runtime's business.
//!
//! The mount wants `userxattr` inside a user namespace; layers mark whiteouts as char device 0:0 and opaque directories as
//! `user.overlay.opaque=y` (<https://docs.kernel.org/filesystems/overlayfs.html>).

use crate::container::ContainerId;
use crate::error::{Error, Result, What};
use crate::layout;
use crate::remove_tree;
use crate::store::Store;
use spec::Digest;
use std::path::PathBuf;

/// The directories of one overlay mount; all absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayDirs {
    /// The image's layers, top first, as `lowerdir` wants them.
    pub lower: Vec<PathBuf>,
    /// Takes the container's changes.
    pub upper: PathBuf,
    /// The kernel's; on the same file system as `upper`.
    pub work: PathBuf,
}

impl Store {
    /// The directories for a container whose image has these layers (diff IDs, lowest first).
    ///
    /// Fails with `NotFound` when a layer is missing: an image was damaged from outside.
    pub fn overlay_dirs(&self, id: &ContainerId, layers: &[Digest]) -> Result<OverlayDirs> {
        Ok(OverlayDirs {
            lower: self.lower_dirs(layers)?,
            upper: self.path(&layout::in_container(id, layout::CONTAINER_UPPER)),
            work: self.path(&layout::in_container(id, layout::CONTAINER_WORK)),
        })
    }

    /// The directories of an image's layers (diff IDs, lowest first), top first: for a read-only view of an image.
    pub fn lower_dirs(&self, layers: &[Digest]) -> Result<Vec<PathBuf>> {
        let mut lower = Vec::with_capacity(layers.len());
        for diff_id in layers.iter().rev() {
            let diff = layout::layer_diff(diff_id);
            if !self.exists(&diff)? {
                return Err(Error::not_found("open layer", What::Layer, diff_id.to_string()));
            }
            lower.push(self.path(&diff));
        }
        Ok(lower)
    }

    /// Lets a container that was mounted `volatile` be mounted again.
    ///
    /// The kernel leaves `work/incompat/volatile` behind and refuses the next mount (EINVAL), because after a power cut the
    /// changes may be half written. Call it only when no power was lost since, that is, in the same boot.
    pub fn clear_volatile(&self, id: &ContainerId) -> Result<()> {
        let mark = layout::volatile_mark(id);
        match self.exists(&mark)? {
            true => remove_tree::remove_tree(self.dir(), &mark, self.root()),
            false => Ok(()),
        }
    }

    /// Where the image's top directory, and so the container's `/`, lies for writing.
    pub fn upper_dir(&self, id: &ContainerId) -> PathBuf {
        self.path(&layout::in_container(id, layout::CONTAINER_UPPER))
    }
}
