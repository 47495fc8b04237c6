//! Volumes: what they are, what they start with, and whose they are.
//!
//! A volume is filled once, by the first container that has something at its place. One that nobody has filled belongs to the user of
//! whichever container mounts it. Memory lives as long as a container that has it mounted runs; others then get the same.

use super::asked::{Maker, Source, made};
use crate::error::{Error, Result};
use crate::resolve::files::{c_string, guest, open_path};
use crate::{Engine, runtime_error, store_error};
use runtime::plan::{self, Size};
use rustix::fs::{Mode, OFlags};
use spec::idmap::{IdMap, IdRanges};
use spec::mount::{Mount, MountOptions};
use spec::volume::{Backing, VolumeOptions};
use std::os::fd::{AsFd, OwnedFd};
use store::{Durability, VolumeRecord};

impl Engine {
    /// The path of the host that a volume is a bind of.
    pub(crate) fn volume_device(&self, name: &str) -> Option<String> {
        let options = self.store.volume(name).ok().and_then(|record| VolumeOptions::parse(&record.options).ok())?;
        match options.backing {
            Backing::Bind(device) => Some(device),
            _ => None,
        }
    }
}

impl Maker<'_> {
    /// A named volume, which was made with the container at the latest.
    pub(super) fn volume(&self, number: usize, mount: &Mount, name: &str) -> Result<plan::Mount> {
        let record = self.engine.store.volume(name).map_err(store_error)?;
        let volume =
            VolumeOptions::parse(&record.options).map_err(|error| Error::invalid(format!("volume {name}: {error}")))?;
        let mut mount = mount.clone();
        mount.options = both(&mount.options, &volume.mount);
        let source = match volume.backing {
            Backing::Tmpfs { size, mode } => return self.shared_memory(&mount, &record, size.map(|size| size.0), mode),
            Backing::Bind(device) => Source { fd: self.engine.open_place(&device)?, name: device },
            Backing::Directory => {
                if mount.options.overlay.is_none() {
                    self.prepare(&record, &mount)?;
                }
                let data = self.engine.store.volume_data(name).map_err(store_error)?;
                Source { fd: open_path(&data)?, name: data.display().to_string() }
            }
        };
        let source = match &mount.options.subpath {
            Some(subpath) => self.part(source, subpath)?,
            None => source,
        };
        self.bind(number, &mount, source)
    }

    /// Fills a fresh volume with what the image has at its place, once; what remains empty is its user's.
    fn prepare(&self, record: &VolumeRecord, mount: &Mount) -> Result<()> {
        let (name, target) = (&record.name, &mount.target);
        let store = &self.engine.store;
        let of_image = || self.rootfs.open(&guest(target).ok()?).ok().and_then(|fd| readable_directory(&fd));
        if record.needs_copy_up && mount.options.copy.unwrap_or(true) && mount.options.subpath.is_none() {
            if let Some(directory) = of_image() {
                return store
                    .copy_up_volume(name, directory.as_fd(), Durability::Durable)
                    .map_err(store_error)
                    .map_err(|e| e.within(format!("fill volume {name} from {target} of the image")));
            }
        }
        match record.needs_chown {
            true => store.give_volume(name, self.owner).map_err(store_error),
            false => Ok(()),
        }
    }

    /// A volume in memory: that of a running container, or a new one.
    fn shared_memory(
        &self,
        mount: &Mount,
        record: &VolumeRecord,
        size: Option<u64>,
        mode: Option<u32>,
    ) -> Result<plan::Mount> {
        let source = format!("volume:{}", record.name);
        for id in self.engine.store.volume_users(&record.name).map_err(store_error)? {
            let state = self.engine.store.read_state(&id).map_err(store_error)?;
            let Some(state) = state.filter(|state| id != self.record.id && state.is_alive()) else { continue };
            let process = crate::containers::process_id(&state);
            match runtime::rootfs::shared_tmpfs(&process, &source) {
                Ok(Some(tmpfs)) => return made(mount, tmpfs, &source),
                Ok(None) => {}
                Err(error) if error.kind() == runtime::Kind::Gone => {}
                Err(error) => return Err(runtime_error(error)),
            }
        }
        let size = size.map_or(Size::HalfOfMemory, Size::Bytes);
        let copy_up = mount.options.copy.unwrap_or(true);
        let plan = self.memory(mount, c_string(&source)?, size, mode, copy_up)?;
        Ok(match plan {
            plan::Mount::Tmpfs(tmpfs) if !mount.options.chown => {
                let inside = |ranges: fn(&IdMap) -> &IdRanges, id| {
                    self.record.ids.as_ref().map_or(id, |ids| ranges(ids).inside(id).unwrap_or(0))
                };
                let (uid, gid) = (inside(|ids| &ids.uids, record.uid), inside(|ids| &ids.gids, record.gid));
                plan::Mount::Tmpfs(plan::Tmpfs { uid, gid, ..tmpfs })
            }
            other => other,
        })
    }
}

/// What the mount asks for, within what the volume allows.
fn both(mount: &MountOptions, volume: &MountOptions) -> MountOptions {
    let restricted =
        |mount: Option<bool>, volume: Option<bool>| if volume == Some(true) { volume } else { mount.or(volume) };
    MountOptions {
        read_only: restricted(mount.read_only, volume.read_only),
        no_exec: restricted(mount.no_exec, volume.no_exec),
        no_suid: restricted(mount.no_suid, volume.no_suid),
        no_dev: restricted(mount.no_dev, volume.no_dev),
        propagation: mount.propagation.or(volume.propagation),
        recursive: mount.recursive.or(volume.recursive),
        copy: mount.copy.or(volume.copy),
        ..mount.clone()
    }
}

fn readable_directory(fd: &OwnedFd) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(fd, c".", flags, Mode::empty()).ok()
}
