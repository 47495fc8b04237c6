//! The log as entries of the journal, in its native protocol: one datagram for each line.
//!
//! Source: <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>. A message never holds a line feed, so it needs no length; a
//! field that the caller gives may, and gets one.
//!
//! A journal that does not answer is waited for, for half a minute; after that lines are dropped and counted, with one
//! try for each new line, until it takes the number of what was lost.

use super::Voice;
use crate::text::Line;
use core::ffi::CStr;
use kernel::start::{Arguments, monotonic_ms, zeroed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::{Errno, IoSlice, Result, write};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    connect, sendmsg, socket_with,
};

/// How long the container may be made to wait for the journal, in milliseconds.
const PATIENCE_MS: u64 = 30_000;
/// Between two tries.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// What the fields of one container may need.
const MOST_FIELDS: usize = 64 * 1024;

/// A connection to the journal.
pub(super) struct Journal {
    to: OwnedFd,
    path: &'static CStr,
    /// The fields that every entry has, as they are sent.
    fields: &'static [u8],
    lost: u64,
}

impl Journal {
    /// Reads `SOCKET FIELD=VALUE…`.
    pub(super) fn new(to: OwnedFd, arguments: &Arguments) -> Option<Self> {
        let path = arguments.get(3)?;
        let given = || (4..).map_while(|index| arguments.get(index)).map(CStr::to_bytes);
        let length = given().map(|field| field.len() + 10).sum::<usize>();
        if length > MOST_FIELDS {
            return None;
        }
        let memory = zeroed(length.max(1)).ok()?;
        let mut used = 0;
        for field in given() {
            used += encode(field, &mut memory[used..])?;
        }
        Some(Self { to, path, fields: &memory[..used], lost: 0 })
    }

    /// Whole lines, each with its line feed.
    pub(super) fn lines(&mut self, voice: Voice, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.entry(voice, b"", line);
        }
    }

    /// A part of a line.
    pub(super) fn piece(&mut self, voice: Voice, text: &[u8]) {
        self.entry(voice, b"CONTAINER_PARTIAL_MESSAGE=true\n", text);
    }

    /// Tells what was lost, if the journal answers now.
    pub(super) fn finish(&mut self) {
        self.confess();
    }

    /// Sends one entry, or counts it as lost.
    fn entry(&mut self, voice: Voice, mark: &[u8], text: &[u8]) {
        let patience = if self.lost > 0 { 0 } else { PATIENCE_MS };
        if !self.confess() || !self.deliver(voice, mark, text, patience) {
            self.lost += 1;
        }
    }

    /// Whether nothing is lost, or its number could be sent.
    fn confess(&mut self) -> bool {
        if self.lost > 0 {
            let mut note = Line::new();
            note.push(b"lodger: lines lost: ").number(self.lost, 1);
            if !self.deliver(Voice::Errors, b"", note.bytes(), 0) {
                return false;
            }
            self.lost = 0;
        }
        true
    }

    /// Sends one entry, trying for that many milliseconds.
    fn deliver(&mut self, voice: Voice, mark: &[u8], text: &[u8], patience: u64) -> bool {
        let priority: &[u8] = if voice == Voice::Output { b"PRIORITY=6\n" } else { b"PRIORITY=3\n" };
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let parts = [self.fields, priority, mark, b"MESSAGE=", text, b"\n"];
        let mut since = None;
        loop {
            let error = match send(&self.to, &parts) {
                Ok(()) => return true,
                Err(Errno::MSGSIZE | Errno::NOBUFS) => match send_in_file(&self.to, &parts) {
                    Ok(()) => return true,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            let now = monotonic_ms();
            if now - *since.get_or_insert(now) >= patience {
                return false;
            }
            self.wait(error);
        }
    }

    /// Waits until another try makes sense.
    fn wait(&mut self, error: Errno) {
        match error {
            Errno::INTR => {}
            // The queue is full: until there is room.
            Errno::AGAIN => {
                let _ = poll(&mut [PollFd::new(&self.to, PollFlags::OUT)], Some(&PAUSE));
            }
            _ => {
                if self.connect().is_err() {
                    let _ = poll(&mut [], Some(&PAUSE));
                }
            }
        }
    }

    /// Connects anew, by a new socket: the old one may be bound to a peer that is gone.
    fn connect(&mut self) -> Result<()> {
        let address = SocketAddrUnix::new(self.path)?;
        if connect(&self.to, &address).is_ok() {
            return Ok(());
        }
        let new = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        connect(&new, &address)?;
        self.to = new;
        Ok(())
    }
}

fn send(to: &OwnedFd, parts: &[&[u8]; 6]) -> Result<()> {
    let parts = parts.map(IoSlice::new);
    sendmsg(to, &parts, &mut SendAncillaryBuffer::default(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map(drop)
}

/// Sends what is too large for a datagram as a sealed file in memory.
fn send_in_file(to: &OwnedFd, parts: &[&[u8]; 6]) -> Result<()> {
    let file = memfd_create(c"lodger-relay", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    for part in parts {
        if write(&file, part)? != part.len() {
            return Err(Errno::NOMEM);
        }
    }
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
    let mut space = [core::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let file = [file.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&file)) {
        return Err(Errno::NOMEM);
    }
    sendmsg(to, &[], &mut control, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map(drop)
}

/// Writes `NAME=VALUE` as the protocol has it; how many bytes, `None` for what is no field or has no room.
fn encode(field: &[u8], to: &mut [u8]) -> Option<usize> {
    let split = field.iter().position(|byte| *byte == b'=').filter(|split| *split > 0)?;
    let (name, value) = (&field[..split], &field[split + 1..]);
    let mut used = 0;
    let mut put = |bytes: &[u8]| {
        to.get_mut(used..used + bytes.len())?.copy_from_slice(bytes);
        used += bytes.len();
        Some(())
    };
    put(name)?;
    if value.contains(&b'\n') {
        put(b"\n")?;
        put(&(value.len() as u64).to_le_bytes())?;
    } else {
        put(b"=")?;
    }
    put(value)?;
    put(b"\n")?;
    Some(used)
}
