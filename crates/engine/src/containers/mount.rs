//! `mount`, `unmount`: the files of a container or image at a place of the store, in the mount namespace of whoever asks.
//!
//! A user asks from within `unshare`, whose mounts end with it; root's are the machine's. Nobody keeps count: a second mount covers the
//! first, and each unmount uncovers one.
//!
//! | container | who | what is mounted |
//! |---|---|---|
//! | stopped | anybody | an overlay of its own, which can be written to |
//! | running | user | the container's own root, so that both sides see each other's changes |
//! | running | root | a view that can only be read, since the container's root knows only the ids of its range |

use super::Container;
use super::layers::{Layers, open};
use crate::error::{Error, Result};
use crate::events::Act;
use crate::{Engine, runtime_error, store_error};
use runtime::rootfs::{Changes, Durability, Overlay, Rootfs};
use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags};
use rustix::mount::{UnmountFlags, unmount};
use spec::Digest;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use store::{ImageRecord, RunState, ShownPlace};

/// How much of what was mounted goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmount {
    /// The last mount.
    Once,
    /// All of them.
    Whole,
}

impl Engine {
    /// Whether this process may mount anything: root, or a user within `unshare`.
    pub fn may_mount(&self) -> bool {
        !self.host.rootless() || self.host.inside
    }

    /// Mounts a container's root file system, without what is mounted in it, and returns where.
    pub fn mount(&self, container: &Container) -> Result<PathBuf> {
        let record = &container.record;
        if let Some(place) = self.mounted(container) {
            return self.cover(place);
        }
        crate::ids::refuse(record, "mount")?;
        let mut layers = self.layers_of(record)?;
        layers.lower.extend(self.bottom_layer(record)?);
        let place = self.store.shown_container(&record.id).map_err(store_error)?;
        let own = container.running.as_ref().filter(|_| self.host.rootless()).and_then(own_root);
        let mount = match own {
            Some(own) => own,
            None => self.view_of(layers, container.running.is_some(), &place, &record.name)?,
        };
        self.put(mount, &place.root)?;
        self.tell_container(record, Act::Mount);
        Ok(place.root)
    }

    /// Mounts an image's files, which cannot be changed, and returns where.
    pub fn mount_image(&self, image: &ImageRecord) -> Result<PathBuf> {
        if let Some(place) = self.mounted_image(&image.id) {
            return self.cover(place);
        }
        self.approach_store()?;
        let place = self.store.shown_image(&image.id).map_err(store_error)?;
        let layers = Layers { upper: None, lower: self.open_layers(&image.layers)? };
        let mount = self.view_of(layers, true, &place, &image.id.hex())?;
        self.put(mount, &place.root)?;
        Ok(place.root)
    }

    /// Where a container is mounted, if it is.
    pub fn mounted(&self, container: &Container) -> Option<PathBuf> {
        Some(self.store.shown_container_path(&container.record.id)).filter(|path| is_mounted(path))
    }

    /// Where an image is mounted, if it is.
    pub fn mounted_image(&self, id: &Digest) -> Option<PathBuf> {
        Some(self.store.shown_image_path(id)).filter(|path| is_mounted(path))
    }

    /// Unmounts a container; whether it was mounted.
    pub fn unmount(&self, container: &Container, how: Unmount) -> Result<bool> {
        let done = take_off(&self.store.shown_container_path(&container.record.id), how)?;
        if done {
            self.tell_container(&container.record, Act::Unmount);
        }
        Ok(done)
    }

    /// Unmounts an image; whether it was mounted.
    pub fn unmount_image(&self, id: &Digest, how: Unmount) -> Result<bool> {
        take_off(&self.store.shown_image_path(id), how)
    }

    /// Layers as one mount.
    fn view_of(&self, layers: Layers, fixed: bool, place: &ShownPlace, name: &str) -> Result<OwnedFd> {
        let overlay = match layers {
            // A directory of the host, as it is.
            Layers { upper: None, mut lower } if !fixed && lower.len() == 1 => {
                let directory = lower.remove(0);
                return Rootfs::directory(&directory, name).map(Rootfs::into_mount).map_err(runtime_error);
            }
            Layers { upper: Some(upper), lower } if !fixed => {
                let changes = Changes { upper, work: open(&place.work)?, durability: Durability::Durable };
                Overlay { lowers: lower, contents: Vec::new(), changes: Some(changes) }
            }
            // Below an overlay that is only read there must be two directories.
            layers => {
                let mut lowers = layers.all();
                lowers.push(open(&place.work)?);
                Overlay { lowers, contents: Vec::new(), changes: None }
            }
        };
        Rootfs::overlay(&overlay, name).map(Rootfs::into_mount).map_err(runtime_error)
    }

    /// Puts a mount where everybody in the caller's mount namespace sees it.
    fn put(&self, mount: OwnedFd, place: &Path) -> Result<()> {
        self.leave_private_mounts()?;
        runtime::rootfs::attach(&mount, &open(place)?).map_err(runtime_error)
    }

    /// The same mount once more, so that it takes two unmounts to undo.
    fn cover(&self, place: PathBuf) -> Result<PathBuf> {
        let here = open(&place)?;
        let again = runtime::rootfs::again(&here).map_err(runtime_error)?;
        runtime::rootfs::attach(&again, &here).map_err(runtime_error)?;
        Ok(place)
    }
}

/// `None` where its namespace is out of reach.
fn own_root(state: &RunState) -> Option<OwnedFd> {
    runtime::rootfs::shared_root(&super::process_id(state)).ok()
}

/// Whether something is mounted right there.
fn is_mounted(path: &Path) -> bool {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    rustix::fs::statx(CWD, path, flags, StatxFlags::TYPE)
        .is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

fn take_off(path: &Path, how: Unmount) -> Result<bool> {
    let mut any = false;
    while is_mounted(path) {
        unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
            .map_err(|errno| Error::io(format!("unmount {path:?}"), errno.into()))?;
        any = true;
        if how == Unmount::Once {
            break;
        }
    }
    Ok(any)
}
