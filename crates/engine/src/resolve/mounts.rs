//! What is mounted where, in the order in which it is attached.

use super::files::{c_string, guest, open_path};
use crate::error::{Error, Result};
use crate::{Engine, runtime_error, store_error};
use runtime::Rootfs;
use runtime::plan::{self, Access, Attributes, Bind, Content, Depth, Size, Tmpfs, TtyGroup};
use rustix::fs::{Mode, OFlags};
use spec::ContainerSpec;
use spec::mount::{Mount, MountSource, Propagation};
use spec::namespaces::{IpcMode, NsMode};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use store::Durability;

/// podman's default of `--shm-size`: 64 MiB.
const SHM: u64 = 64 << 20;
/// Size of the tmpfs at `/dev`, which holds nothing but nodes and links.
const DEV: u64 = 64 << 20;
/// The group of terminals in every distribution.
const TTY_GROUP: u32 = 5;
/// Writable in memory under `--read-only`.
const READ_ONLY_TMPFS: [&str; 3] = ["/run", "/tmp", "/var/tmp"];

/// All mounts of a container: the kernel's, those asked for, and the given files last.
pub(crate) fn resolve(
    engine: &Engine,
    spec: &ContainerSpec,
    rootfs: &Rootfs,
    files: Vec<plan::Mount>,
) -> Result<Vec<plan::Mount>> {
    for mount in &spec.mounts.list {
        refuse_kernel_paths(&mount.target)?;
    }
    let asked_at = |path: &str| spec.mounts.list.iter().any(|mount| mount.target.trim_end_matches('/') == path);
    let mut mounts =
        vec![plan::Mount::Proc, plan::Mount::Sysfs(Access::ReadOnly), plan::Mount::Cgroup(Access::ReadOnly)];
    if !asked_at("/dev") {
        mounts.push(plan::Mount::Dev { size: DEV });
        mounts.push(plan::Mount::Devpts(TtyGroup::Group(TTY_GROUP)));
        mounts.extend(shared_memory(spec, asked_at("/dev/shm"))?);
    }
    if spec.mounts.read_only && spec.mounts.read_only_tmpfs.unwrap_or(true) {
        for path in READ_ONLY_TMPFS.iter().filter(|path| !asked_at(path)) {
            mounts.push(plan::Mount::Tmpfs(tmpfs(
                path,
                Size::HalfOfMemory,
                0o1777,
                Content::CopyUp,
                (true, true, false),
            )?));
        }
    }
    // A mount never hides one that was asked for below it.
    let mut list: Vec<&Mount> = spec.mounts.list.iter().collect();
    list.sort_by_key(|mount| mount.target.split('/').filter(|word| !word.is_empty()).count());
    for mount in list {
        mounts.push(one(engine, mount, rootfs)?);
    }
    mounts.extend(files.into_iter().filter(|file| match file {
        plan::Mount::File(file) => !asked_at(&file.target.to_string()),
        _ => true,
    }));
    Ok(mounts)
}

/// The kernel's own file systems tell the truth about a container only while nothing covers them.
fn refuse_kernel_paths(target: &str) -> Result<()> {
    let target = guest(target)?;
    let covered = |top: &[u8]| {
        target.as_bytes() == top
            || (target.as_bytes().starts_with(top) && target.as_bytes().get(top.len()) == Some(&b'/'))
    };
    match target.as_bytes() == b"/" || covered(b"/proc") || covered(b"/sys") {
        true => Err(Error::invalid(format!(
            "cannot mount at {target}: a container's root, /proc and /sys are not to be covered"
        ))),
        false => Ok(()),
    }
}

fn shared_memory(spec: &ContainerSpec, shm_asked: bool) -> Result<Vec<plan::Mount>> {
    match &spec.namespaces.ipc {
        Some(IpcMode::Mode(NsMode::Host)) => {
            let paths: &[&str] = if shm_asked { &["/dev/mqueue"] } else { &["/dev/shm", "/dev/mqueue"] };
            let existing = paths.iter().filter(|path| Path::new(path).is_dir());
            existing
                .map(|path| {
                    Ok(plan::Mount::Bind(bind(open_path(Path::new(path))?, path, path, Attributes::default())?))
                })
                .collect()
        }
        ipc => {
            let mut mounts = vec![plan::Mount::Mqueue];
            if !shm_asked && ipc != &Some(IpcMode::None) {
                let size = Size::Bytes(spec.mounts.shm_size.map_or(SHM, |size| size.0));
                let mut memory = tmpfs("/dev/shm", size, 0o1777, Content::Empty, (true, true, true))?;
                memory.attributes.read_only = spec.mounts.read_only && spec.mounts.read_only_tmpfs == Some(false);
                mounts.push(plan::Mount::Tmpfs(memory));
            }
            Ok(mounts)
        }
    }
}

fn tmpfs(
    path: &str,
    size: Size,
    mode: u32,
    content: Content,
    (no_suid, no_dev, no_exec): (bool, bool, bool),
) -> Result<Tmpfs> {
    let attributes = Attributes { read_only: false, no_suid, no_dev, no_exec };
    Ok(Tmpfs { target: guest(path)?, size, mode, uid: 0, gid: 0, attributes, content })
}

fn bind(source: OwnedFd, name: &str, target: &str, attributes: Attributes) -> Result<Bind> {
    let (depth, propagation) = (Depth::Recursive, plan::Propagation::RPrivate);
    Ok(Bind { source, name: c_string(name)?, target: guest(target)?, depth, attributes, propagation })
}

/// One mount that was asked for.
fn one(engine: &Engine, mount: &Mount, rootfs: &Rootfs) -> Result<plan::Mount> {
    let options = &mount.options;
    let attributes = |no_exec: bool| Attributes {
        read_only: options.read_only.unwrap_or(false),
        no_suid: options.no_suid.unwrap_or(true),
        no_dev: options.no_dev.unwrap_or(true),
        no_exec: options.no_exec.unwrap_or(no_exec),
    };
    let (source, name) = match &mount.source {
        MountSource::Tmpfs { size, mode, copy_up } => {
            let content = if *copy_up { Content::CopyUp } else { Content::Empty };
            let size = size.map_or(Size::HalfOfMemory, |size| Size::Bytes(size.0));
            let base = tmpfs(&mount.target, size, mode.unwrap_or(0o1777), content, (true, true, false))?;
            return Ok(plan::Mount::Tmpfs(Tmpfs { attributes: attributes(false), ..base }));
        }
        MountSource::Bind(path) => (engine.open_place(path)?, path.clone()),
        MountSource::Volume(name) => {
            copy_up(engine, name, &mount.target, rootfs)?;
            let data = engine.store.volume_data(name).map_err(store_error)?;
            (open_path(&data)?, data.display().to_string())
        }
        MountSource::Anonymous => {
            return Err(Error::other("an anonymous volume got no name when its container was made"));
        }
    };
    let mut bound = bind(source, &name, &mount.target, attributes(false))?;
    bound.depth = if options.recursive.unwrap_or(true) { Depth::Recursive } else { Depth::Single };
    bound.propagation = options.propagation.map_or(plan::Propagation::RPrivate, propagation);
    Ok(plan::Mount::Bind(bound))
}

/// Fills a fresh volume with what the image has at its place, once.
fn copy_up(engine: &Engine, name: &str, target: &str, rootfs: &Rootfs) -> Result<()> {
    let mut record = engine.store.volume(name).map_err(store_error)?;
    if !record.needs_copy_up {
        return Ok(());
    }
    let directory = rootfs.open(&guest(target)?).ok().and_then(|fd| readable_directory(&fd));
    match directory {
        Some(directory) => {
            engine.store.copy_up_volume(name, directory.as_fd(), Durability::Durable).map_err(store_error)
        }
        None => {
            record.needs_copy_up = false;
            engine.store.update_volume(&record, Durability::Durable).map_err(store_error)
        }
    }
    .map_err(|e| e.within(format!("fill volume {name} from {target} of the image")))
}

fn readable_directory(fd: &OwnedFd) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(fd, c".", flags, Mode::empty()).ok()
}

fn propagation(asked: Propagation) -> plan::Propagation {
    match asked {
        Propagation::Private => plan::Propagation::Private,
        Propagation::Rprivate => plan::Propagation::RPrivate,
        Propagation::Slave => plan::Propagation::Slave,
        Propagation::Rslave => plan::Propagation::RSlave,
        Propagation::Shared => plan::Propagation::Shared,
        Propagation::Rshared => plan::Propagation::RShared,
        Propagation::Unbindable => plan::Propagation::Unbindable,
        Propagation::Runbindable => plan::Propagation::RUnbindable,
    }
}

/// The layers of a container's image with its own directory on top, not yet attached anywhere.
pub(crate) fn rootfs(engine: &Engine, record: &store::ContainerRecord) -> Result<Rootfs> {
    use runtime::rootfs::{Durability as Lasting, Overlay};
    use spec::container::Root;
    let directory = |path: &Path| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| Error::io(format!("open directory {path:?}"), e.into()))
    };
    let mut layers = match (&record.image, &record.spec.root) {
        (_, Root::Directory { path, overlay: false }) => {
            return Rootfs::directory(&engine.open_place(path)?, path).map_err(runtime_error);
        }
        (_, Root::Directory { overlay: true, .. }) => Vec::new(),
        (Some(image), Root::Image(_)) => engine.store.lower_dirs(&image.layers).map_err(store_error)?,
        (None, Root::Image(name)) => return Err(Error::new(crate::Kind::NoSuchImage(name.clone()))),
    };
    if has_usual_files(&record.spec) {
        layers.push(engine.store.bottom_dir().map_err(store_error)?);
    }
    let dirs = engine.store.overlay_dirs(&record.id, &[]).map_err(store_error)?;
    if record.auto_remove {
        engine.store.clear_volatile(&record.id).map_err(store_error)?;
    }
    let mut lowers = layers.iter().map(|path| directory(path)).collect::<Result<Vec<_>>>()?;
    if let Root::Directory { path, .. } = &record.spec.root {
        lowers.insert(0, engine.open_place(path)?);
    }
    let overlay = Overlay {
        lowers,
        upper: directory(&dirs.upper)?,
        work: directory(&dirs.work)?,
        durability: if record.auto_remove { Lasting::Volatile } else { Lasting::Durable },
    };
    Rootfs::overlay(&overlay, record.id.as_str()).map_err(runtime_error)
}

/// Whether every place of the store's bottom directory is covered by a file of the container's own, and none of it would be
/// copied into a volume.
fn has_usual_files(spec: &ContainerSpec) -> bool {
    use spec::network::Dns;
    let network = &spec.network;
    let around = |target: &str| ["etc", "run"].contains(&target.trim_matches('/'));
    matches!(spec.root, spec::container::Root::Image(_))
        && !network.no_hosts
        && !network.no_hostname
        && network.hosts_file.as_deref() != Some("image")
        && network.dns != Some(Dns::None)
        && !spec.mounts.list.iter().any(|mount| around(&mount.target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_cannot_be_covered() {
        for target in ["/", "/proc", "/proc/self", "/sys/", "//proc//x", "/a/../proc"] {
            assert!(refuse_kernel_paths(target).is_err(), "{target}");
        }
        for target in ["/process", "/srv", "/data/proc", "/dev"] {
            assert!(refuse_kernel_paths(target).is_ok(), "{target}");
        }
    }
}
