//! Which ids a container gets: from `--userns`, `--uidmap` and the like to one map, chosen when the container is made and kept in its
//! record.
//!
//! ```text
//! host ──(the user's kept namespace)──► 0 = the user, 1… = subordinate ids ──(this map)──► the container
//! ```
//!
//! For root there is no namespace between: a map names ids of the host. No map at all means the user's namespace as it is.

mod auto;
mod choose;

use crate::error::{Error, Kind, Result};
use crate::{Engine, runtime_error, store_error};
use choose::Pool;
use runtime::plan::{Namespace, Users};
use runtime::userns::{self, Map, Range};
use spec::ContainerSpec;
use spec::idmap::{IdMap, IdRanges};
use spec::namespaces::UserNs;
use std::fs::File;
use std::os::fd::OwnedFd;
use store::{ContainerRecord, ImageRecord, Owner};

pub(crate) use choose::check;

impl Engine {
    /// The ids of a container that is being made. Whoever gets ids that nobody else has holds the lock until its record is written.
    pub(crate) fn choose_ids(&self, spec: &ContainerSpec, image: Option<&ImageRecord>) -> Result<Option<IdMap>> {
        let namespaces = &spec.namespaces;
        let pool = || Pool::of(&self.host);
        Ok(match &namespaces.user {
            None if namespaces.is_mapped() => Some(pool()?.asked(namespaces)?),
            None | Some(UserNs::Host) => None,
            Some(UserNs::KeepId(keep)) => Some(pool()?.keep_id(keep, (self.host.uid, self.host.gid))?),
            Some(UserNs::Nomap) => Some(pool()?.without_caller()?),
            Some(UserNs::Auto(auto)) => Some(self.allocate(auto, spec, image)?),
            Some(UserNs::Container(name)) => self.container_to_join(name)?.ids,
            Some(UserNs::Path(path)) => self.ids_of(&open_namespace(path)?)?,
        })
    }

    /// With `keep-id` the caller is the container's user, whatever the image says.
    pub(crate) fn keep_caller(&self, spec: &mut ContainerSpec, ids: Option<&IdMap>) {
        if let (Some(UserNs::KeepId(_)), None, Some(ids)) = (&spec.namespaces.user, &spec.process.user, ids) {
            let own = ids.uids.inside(0).zip(ids.gids.inside(0));
            spec.process.user = own.map(|(uid, gid)| format!("{uid}:{gid}"));
        }
    }

    fn container_to_join(&self, name: &str) -> Result<ContainerRecord> {
        let share = || "looking up container to share user namespace with";
        let other = self.container(name).map_err(|error| error.within(share()))?.record;
        match self.has_host_ids(&other.spec) {
            true => Err(Error::invalid(format!("container {name} has the host's ids: use --userns=host"))),
            false => Ok(other),
        }
    }

    /// The ids of an existing user namespace; nothing for that of the user's containers.
    fn ids_of(&self, namespace: &OwnedFd) -> Result<Option<IdMap>> {
        if self.host.rootless() {
            self.enter_user_namespace()?;
        }
        let map =
            userns::map_of(namespace).map_err(|error| runtime_error(error).within("cannot join the user namespace"))?;
        map.map(|map| Ok(IdMap { uids: ranges(&map.uids)?, gids: ranges(&map.gids)? })).transpose()
    }

    /// The user namespace of a container that is being started, seen from where its launcher is.
    pub(crate) fn users(&self, record: &ContainerRecord) -> Result<Users> {
        let Some(ids) = &record.ids else { return Ok(Users::Launcher) };
        let map = map_of(ids);
        Ok(match &record.spec.namespaces.user {
            Some(UserNs::Container(name)) => {
                let other = self.container_to_join(name)?;
                if other.ids.as_ref() != Some(ids) {
                    return Err(changed(&format!("container {name}")));
                }
                match crate::resolve::namespaces::joined(self, name, "user")? {
                    Namespace::Join(namespace) => Users::Join(namespace, map),
                    _ => Users::Launcher,
                }
            }
            Some(UserNs::Path(path)) => {
                let namespace = open_namespace(path)?;
                if self.ids_of(&namespace)?.as_ref() != Some(ids) {
                    return Err(changed(path));
                }
                Users::Join(namespace, map)
            }
            _ => Users::New(map),
        })
    }

    /// A user of a container as its launcher sees him.
    pub(crate) fn owner_of(record: &ContainerRecord, user: Owner) -> Owner {
        match &record.ids {
            Some(ids) => {
                let (uid, gid) = map_of(ids).outside(user.uid, user.gid);
                Owner { uid, gid }
            }
            None => user,
        }
    }
}

/// What reads layers and changes together, which belong to others each.
pub(crate) fn refuse(record: &ContainerRecord, verb: &str) -> Result<()> {
    let name = &record.name;
    match record.ids {
        Some(_) => Err(Error::new(Kind::Unsupported(format!(
            "{verb} of container {name}, which has ids of its own, is not supported yet: `lodger cp {name}:/ -` gives its files"
        )))),
        None => Ok(()),
    }
}

fn changed(what: &str) -> Error {
    Error::other(format!(
        "{what} has other ids than when this container was made, and its files have those: make it anew"
    ))
}

fn open_namespace(path: &str) -> Result<OwnedFd> {
    let file =
        File::open(path).map_err(|e| Error::io(format!("cannot find specified user namespace path {path:?}"), e))?;
    Ok(file.into())
}

/// The same for the launcher.
pub(crate) fn map_of(ids: &IdMap) -> Map {
    let lines = |ranges: &IdRanges| {
        let line =
            |piece: &spec::idmap::IdRange| Range { inside: piece.inside, outside: piece.outside, count: piece.count };
        ranges.pieces().iter().map(line).collect()
    };
    Map { uids: lines(&ids.uids), gids: lines(&ids.gids) }
}

fn ranges(lines: &[Range]) -> Result<IdRanges> {
    let piece = |line: &Range| spec::idmap::IdRange { inside: line.inside, outside: line.outside, count: line.count };
    IdRanges::new(lines.iter().map(piece)).map_err(|error| Error::invalid(error.to_string()))
}

impl Engine {
    /// Held from the choice of ids that no other container has until its record is written.
    pub(crate) fn hold_ids(&self, spec: &ContainerSpec) -> Result<Option<store::Guard>> {
        match spec.namespaces.user {
            Some(UserNs::Auto(_)) => self.store.lock_ids().map(Some).map_err(store_error),
            _ => Ok(None),
        }
    }
}
