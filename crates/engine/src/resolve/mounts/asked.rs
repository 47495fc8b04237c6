//! One mount that was asked for, with every question about it answered.

use super::overlay::Scratch;
use crate::error::{Error, Result};
use crate::resolve::files::{c_string, guest};
use crate::{Engine, runtime_error, store_error};
use runtime::Rootfs;
use runtime::plan::{self, Attributes, Bind, Content, Depth, Made, Size, Terminals, Tmpfs};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use spec::mount::{Devpts, Mount, MountOptions, MountSource, Propagation};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use store::{ContainerRecord, Owner};

/// The container for which mounts are made.
pub(super) struct Maker<'e> {
    pub(super) engine: &'e Engine,
    pub(super) record: &'e ContainerRecord,
    /// The user of its process.
    pub(super) user: Owner,
    /// The same as this process sees him.
    pub(super) owner: Owner,
    pub(super) rootfs: &'e Rootfs,
}

/// Something that is to be mounted, before it is known how.
pub(super) struct Source {
    pub(super) fd: OwnedFd,
    /// For messages.
    pub(super) name: String,
}

impl Maker<'_> {
    /// The mount that is `number`th of those asked for.
    pub(super) fn one(&self, number: usize, mount: &Mount) -> Result<plan::Mount> {
        match &mount.source {
            MountSource::Tmpfs { size, mode, copy_up } => {
                let size = size.map_or(Size::HalfOfMemory, |size| Size::Bytes(size.0));
                self.memory(mount, c"tmpfs".into(), size, *mode, *copy_up)
            }
            MountSource::Ramfs { mode, copy_up } => {
                self.memory(mount, c"ramfs".into(), Size::Unbounded, *mode, *copy_up)
            }
            MountSource::Devpts(devpts) => terminals(mount, devpts, self.record),
            MountSource::Bind(path) => {
                let source = Source { fd: self.open_bind(path, &mount.options)?, name: path.clone() };
                self.bind(number, mount, source)
            }
            MountSource::Volume(name) => self.volume(number, mount, name),
            MountSource::Image(name) => self.image(number, mount, name),
            MountSource::Anonymous | MountSource::Glob(_) => {
                Err(Error::other("what is mounted got no name when the container was made"))
            }
        }
    }

    pub(super) fn memory(
        &self,
        mount: &Mount,
        name: CString,
        size: Size,
        mode: Option<u32>,
        copy_up: bool,
    ) -> Result<plan::Mount> {
        let owner = if mount.options.chown { self.user } else { Owner { uid: 0, gid: 0 } };
        Ok(plan::Mount::Tmpfs(Tmpfs {
            name,
            target: guest(&mount.target)?,
            size,
            mode: mode.unwrap_or(0o1777),
            uid: owner.uid,
            gid: owner.gid,
            attributes: attributes(&mount.options),
            content: if copy_up { Content::CopyUp } else { Content::Empty },
        }))
    }

    fn open_bind(&self, path: &str, options: &MountOptions) -> Result<OwnedFd> {
        let is_link = || Path::new(path).symlink_metadata().is_ok_and(|meta| meta.file_type().is_symlink());
        if !options.no_dereference || !is_link() {
            return self.engine.open_place(path);
        }
        rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::io(format!("open {path:?}"), errno.into()))
    }

    /// A path of the host or of a volume: as it is, or below an overlay that takes the changes.
    pub(super) fn bind(&self, number: usize, mount: &Mount, source: Source) -> Result<plan::Mount> {
        let options = &mount.options;
        if options.chown {
            self.give(&source)?;
        }
        if let Some(changes) = &options.overlay {
            let scratch = Scratch::of(self, number, changes, &source)?;
            let overlay = self.overlay(vec![source.fd], scratch, &source.name)?;
            return made(mount, overlay.into_mount(), &source.name);
        }
        Ok(plan::Mount::Bind(Bind {
            source: source.fd,
            name: c_string(&source.name)?,
            target: guest(&mount.target)?,
            depth: if options.recursive.unwrap_or(true) { Depth::Recursive } else { Depth::Single },
            attributes: attributes(options),
            propagation: options.propagation.map_or(plan::Propagation::RPrivate, propagation),
        }))
    }

    /// `U`: the container's user owns the source and all below it.
    fn give(&self, source: &Source) -> Result<()> {
        let Owner { uid, gid } = self.user;
        if NEVER_GIVEN.contains(&source.name.trim_end_matches('/')) {
            let name = &source.name;
            return Err(Error::invalid(format!(
                "chowning host path {name:?} is not allowed. You can manually `chown -R {uid}:{gid} {name}`"
            )));
        }
        store::own_tree(source.fd.as_fd(), self.owner, Path::new(&source.name)).map_err(|error| {
            let unmapped = matches!(&error.kind, store::Kind::Io(cause)
                if cause.raw_os_error() == Some(Errno::PERM.raw_os_error()));
            let error = store_error(error);
            match unmapped {
                true => error.within(format!(
                    "the mount option U at {}: it belongs to an id that the container does not have",
                    source.name
                )),
                false => error,
            }
        })
    }

    /// The part of a volume that `subpath=` names; links in it lead nowhere else.
    pub(super) fn part(&self, source: Source, subpath: &str) -> Result<Source> {
        let name = format!("{}/{}", source.name, subpath.trim_start_matches('/'));
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let open = || rustix::fs::openat2(&source.fd, subpath, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve);
        let mut opened = open();
        // While somebody renames: the kernel asks for another try.
        for _ in 0..64 {
            match opened {
                Err(Errno::AGAIN | Errno::INTR) => opened = open(),
                _ => break,
            }
        }
        let fd = opened.map_err(|errno| Error::io(format!("open subpath {name:?}"), errno.into()))?;
        Ok(Source { fd, name })
    }
}

/// podman's list of what a container must not be given.
const NEVER_GIVEN: [&str; 23] = [
    "",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/etc/passwd",
    "/etc/pki",
    "/etc/shadow",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/var",
    "/var/lib",
];

/// What a mount takes away unless told otherwise: set-user-id programs and devices.
pub(super) fn attributes(options: &MountOptions) -> Attributes {
    Attributes {
        read_only: options.read_only.unwrap_or(false),
        no_suid: options.no_suid.unwrap_or(true),
        no_dev: options.no_dev.unwrap_or(true),
        no_exec: options.no_exec.unwrap_or(false),
    }
}

/// A mount that was made already.
pub(super) fn made(mount: &Mount, what: OwnedFd, name: &str) -> Result<plan::Mount> {
    let attributes = attributes(&mount.options);
    Ok(plan::Mount::Made(Made { mount: what, name: c_string(name)?, target: guest(&mount.target)?, attributes }))
}

fn terminals(mount: &Mount, devpts: &Devpts, record: &ContainerRecord) -> Result<plan::Mount> {
    let Devpts { uid, gid, mode, max } = devpts;
    let asked = Owner { uid: uid.unwrap_or_default(), gid: gid.unwrap_or_default() };
    let owner = Engine::owner_of(record, asked);
    let (uid, gid) = (&uid.map(|_| owner.uid), &gid.map(|_| owner.gid));
    let mode = mode.map(|mode| format!("{mode:o}"));
    let numbers = [("uid", uid), ("gid", gid), ("max", max)];
    let mut options: Vec<(&str, String)> =
        numbers.iter().filter_map(|(key, number)| Some((*key, number.as_ref()?.to_string()))).collect();
    options.extend(mode.map(|mode| ("mode", mode)));
    let options = options.iter().map(|(key, value)| Ok((c_string(key)?, c_string(value)?))).collect::<Result<_>>()?;
    let choice = &mount.options;
    let attributes = Attributes {
        read_only: choice.read_only.unwrap_or(false),
        no_suid: choice.no_suid.unwrap_or(true),
        // Its terminals are devices.
        no_dev: false,
        no_exec: choice.no_exec.unwrap_or(true),
    };
    Ok(plan::Mount::Terminals(Terminals { target: guest(&mount.target)?, options, attributes }))
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

impl Source {
    /// Mode and owner of a directory; an error for anything else.
    pub(super) fn directory(&self) -> Result<store::RootAttributes> {
        let status = rustix::fs::statat(&self.fd, c"", AtFlags::EMPTY_PATH)
            .map_err(|errno| Error::io(format!("stat {:?}", self.name), errno.into()))?;
        if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
            return Err(Error::invalid(format!(
                "the mount option O at {}: only a directory can have an overlay",
                self.name
            )));
        }
        Ok(store::RootAttributes { mode: status.st_mode & 0o7777, uid: status.st_uid, gid: status.st_gid })
    }
}

/// A part of an image as a mount of its own.
pub(super) fn part_of(image: &Rootfs, subpath: &str, place: &OwnedFd) -> Result<OwnedFd> {
    let path = guest(&format!("/{}", subpath.trim_start_matches('/')))?;
    image.part(&path, place).map_err(runtime_error)
}
