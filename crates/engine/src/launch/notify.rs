//! Words to the service manager (sd_notify(3)), ours and the payload's.

use crate::error::{Error, Result};
use crate::resolve::files::{c_string, guest, open_path};
use runtime::plan::{Attributes, Bind, Depth, Mount, Propagation};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketType, sendmsg_addr,
};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io::IoSlice;
use std::os::fd::AsFd;
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

/// How long the manager may take to hear a word; after that its own timeout is about to end the start anyway.
const HEARD: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Names the unit's main process, and returns once the manager has taken it in (sd_notify_barrier(3)): of a process that
/// has ended before that it would not take the exit status.
pub(crate) fn main_process(socket: &Path, pid: i32) -> Result<()> {
    send(socket, &format!("MAINPID={pid}\n"))?;
    let fail = |e: Errno| Error::io(format!("notify {socket:?}"), e.into());
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(fail)?;
    let path = socket.as_os_str().as_bytes();
    let address = match path.strip_prefix(b"@") {
        Some(name) => SocketAddrUnix::new_abstract_name(name),
        None => SocketAddrUnix::new(socket),
    };
    let sender = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None).map_err(fail)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let passed = [write.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&passed));
    let word = [IoSlice::new(b"BARRIER=1")];
    sendmsg_addr(&sender, &address.map_err(fail)?, &word, &mut control, SendFlags::NOSIGNAL).map_err(fail)?;
    drop(write);
    // The manager closes its end. One that never does is no reason not to start.
    let _ = poll(&mut [PollFd::new(&read, PollFlags::empty())], Some(&HEARD));
    Ok(())
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
