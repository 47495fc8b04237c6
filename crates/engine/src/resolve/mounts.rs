//! What is mounted where, in the order in which it is attached.
//!
//! ```text
//! asked     one mount that was asked for: memory, terminals, binds
//! volume    volumes
//! mapped    images in containers with ids of their own
//! overlay   overlays inside: `O`, images
//! ```

mod asked;
mod mapped;
mod overlay;
mod volume;

use super::files::{c_string, guest, open_path};
use super::systemd::{self, Program};
use crate::error::{Error, Result};
use crate::{Engine, runtime_error, store_error};
use asked::Maker;
use runtime::Rootfs;
use runtime::plan::{self, Access, Attributes, Bind, Content, Depth, Size, Tmpfs, TtyGroup};
use rustix::fs::{Mode, OFlags};
use spec::ContainerSpec;
use spec::mount::{Devpts, Mount, MountSource};
use spec::namespaces::{IpcMode, NsMode};
use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::Path;
use store::{ContainerRecord, Owner};

/// podman's default of `--shm-size`: 64 MiB.
const SHM: u64 = 64 << 20;
/// Size of the tmpfs at `/dev`, which holds nothing but nodes and links.
const DEV: u64 = 64 << 20;
/// The group of terminals in every distribution.
const TTY_GROUP: u32 = 5;
/// Writable in memory under `--read-only`.
const READ_ONLY_TMPFS: [&str; 3] = ["/run", "/tmp", "/var/tmp"];

/// What is mounted without being asked for.
pub(crate) struct Given {
    /// Files made for the container.
    pub(crate) files: Vec<plan::Mount>,
    /// What its devices bring.
    pub(crate) cdi: Vec<Mount>,
    /// What the program is.
    pub(crate) program: Program,
}

/// All mounts of a container: the kernel's, those asked for, and the given files last.
pub(crate) fn resolve(
    engine: &Engine,
    record: &ContainerRecord,
    user: Owner,
    rootfs: &Rootfs,
    given: Given,
) -> Result<Vec<plan::Mount>> {
    let spec = &record.spec;
    let Given { files, cdi, program } = given;
    for mount in &spec.mounts.list {
        refuse_kernel_paths(&mount.target)?;
    }
    let asked_at = |path: &str| spec.mounts.list.iter().any(|mount| mount.target.trim_end_matches('/') == path);
    let access = if spec.security.privileged { Access::Writable } else { Access::ReadOnly };
    let groups = if program == Program::Systemd { Access::Writable } else { access };
    let mut mounts = vec![plan::Mount::Proc];
    for option in &spec.security.proc_options {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        mounts.push(plan::Mount::ProcOption(c_string(key)?, c_string(value)?));
    }
    mounts.extend([plan::Mount::Sysfs(access), plan::Mount::Cgroup(groups)]);
    if !asked_at("/dev") {
        mounts.push(plan::Mount::Dev { size: DEV });
        if !asked_at("/dev/pts") {
            mounts.push(plan::Mount::Devpts(TtyGroup::Group(TTY_GROUP)));
        }
        mounts.extend(shared_memory(engine, spec, asked_at("/dev/shm"))?);
    }
    let mut taken: &[&str] = &[];
    if program == Program::Systemd {
        mounts.extend(systemd::mounts(spec, asked_at)?);
        taken = &["/run", "/tmp"];
    }
    if spec.mounts.read_only && spec.mounts.read_only_tmpfs.unwrap_or(true) {
        for path in READ_ONLY_TMPFS.iter().filter(|path| !asked_at(path) && !taken.contains(path)) {
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
    let depth = |path: &str| path.split('/').filter(|word| !word.is_empty()).count();
    let mut list: Vec<(usize, &Mount)> = spec.mounts.list.iter().enumerate().collect();
    list.sort_by_key(|(_, mount)| depth(&mount.target));
    let maker = Maker { engine, record, user, owner: Engine::owner_of(record, user), rootfs };
    let mut secrets = secrets_directory(spec).filter(|_| !asked_at(spec::secret::DIRECTORY));
    for (number, mount) in list {
        if depth(&mount.target) > depth(spec::secret::DIRECTORY) {
            mounts.extend(secrets.take());
        }
        mounts.push(match &mount.source {
            // The terminals that every container has, which its own terminal is one of.
            MountSource::Devpts(devpts) if mount.target == "/dev/pts" && *devpts == Devpts::default() => {
                plan::Mount::Devpts(TtyGroup::Group(TTY_GROUP))
            }
            _ => maker.one(number, mount)?,
        });
    }
    mounts.extend(secrets);
    for (number, mount) in cdi.iter().enumerate().filter(|(_, mount)| !asked_at(&mount.target)) {
        refuse_kernel_paths(&mount.target)?;
        mounts.push(maker.one(spec.mounts.list.len() + number, mount)?);
    }
    let files = with_copies(files, &spec.mounts.chroot_dirs)?;
    mounts.extend(files.into_iter().filter(|file| match file {
        plan::Mount::File(file) => !asked_at(&file.target.to_string()),
        _ => true,
    }));
    Ok(mounts)
}

/// The files with which names are found, for every root directory inside too (`--chrootdirs`).
fn with_copies(mut files: Vec<plan::Mount>, roots: &[String]) -> Result<Vec<plan::Mount>> {
    let mut copies = Vec::new();
    for file in &files {
        let plan::Mount::File(file) = file else { continue };
        let target = file.target.to_string();
        if ["/etc/hosts", "/etc/resolv.conf"].contains(&target.as_str()) {
            for root in roots {
                copies
                    .push(plan::Mount::File(plan::File { target: guest(&format!("{root}{target}"))?, ..file.clone() }));
            }
        }
    }
    files.extend(copies);
    Ok(files)
}

/// The directory of secrets, in memory: not even their names become part of the container's files.
fn secrets_directory(spec: &ContainerSpec) -> Option<plan::Mount> {
    let inside = |path: Option<String>| path.is_some_and(|path| path.starts_with(spec::secret::DIRECTORY));
    spec.mounts.secrets.iter().find(|used| inside(used.path()))?;
    let tmpfs = tmpfs(spec::secret::DIRECTORY, Size::Bytes(1 << 20), 0o755, Content::Empty, (true, true, true));
    tmpfs.ok().map(plan::Mount::Tmpfs)
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

fn shared_memory(engine: &Engine, spec: &ContainerSpec, shm_asked: bool) -> Result<Vec<plan::Mount>> {
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
        Some(IpcMode::Mode(NsMode::Container(name))) => {
            let mut mounts = vec![plan::Mount::Mqueue];
            mounts.extend(memory_of(engine, name)?.filter(|_| !shm_asked));
            Ok(mounts)
        }
        ipc => {
            let mut mounts = vec![plan::Mount::Mqueue];
            if !shm_asked && ipc != &Some(IpcMode::None) {
                let size = Size::Bytes(spec.mounts.shm_size.map_or(SHM, |size| size.0));
                let mut memory = tmpfs("/dev/shm", size, 0o1777, Content::Empty, (true, true, true))?;
                memory.name = SHM_NAME.into();
                memory.attributes.read_only = spec.mounts.read_only && spec.mounts.read_only_tmpfs == Some(false);
                mounts.push(plan::Mount::Tmpfs(memory));
            }
            Ok(mounts)
        }
    }
}

/// What the kernel calls the `/dev/shm` of a container, as in podman.
const SHM_NAME: &CStr = c"shm";

/// The `/dev/shm` of another container, if that has one of its own.
fn memory_of(engine: &Engine, name: &str) -> Result<Option<plan::Mount>> {
    let other = engine.container(name)?;
    let Some(state) = &other.running else { return Err(engine.wrong_state(&other, "join the ipc of")) };
    let process = crate::containers::process_id(state);
    let shared = runtime::rootfs::shared_tmpfs(&process, &SHM_NAME.to_string_lossy()).map_err(runtime_error)?;
    shared
        .map(|mount| {
            let attributes = Attributes { read_only: false, no_suid: true, no_dev: true, no_exec: true };
            Ok(plan::Mount::Made(plan::Made { mount, name: SHM_NAME.into(), target: guest("/dev/shm")?, attributes }))
        })
        .transpose()
}

pub(super) fn tmpfs(
    path: &str,
    size: Size,
    mode: u32,
    content: Content,
    (no_suid, no_dev, no_exec): (bool, bool, bool),
) -> Result<Tmpfs> {
    let attributes = Attributes { read_only: false, no_suid, no_dev, no_exec };
    Ok(Tmpfs { name: c"tmpfs".into(), target: guest(path)?, size, mode, uid: 0, gid: 0, attributes, content })
}

fn bind(source: OwnedFd, name: &str, target: &str, attributes: Attributes) -> Result<Bind> {
    let (depth, propagation) = (Depth::Recursive, plan::Propagation::RPrivate);
    Ok(Bind { source, name: c_string(name)?, target: guest(target)?, depth, attributes, propagation })
}

/// The layers of a container's image with its own directory on top, not yet attached anywhere.
pub(crate) fn rootfs(engine: &Engine, record: &store::ContainerRecord) -> Result<Rootfs> {
    use runtime::rootfs::Overlay;
    use spec::container::Root;
    let mut layers = match (&record.image, &record.spec.root) {
        (_, Root::Directory { path, overlay: false }) => {
            return Rootfs::directory(&engine.open_place(path)?, path).map_err(runtime_error);
        }
        (_, Root::Directory { overlay: true, .. }) => Vec::new(),
        (Some(image), Root::Image(_)) if record.ids.is_some() => {
            return mapped::rootfs(engine, record, &image.layers);
        }
        (Some(image), Root::Image(_)) => engine.store.lower_dirs(&image.layers).map_err(store_error)?,
        (None, Root::Image(name)) => return Err(Error::new(crate::Kind::NoSuchImage(name.clone()))),
    };
    if has_usual_files(&record.spec) {
        layers.push(engine.store.bottom_dir().map_err(store_error)?);
    }
    let mut lowers = layers.iter().map(|path| directory(path)).collect::<Result<Vec<_>>>()?;
    if let Root::Directory { path, .. } = &record.spec.root {
        lowers.insert(0, engine.open_place(path)?);
    }
    let overlay = Overlay { lowers, contents: Vec::new(), changes: Some(changes(engine, record)?) };
    Rootfs::overlay(&overlay, record.id.as_str()).map_err(runtime_error)
}

/// Where a container's changes go.
fn changes(engine: &Engine, record: &store::ContainerRecord) -> Result<runtime::rootfs::Changes> {
    use runtime::rootfs::{Changes, Durability as Lasting};
    let dirs = engine.store.overlay_dirs(&record.id, &[]).map_err(store_error)?;
    if record.auto_remove {
        engine.store.clear_volatile(&record.id).map_err(store_error)?;
    }
    Ok(Changes {
        upper: directory(&dirs.upper)?,
        work: directory(&dirs.work)?,
        durability: if record.auto_remove { Lasting::Volatile } else { Lasting::Durable },
    })
}

fn directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| Error::io(format!("open directory {path:?}"), e.into()))
}

/// Whether every place of the store's bottom directory is covered by a file of the container's own, and none of it would be
/// copied into a volume.
pub(crate) fn has_usual_files(spec: &ContainerSpec) -> bool {
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
