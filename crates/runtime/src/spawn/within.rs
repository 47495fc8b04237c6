//! A child born in a user namespace that is there already.
//!
//! The launcher must not go there itself: it would lose its power over the store. So a child goes and has a child of its own, which
//! gets the same parent as it would have otherwise.
//!
//! ```text
//! launcher ── clone ──► go-between ── joins, clone(CLONE_PARENT) ──► the container's first process
//!     ◄──────── a descriptor of it, or an errno ─── ends
//! ```

use crate::compile::Program;
use crate::error::{Context, Error};
use kernel::clone::{Namespaces, Never, Parent};
use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{DumpableBehavior, Pid, WaitId, WaitIdOptions, set_dumpable_behavior, waitid};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

pub(super) const STARTING: &str = "start process of the container";

/// Starts `run` in the user namespace, in the program's new namespaces.
pub(super) fn in_namespace(
    namespace: BorrowedFd<'_>,
    program: &Program<'_>,
    parent: Parent,
    run: impl FnOnce() -> Never,
) -> Result<(Pid, OwnedFd), Error> {
    let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    let (ours, theirs) = pair.context(STARTING, "")?;
    // Whoever is in the pid namespace already may look at the go-between, which has the launcher's memory.
    let watched = !program.new.contains(Namespaces::PID);
    let between = kernel::clone::spawn(Namespaces::NONE, parent, None, || {
        let born = enter(namespace, watched)
            .and_then(|()| kernel::clone::spawn(program.new, Parent::Callers, program.cgroup, run));
        let _ = match &born {
            Ok((_, pidfd)) => tell(theirs.as_fd(), 0, Some(pidfd.as_fd())),
            Err(errno) => tell(theirs.as_fd(), errno.raw_os_error(), None),
        };
        kernel::clone::exit(0)
    });
    let (_, between) = between.context(STARTING, "")?;
    drop(theirs);
    let heard = hear(ours.as_fd());
    if parent == Parent::Caller {
        let _ = waitid(WaitId::PidFd(between.as_fd()), WaitIdOptions::EXITED);
    }
    let pidfd = heard.context("join user namespace of the container", "")?;
    Ok((number(&pidfd).context(STARTING, "")?, pidfd))
}

fn enter(namespace: BorrowedFd<'_>, watched: bool) -> rustix::io::Result<()> {
    if watched {
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    move_into_link_name_space(namespace, Some(LinkNameSpaceType::User))
}

fn tell(channel: BorrowedFd<'_>, errno: i32, pidfd: Option<BorrowedFd<'_>>) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let passed: [BorrowedFd<'_>; 1];
    if let Some(pidfd) = pidfd {
        passed = [pidfd];
        ancillary.push(SendAncillaryMessage::ScmRights(&passed));
    }
    sendmsg(channel, &[IoSlice::new(&errno.to_ne_bytes())], &mut ancillary, SendFlags::NOSIGNAL).map(drop)
}

fn hear(channel: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let mut errno = [0u8; 4];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let heard = rustix::io::retry_on_intr(|| {
        recvmsg(channel, &mut [IoSliceMut::new(&mut errno)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
    })?;
    let pidfd = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut passed) => passed.next(),
        _ => None,
    });
    match (heard.bytes, pidfd, i32::from_ne_bytes(errno)) {
        (4, Some(pidfd), 0) => Ok(pidfd),
        (4, None, errno @ 1..4096) => Err(Errno::from_raw_os_error(errno)),
        _ => Err(Errno::CHILD),
    }
}

/// The number of a process in this process's pid namespace: the go-between, born in the container's, knows another.
fn number(pidfd: &OwnedFd) -> rustix::io::Result<Pid> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()));
    let text = text.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let number = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    number.and_then(Pid::from_raw).ok_or(Errno::SRCH)
}
