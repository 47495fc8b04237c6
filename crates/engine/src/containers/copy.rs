//! `cp`: files and directories between a container, the host and another container.
//!
//! In a container every path is resolved by openat2(RESOLVE_IN_ROOT) below its root, and what lies below the path is walked by
//! descriptor, never following a symlink: a container that changes its files meanwhile leads nobody outside.

mod transfer;

use super::view::View;
use super::{Container, exec};
use crate::error::{Error, Result};
use crate::{Engine, runtime_error, store_error, userns};
use runtime::userns::Map;
use runtime::users;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use spec::idmap::IdMap;
use std::ffi::{CString, OsString};
use std::io::BufReader;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use transfer::{Ids, Maker, Privileges, Transfer};

/// One side of a copy.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a container.
    Container(Box<Container>, String),
    /// On the host.
    Host(String),
    /// An archive from standard input or to standard output.
    Archive,
}

/// Who owns the copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owners {
    /// Whoever owns the other side: the container's user, or the caller.
    OfTarget,
    /// As in the source.
    OfSource,
}

/// What becomes of a directory where a file is to be, and the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// It is an error.
    Refuse,
    /// It gives way.
    Overwrite,
}

/// A place, opened.
struct Side<'v> {
    view: Option<&'v View>,
    /// Absolute, in a container.
    path: String,
    /// For messages: ` on container web`, ` on the host`.
    place: String,
}

/// Larger than any file system.
const FILE_LIMIT: u64 = 1 << 50;

impl Engine {
    /// Copies `from` to `to`, one of which is in a container.
    pub fn copy(&self, from: &Place, to: &Place, owners: Owners, clash: Clash) -> Result<()> {
        let view = |place: &Place| match place {
            Place::Container(container, _) => self.view(container).map(Some),
            Place::Host(_) | Place::Archive => Ok(None),
        };
        // In this order they are let go in the other: the second's process holds what the first's waits for.
        let from_view = view(from)?;
        let to_view = view(to)?;
        let ids = match to {
            Place::Container(container, _) => {
                let pid = to_view.as_ref().map_or(0, |view| view.pid);
                self.ids_in(container, pid, owners)?
            }
            Place::Host(_) | Place::Archive => self.ids_outside(from, owners)?,
        };
        let of_range = matches!(to, Place::Container(container, _) if !self.has_host_ids(&container.record.spec));
        let maker = if of_range && !self.host.rootless() { Maker::Owner } else { Maker::Caller };
        let privileges = match (from, to) {
            (Place::Container(..), Place::Host(_)) => Privileges::Dropped,
            (Place::Container(..), Place::Container(..)) if owners == Owners::OfSource => Privileges::Dropped,
            _ => Privileges::Kept,
        };
        let transfer = Transfer { maker, ids, clash, privileges };
        match (from, to) {
            (Place::Container(container, _), Place::Archive) => {
                pack(&self.side(from, from_view.as_ref())?, container.record.ids.as_ref())
            }
            (_, Place::Archive) => pack(&self.side(from, from_view.as_ref())?, None),
            (Place::Archive, _) => self.unpack(&self.side(to, to_view.as_ref())?, transfer),
            _ => copy(&self.side(from, from_view.as_ref())?, &self.side(to, to_view.as_ref())?, transfer),
        }
    }

    fn side<'v>(&self, place: &Place, view: Option<&'v View>) -> Result<Side<'v>> {
        Ok(match place {
            Place::Container(container, path) => {
                let workdir = match &container.record.spec.process.workdir {
                    Some(workdir) => workdir.clone(),
                    None => self.image_defaults(&container.record)?.working_dir,
                };
                let path = if path.starts_with('/') { path.clone() } else { format!("/{workdir}/{path}") };
                Side { view, path, place: format!("on container {}", container.record.name) }
            }
            Place::Host(path) => Side { view, path: path.clone(), place: "on the host".to_owned() },
            Place::Archive => Side { view, path: String::new(), place: String::new() },
        })
    }

    /// Who owns what comes into a container: its user, by its own account files.
    fn ids_in(&self, container: &Container, pid: u32, owners: Owners) -> Result<Ids> {
        let map = self.ids_here(container)?;
        if owners == Owners::OfSource {
            return Ok(Ids::kept(map, transfer::Way::In));
        }
        let image = self.image_defaults(&container.record)?;
        let user = container.record.spec.process.user.as_deref().unwrap_or(&image.user);
        let (passwd, group) = (exec::read_inside(pid, "etc/passwd")?, exec::read_inside(pid, "etc/group")?);
        let user = users::resolve(user, &passwd, &group).map_err(runtime_error)?;
        Ok(Ids::all(user.uid, user.gid, map.as_ref()))
    }

    /// Who owns what comes out: the caller, who is root to himself.
    fn ids_outside(&self, from: &Place, owners: Owners) -> Result<Ids> {
        let map = match (owners, from) {
            (Owners::OfTarget, _) => return Ok(Ids::all(0, 0, None)),
            (Owners::OfSource, Place::Container(container, _)) => self.ids_here(container)?,
            (Owners::OfSource, _) => None,
        };
        Ok(Ids::kept(map, transfer::Way::Out))
    }

    /// What this process sees of a container's ids; nothing where that is what the container sees.
    fn ids_here(&self, container: &Container) -> Result<Option<Map>> {
        match &container.record.ids {
            Some(ids) => Ok(Some(crate::ids::map_of(ids))),
            None if self.host.rootless() || self.has_host_ids(&container.record.spec) => Ok(None),
            None => userns::map(&self.host).map(Some),
        }
    }

    /// Into a directory of the store first: what the archive's links name is never followed in the container.
    fn unpack(&self, to: &Side<'_>, transfer: Transfer) -> Result<()> {
        let target = match to.open(&to.path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(Errno::NOTDIR) => {
                return Err(Error::invalid("destination must be a directory when copying from stdin"));
            }
            other => other.map_err(|e| to.missing(e))?,
        };
        let staging = self.store.staging().map_err(store_error)?;
        let top = rustix::fs::open(staging.path(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| Error::io(format!("open {:?}", staging.path()), e.into()))?;
        let again = top.try_clone().map_err(|e| Error::io("copy a descriptor", e))?;
        let mut input = BufReader::with_capacity(128 << 10, std::io::stdin().lock());
        let mut reader = store::tar::Reader::new(&mut input);
        let unpacked = store::unpack(&mut reader, again, store::Whiteouts::Plain, FILE_LIMIT);
        let unpacked = unpacked.map_err(|error| {
            store_error(error).within("source must be a tar archive, which is not compressed, when copying from stdin")
        })?;
        if unpacked.entries == 0 {
            return Err(Error::invalid("source must be a (compressed) tar archive when copying from stdin"));
        }
        // The rest, so that whoever writes it is not told that nobody reads.
        let _ = std::io::copy(&mut input, &mut std::io::sink());
        transfer.entries(top.as_fd(), target.as_fd()).map_err(|failed| failed.told("copy", Path::new(&to.path)))
    }
}

impl Side<'_> {
    fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        // What is only a place takes no further flags.
        let flags =
            flags | OFlags::CLOEXEC | if flags.contains(OFlags::PATH) { OFlags::empty() } else { OFlags::NOCTTY };
        match self.view {
            None => openat(CWD, path, flags, Mode::empty()),
            Some(view) => {
                let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
                openat2(&view.root, path, flags, Mode::empty(), resolve)
            }
        }
    }

    fn kind(&self, path: &str) -> Result<FileType, Errno> {
        let found = self.open(path, OFlags::PATH)?;
        Ok(FileType::from_raw_mode(rustix::fs::fstat(found)?.st_mode))
    }

    fn missing(&self, errno: Errno) -> Error {
        match errno {
            Errno::NOENT => {
                Error::invalid(format!("{:?} could not be found {}: no such file or directory", self.path, self.place))
            }
            errno => Error::io(format!("open {:?} {}", self.path, self.place), errno.into()),
        }
    }

    /// The last name of the path; none where it says `/`, `.` or `..`.
    fn name(&self) -> Option<OsString> {
        if self.path.ends_with("/.") || self.path == "." {
            return None;
        }
        Path::new(&self.path).file_name().map(OsString::from)
    }
}

fn name_of(name: &std::ffi::OsStr) -> Result<CString> {
    CString::new(name.as_bytes()).map_err(|_| Error::invalid(format!("{name:?} has a zero in it")))
}

fn copy(from: &Side<'_>, to: &Side<'_>, transfer: Transfer) -> Result<()> {
    let kind = from.kind(&from.path).map_err(|e| from.missing(e))?;
    let told = |failed: transfer::Failed| failed.told("copy", Path::new(&to.path));
    let (directory, name) = match to.kind(&to.path) {
        Ok(FileType::Directory) => {
            let target = to.open(&to.path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(|e| to.missing(e))?;
            let whole = kind == FileType::Directory && from.name().is_none();
            let name = from.name().unwrap_or_default();
            match (kind, transfer.clash) {
                // As podman: the directory itself gives way.
                (kind, Clash::Overwrite) if kind != FileType::Directory => parent_of(to)?,
                _ if whole => {
                    let source =
                        from.open(&from.path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(|e| from.missing(e))?;
                    return transfer.entries(source.as_fd(), target.as_fd()).map_err(told);
                }
                _ => (target, name),
            }
        }
        Ok(_) if kind == FileType::Directory => {
            return Err(Error::invalid("destination must be a directory when copying a directory"));
        }
        Err(Errno::NOENT) if to.path.ends_with('/') && kind != FileType::Directory => {
            return Err(to.missing(Errno::NOENT));
        }
        Ok(_) | Err(Errno::NOENT) => parent_of(to)?,
        Err(errno) => return Err(to.missing(errno)),
    };
    let source = match kind {
        FileType::Directory => from.open(&from.path, OFlags::RDONLY | OFlags::DIRECTORY),
        FileType::RegularFile => from.open(&from.path, OFlags::RDONLY | OFlags::NONBLOCK),
        // A FIFO, a socket or a device: what it is, not what comes out of it.
        _ => return Err(Error::invalid(format!("{:?} {} is no file and no directory", from.path, from.place))),
    };
    let source = source.map_err(|e| from.missing(e))?;
    transfer.one(source.as_fd(), directory.as_fd(), &name_of(&name)?).map_err(told)
}

/// The directory in which something is to be made, and its name there.
fn parent_of(to: &Side<'_>) -> Result<(OwnedFd, OsString)> {
    let path = to.path.trim_end_matches('/');
    let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
    let parent = if parent.is_empty() { "/" } else { parent };
    let name = OsString::from_vec(name.as_bytes().to_vec());
    match to.open(parent, OFlags::RDONLY | OFlags::DIRECTORY) {
        Err(errno) => Err(to.missing(errno)),
        Ok(_) if name.is_empty() || name == ".." => Err(to.missing(Errno::NOENT)),
        Ok(directory) => Ok((directory, name)),
    }
}

fn pack(from: &Side<'_>, ids: Option<&IdMap>) -> Result<()> {
    let kind = from.kind(&from.path).map_err(|e| from.missing(e))?;
    let stdout = std::io::stdout();
    let mut sink = store::Direct::new(stdout.as_fd());
    let name = from.name();
    let (Some(name), false) = (name, kind == FileType::Directory && from.path.ends_with("/.")) else {
        let source = from.open(&from.path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(|e| from.missing(e))?;
        return store::pack_of(ids, source.as_fd(), &mut sink, Path::new(&from.path)).map_err(store_error);
    };
    let source = from.open(&from.path, OFlags::RDONLY | OFlags::NONBLOCK).map_err(|e| from.missing(e))?;
    store::pack_one(ids, source.as_fd(), &name_of(&name)?, &mut sink, Path::new(&from.path)).map_err(store_error)
}
