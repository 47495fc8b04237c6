//! Words to the service manager (sd_notify(3)), ours and the payload's.

use crate::error::{Error, Result};
use crate::resolve::files::{c_string, guest, open_path};
use runtime::plan::{Attributes, Bind, Depth, Mount, Propagation};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

/// Where the payload finds the manager's socket, as in podman.
pub(crate) const INSIDE: &str = "/run/notify/notify.sock";

/// Sends `NAME=value` lines to the manager.
pub(crate) fn send(socket: &Path, words: &str) -> Result<()> {
    let fail = |e| Error::io(format!("notify {socket:?}"), e);
    let address = match socket.as_os_str().as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(socket),
    };
    let sender = UnixDatagram::unbound().map_err(fail)?;
    sender.send_to_addr(words.as_bytes(), &address.map_err(fail)?).map(drop).map_err(fail)
}

/// The manager's socket, mounted into the container.
pub(crate) fn mount(socket: Option<&Path>) -> Result<Option<Mount>> {
    let Some(socket) = socket else { return Ok(None) };
    if socket.as_os_str().as_bytes().starts_with(b"@") {
        return Err(Error::invalid(format!(
            "--sdnotify=container: the manager's socket {socket:?} has no path that could be mounted"
        )));
    }
    Ok(Some(Mount::Bind(Bind {
        source: open_path(socket)?,
        name: c_string(&socket.display().to_string())?,
        target: guest(INSIDE)?,
        depth: Depth::Single,
        attributes: Attributes::default(),
        propagation: Propagation::Private,
    })))
}
