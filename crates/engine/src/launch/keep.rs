//! Whoever takes over the terminal of a command that its caller leaves running: else it would close with him.
//!
//! ```text
//! exec ── socket pair ── child, which waits ── (master end) ──► the relay, which empties it
//! ```
//!
//! The child is started before the command, since what this process starts afterwards is in the container, where nothing of the host
//! may be.

use crate::error::{Error, Result};
use kernel::clone::{Namespaces, Parent};
use runtime::beside::{self, Environment};
use rustix::fs::{Mode, OFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::ffi::CString;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// A child that keeps a terminal if it is given one, and ends with this process if not.
pub(crate) struct TerminalKeeper(OwnedFd);

impl TerminalKeeper {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        let fail = |e: rustix::io::Errno| Error::io("start the keeper of the terminal", e.into());
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(fail)?;
        kernel::clone::spawn(Namespaces::NONE, Parent::Caller, None, || {
            // The caller's terminal may close as soon as he has gone.
            let _ = rustix::process::setsid();
            let end = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
            // This copy of our end would keep the wait from ending.
            if let Ok(null) = &end {
                let number = std::os::fd::AsRawFd::as_raw_fd(&ours) as u32;
                let _ = kernel::descriptor::duplicate_to(null.as_fd(), number);
            }
            let kept = receive(&theirs).is_some_and(|terminal| relay(&terminal).is_ok());
            kernel::clone::exit(u8::from(!kept))
        })
        .map_err(fail)?;
        Ok(Self(ours))
    }

    /// Hands it the master end.
    pub(crate) fn keep(self, terminal: &OwnedFd) -> Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let passed = [terminal.as_fd()];
        control.push(SendAncillaryMessage::ScmRights(&passed));
        let sent = sendmsg(&self.0, &[IoSlice::new(b"t")], &mut control, SendFlags::NOSIGNAL);
        sent.map(drop).map_err(|e| Error::io("hand over the terminal", e.into()))
    }
}

fn receive(socket: &OwnedFd) -> Option<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0u8; 1];
    loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
            Ok(_) => break,
        }
    }
    control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut passed) => passed.next(),
        _ => None,
    })
}

/// A relay whose log is nowhere.
fn relay(terminal: &OwnedFd) -> Result<()> {
    let words = ["relay", "pty", "k8s-file", "null", "0", "0"];
    let words = words.iter().map(|word| crate::resolve::files::c_string(word)).collect::<Result<Vec<CString>>>()?;
    let open = |path: &str, flags| {
        rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| Error::io(format!("open {path:?}"), e.into()))
    };
    let nothing = open("/dev/null", OFlags::WRONLY)?;
    let devices = open("/dev", OFlags::RDONLY | OFlags::DIRECTORY)?;
    let descriptors = [(3, terminal.as_fd()), (5, nothing.as_fd()), (6, devices.as_fd())];
    beside::start(&words, &descriptors, Environment::Empty).map_err(|e| Error::io("start the relay", e)).map(drop)
}
