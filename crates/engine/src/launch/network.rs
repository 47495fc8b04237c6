//! The network of a container: its uplink, and the files that name it.

use crate::Engine;
use crate::error::Result;
use runtime::plan::{Access, File, Mount};
use runtime::{Rootfs, Spawned};
use store::{ContainerRecord, Helper};

/// What leads out of the container.
pub(crate) enum Uplink {
    /// Nothing of its own.
    None,
}

/// The uplink and the files `/etc/hosts`, `/etc/resolv.conf`, `/etc/hostname` and `/run/.containerenv`.
pub(crate) fn resolve(
    _engine: &Engine,
    record: &ContainerRecord,
    _rootfs: &Rootfs,
    hostname: &str,
) -> Result<(Uplink, Vec<Mount>)> {
    let mut files = vec![file("/run/.containerenv", String::new())?];
    if !record.spec.network.no_hostname {
        files.push(file("/etc/hostname", format!("{hostname}\n"))?);
    }
    Ok((Uplink::None, files))
}

impl Uplink {
    /// Starts it, once the container's network namespace exists.
    pub(crate) fn start(
        &self,
        _engine: &Engine,
        _record: &ContainerRecord,
        _spawned: &Spawned,
    ) -> Result<Option<Helper>> {
        Ok(None)
    }
}

fn file(path: &str, contents: String) -> Result<Mount> {
    let target = crate::resolve::files::guest(path)?;
    Ok(Mount::File(File {
        target,
        contents: contents.into_bytes(),
        mode: 0o644,
        uid: 0,
        gid: 0,
        access: Access::Writable,
    }))
}
