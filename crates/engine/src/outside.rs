//! Files of the host that a container is told of, for root: opened while this process still is root.
//!
//! Root's process enters its containers' range of ids before it does anything for them, and is a stranger to the rest of the
//! machine from then on: below a directory that is closed to others (`/root`) it finds nothing. But whoever typed the path may
//! read there. So what the words name is opened before; only what is to be mounted cannot be, since it must come from the
//! mount namespace that the process makes later ([`Opener`]).
//!
//! For an ordinary user, who stays who they are, all of this is an open at the time it is wanted.

use crate::error::{Error, Result};
use crate::resolve::files::{c_string, open_path};
use crate::{Engine, config, runtime_error};
use runtime::userns::Opener;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use spec::ContainerSpec;
use spec::container::Root;
use spec::mount::{Changes, MountSource};
use spec::security::Seccomp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;

/// For what a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Its content is read.
    Read,
    /// Its content becomes another.
    Write,
    /// It grows; for its owner alone.
    Append,
    /// The directory that such a file is in, which is renamed there.
    Directory,
}

impl Purpose {
    fn flags(self) -> OFlags {
        let flags = match self {
            Self::Read => OFlags::RDONLY,
            Self::Write => OFlags::WRONLY | OFlags::CREATE,
            Self::Append => OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW,
            Self::Directory => OFlags::RDONLY | OFlags::DIRECTORY,
        };
        flags | OFlags::CLOEXEC | OFlags::NOCTTY
    }

    fn mode(self) -> Mode {
        Mode::from_raw_mode(if self == Self::Append { 0o600 } else { 0o644 })
    }
}

/// What root has opened for later.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    files: RefCell<BTreeMap<(String, Purpose), OwnedFd>>,
    opener: RefCell<Option<(Vec<String>, Opener)>>,
    places: RefCell<BTreeMap<String, std::result::Result<OwnedFd, Errno>>>,
}

impl Engine {
    /// Before the start of a container by this process: everything that its spec names.
    pub(crate) fn reach_for_start(&self, spec: &ContainerSpec) -> Result<()> {
        if !self.may_reach(spec) {
            return Ok(());
        }
        self.reach_profile(spec);
        let network = &spec.network;
        if let Some(path) = network.hosts_file.as_deref().filter(|path| path.starts_with('/')) {
            self.reach(path, Purpose::Read);
        }
        if let Some(path) = &spec.identity.pidfile {
            self.reach(path, Purpose::Write);
        }
        if let Some(path) = &spec.logging.path {
            self.reach(path, Purpose::Append);
            if let Some(directory) = Path::new(path).parent().and_then(Path::to_str) {
                self.reach(directory, Purpose::Directory);
            }
        }
        let places = self.places(spec);
        let mut opener = self.outside.opener.borrow_mut();
        if !places.is_empty() && opener.is_none() {
            let words = places.iter().map(|place| c_string(place)).collect::<Result<Vec<_>>>()?;
            *opener = Some((places, Opener::start(&words).map_err(runtime_error)?));
        }
        Ok(())
    }

    /// Before a further process is started in a container: the profile of its filter.
    pub(crate) fn reach_profile(&self, spec: &ContainerSpec) {
        if let Some(Seccomp::File(path)) = spec.security.seccomp.as_ref().filter(|_| self.may_reach(spec)) {
            self.reach(path, Purpose::Read);
        }
    }

    /// Root that has not left yet, and is about to.
    fn may_reach(&self, spec: &ContainerSpec) -> bool {
        !self.host.rootless() && !self.is_inside() && !self.has_host_ids(spec)
    }

    /// What a start mounts of the host by name.
    fn places(&self, spec: &ContainerSpec) -> Vec<String> {
        let mut places = match &spec.root {
            Root::Directory { path, .. } => vec![path.clone()],
            Root::Image(_) => Vec::new(),
        };
        for mount in &spec.mounts.list {
            match &mount.source {
                MountSource::Bind(path) => places.push(path.clone()),
                MountSource::Volume(name) => places.extend(self.volume_device(name)),
                _ => {}
            }
            if let Some(Changes::Kept { upper, work }) = &mount.options.overlay {
                places.extend([upper.clone(), work.clone()]);
            }
        }
        places
    }

    /// What cannot be opened is told by whoever wants it.
    fn reach(&self, path: &str, purpose: Purpose) {
        if let Ok(fd) = rustix::fs::open(path, purpose.flags(), purpose.mode()) {
            self.outside.files.borrow_mut().insert((path.to_owned(), purpose), fd);
        }
    }

    /// Once this process has its own view of the mounts.
    pub(crate) fn reach_places(&self) -> Result<()> {
        let Some((names, opener)) = self.outside.opener.take() else { return Ok(()) };
        let opened = opener.open_all().map_err(runtime_error)?;
        self.outside.places.borrow_mut().extend(names.into_iter().zip(opened));
        Ok(())
    }

    /// Something of the host that is to be mounted, with an error that names what stands in the purpose.
    pub(crate) fn open_place(&self, path: &str) -> Result<OwnedFd> {
        match self.outside.places.borrow().get(path) {
            Some(Ok(place)) => copy(place, path),
            Some(Err(errno)) => Err(Error::io(format!("open {path:?}"), (*errno).into())),
            None => open_path(Path::new(path)),
        }
    }

    /// A file of the host.
    pub(crate) fn open_file(&self, path: &str, purpose: Purpose) -> Result<OwnedFd> {
        match self.outside.files.borrow().get(&(path.to_owned(), purpose)) {
            Some(file) => copy(file, path),
            None => rustix::fs::open(path, purpose.flags(), purpose.mode())
                .map_err(|errno| Error::io(format!("open {path:?}"), errno.into())),
        }
    }

    /// A small file of the host, whole; `None` when it does not exist.
    pub(crate) fn read_file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self.outside.files.borrow_mut().remove(&(path.to_owned(), Purpose::Read)) {
            Some(file) => config::read_open(file.into(), Path::new(path)).map(Some),
            None => config::read(Path::new(path)),
        }
    }
}

fn copy(fd: &OwnedFd, path: &str) -> Result<OwnedFd> {
    fcntl_dupfd_cloexec(fd, 3).map_err(|errno| Error::io(format!("open {path:?}"), errno.into()))
}
