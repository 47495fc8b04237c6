//! What only the caller may open, opened for it when it has become somebody who may not.
//!
//! A child stays what its parent was. It opens the places it was made with and nothing else, in the mount namespace that its
//! parent is in by then, hands the descriptors over and ends. So what is cloned from them is, as anything else, a part of that
//! namespace: the kernel keeps locked what it locked there.
//!
//! ```text
//! as root           Opener::start(places) ── fork ──► child, still root
//! in the range      open_all() ── mount namespace ──► joins it, opens
//!                        ◄── a descriptor or an errno for each ──  ends
//! ```

use super::{Holder, LONGEST_WORD};
use crate::error::{Context, Error, Kind};
use crate::process::ProcessId;
use kernel::clone::{Namespaces, Never, Parent};
use rustix::cmsg_space;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::ffi::{CStr, CString};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// What it does, for messages.
const OPERATION: &str = "open as the caller";

/// A child that waits for its parent's word. Dropped, it ends.
#[derive(Debug)]
pub struct Opener {
    holder: Holder,
    count: usize,
}

impl Opener {
    /// Starts it. Each place is opened as a place only (`O_PATH`), in the order given, following links.
    ///
    /// # Errors
    /// When there is no memory, process or descriptor left, or a path is longer than the kernel takes.
    pub fn start(places: &[CString]) -> Result<Self, Error> {
        if let Some(long) = places.iter().find(|place| place.as_bytes().len() >= LONGEST_WORD) {
            return Err(Error::system(OPERATION, long.to_string_lossy(), Errno::NAMETOOLONG));
        }
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (channel, child_end) = pair.context(OPERATION, "")?;
        let parent_end = channel.as_raw_fd() as u32;
        let started = kernel::clone::spawn(Namespaces::NONE, Parent::Caller, None, || {
            let _ = kernel::descriptor::close_range(parent_end, parent_end);
            serve(child_end.as_fd(), places)
        });
        let (pid, pidfd) = started.context(OPERATION, "")?;
        let process = ProcessId::of(pid.as_raw_nonzero().get())?;
        Ok(Self { holder: Holder { process, pidfd, channel: Some(channel) }, count: places.len() })
    }

    /// Has the places opened in the mount namespace that this process is in now, and returns what came of each.
    ///
    /// # Errors
    /// When the child cannot join the namespace.
    pub fn open_all(self) -> Result<Vec<Result<OwnedFd, Errno>>, Error> {
        let Some(channel) = &self.holder.channel else {
            return Err(Error::new(OPERATION, "", Kind::ChildDied));
        };
        tell(channel.as_fd(), 0, Some(super::mounts()?.as_fd())).context(OPERATION, "")?;
        (0..self.count)
            .map(|_| match hear(channel.as_fd()).context(OPERATION, "")? {
                Some((0, Some(place))) => Ok(Ok(place)),
                Some((errno, None)) => Ok(Err(Errno::from_raw_os_error(errno.clamp(1, 4095)))),
                _ => Err(Error::new(OPERATION, "", Kind::ChildDied)),
            })
            .collect()
    }
}

/// The child. It neither allocates nor locks.
fn serve(channel: BorrowedFd<'_>, places: &[CString]) -> Never {
    let Ok(Some((_, Some(mounts)))) = hear(channel) else { kernel::clone::exit(0) };
    let joined = move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount));
    for place in places {
        let told = match joined.and_then(|()| open(place)) {
            Ok(place) => tell(channel, 0, Some(place.as_fd())),
            Err(errno) => tell(channel, errno.raw_os_error(), None),
        };
        if told.is_err() {
            break;
        }
    }
    kernel::clone::exit(0)
}

fn open(place: &CStr) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(place, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

fn tell(channel: BorrowedFd<'_>, errno: i32, fd: Option<BorrowedFd<'_>>) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fds: [BorrowedFd<'_>; 1];
    if let Some(fd) = fd {
        fds = [fd];
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
    }
    sendmsg(channel, &[IoSlice::new(&errno.to_ne_bytes())], &mut ancillary, SendFlags::NOSIGNAL).map(drop)
}

/// What the other end says; `None` once it is closed.
fn hear(channel: BorrowedFd<'_>) -> rustix::io::Result<Option<(i32, Option<OwnedFd>)>> {
    let mut errno = [0u8; 4];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let heard = rustix::io::retry_on_intr(|| {
        recvmsg(channel, &mut [IoSliceMut::new(&mut errno)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
    })?;
    if heard.bytes != errno.len() {
        return Ok(None);
    }
    let fd = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    Ok(Some((i32::from_ne_bytes(errno), fd)))
}
