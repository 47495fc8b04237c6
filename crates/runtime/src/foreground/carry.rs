//! A container without a terminal and its caller: what is read on one side is written on the other, and copied to the log.
//!
//! The container never gets the caller's own descriptors: a file or terminal that it can open again through `/proc/self/fd` would be
//! the caller's, with all that can be done to it.
//!
//! Each flow holds one buffer, filled only when it is empty. No write blocks: the container's pipe is made so, and the caller's
//! descriptor, whose mode is not ours to change, is given no more than poll(2) promises it to take.

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, read, write};
use std::os::fd::{BorrowedFd, OwnedFd};

/// What a pipe holds unless it was told otherwise.
const BUFFER: usize = 64 * 1024;
/// No longer than what poll(2) promises a pipe to take without blocking.
const CHUNK: usize = 4096;

/// One direction of one stream.
#[derive(Debug)]
pub struct Flow {
    /// Read until its end.
    pub from: OwnedFd,
    /// Written to; when nobody takes it any more, `from` is closed too, so that whoever writes there learns of it.
    pub to: OwnedFd,
    /// Gets the same once more: the log.
    pub copy: Option<OwnedFd>,
}

/// Every flow of one container.
pub(super) struct Carrier(Vec<Side>);

struct Side {
    flow: Flow,
    held: Vec<u8>,
    /// How much of it is written.
    written: usize,
    /// Whether it brings the caller's words in: at the container's end it is left as it is.
    inward: bool,
}

impl Carrier {
    /// `input` leads into the container, `output` out of it.
    pub(super) fn new(input: Option<Flow>, output: Vec<Flow>) -> rustix::io::Result<Self> {
        if let Some(flow) = &input {
            unblock(&flow.to)?;
        }
        for flow in &output {
            unblock(&flow.from)?;
        }
        let side = |inward| move |flow| Side { flow, held: Vec::new(), written: 0, inward };
        Ok(Self(input.into_iter().map(side(true)).chain(output.into_iter().map(side(false))).collect()))
    }

    /// Adds one entry for each flow.
    pub(super) fn wants<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        fds.extend(self.0.iter().map(|side| match side.is_empty() {
            true => PollFd::new(&side.flow.from, PollFlags::IN),
            false => PollFd::new(&side.flow.to, PollFlags::OUT),
        }));
    }

    /// Which flows can go on.
    pub(super) fn found(&self, fds: &[PollFd<'_>]) -> Vec<bool> {
        fds.iter().take(self.0.len()).map(|fd| !fd.revents().is_empty()).collect()
    }

    /// Moves what can be moved; flows that ended are closed.
    pub(super) fn turn(&mut self, ready: &[bool]) {
        let mut ready = ready.iter();
        self.0.retain_mut(|side| match ready.next() {
            Some(true) => side.turn(),
            _ => true,
        });
    }

    /// What the container wrote last, once it has ended. The caller's side may block here: there is nothing else left to do.
    pub(super) fn drain(&mut self) {
        for side in self.0.iter_mut().filter(|side| !side.inward) {
            while side.finish() && side.take() == Some(true) {}
        }
        self.0.clear();
    }
}

impl Side {
    fn is_empty(&self) -> bool {
        self.written == self.held.len()
    }

    /// One read, and as much as can be written at once; false at the end.
    fn turn(&mut self) -> bool {
        if self.is_empty() { self.take() != Some(false) } else { self.give(CHUNK) }
    }

    /// Reads once: whether it goes on, or `None` if nothing is there at the moment.
    fn take(&mut self) -> Option<bool> {
        self.held.resize(BUFFER, 0);
        self.written = 0;
        let count = match read(&self.flow.from, &mut self.held) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => {
                self.held.clear();
                return None;
            }
            Err(_) => 0,
        };
        self.held.truncate(count);
        self.log();
        Some(count > 0)
    }

    /// The log's reader is always there to take it; if it is not, the container goes on unlogged.
    fn log(&mut self) {
        let Some(copy) = &self.flow.copy else { return };
        let mut rest = self.held.as_slice();
        while !rest.is_empty() {
            match write(copy, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(_) => {
                    self.flow.copy = None;
                    return;
                }
            }
        }
    }

    /// Writes once, at most so much; false when nobody takes it any more.
    fn give(&mut self, most: usize) -> bool {
        let rest = &self.held[self.written..];
        match write(&self.flow.to, &rest[..rest.len().min(most)]) {
            Ok(count) => self.written += count,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return false,
        }
        true
    }

    /// Writes all that is held; false when nobody takes it any more.
    fn finish(&mut self) -> bool {
        while !self.is_empty() {
            if !self.give(BUFFER) {
                return false;
            }
        }
        true
    }
}

fn unblock(fd: &OwnedFd) -> rustix::io::Result<()> {
    let fd: BorrowedFd<'_> = std::os::fd::AsFd::as_fd(fd);
    fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::poll;
    use rustix::pipe::{PipeFlags, pipe_with};
    use std::io::{Read, Write};

    fn pipe() -> (std::fs::File, std::fs::File) {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        (read.into(), write.into())
    }

    /// Turns until nothing is ready.
    fn settle(carrier: &mut Carrier) {
        loop {
            let mut fds = Vec::new();
            carrier.wants(&mut fds);
            if fds.is_empty() || poll(&mut fds, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0) {
                return;
            }
            let ready = carrier.found(&fds);
            drop(fds);
            carrier.turn(&ready);
        }
    }

    #[test]
    fn output_reaches_the_caller_and_the_log_to_the_last_byte() {
        let ((from, mut container), (mut seen, to), (mut logged, copy)) = (pipe(), pipe(), pipe());
        let flow = Flow { from: from.into(), to: to.into(), copy: Some(copy.into()) };
        let mut carrier = Carrier::new(None, vec![flow]).unwrap();
        container.write_all(b"first ").unwrap();
        settle(&mut carrier);
        container.write_all(b"last").unwrap();
        carrier.drain();
        for end in [&mut seen, &mut logged] {
            let mut text = String::new();
            end.read_to_string(&mut text).unwrap();
            assert_eq!(text, "first last");
        }
    }

    #[test]
    fn the_containers_pipe_breaks_when_the_callers_does() {
        let ((from, mut container), (seen, to)) = (pipe(), pipe());
        let mut carrier = Carrier::new(None, vec![Flow { from: from.into(), to: to.into(), copy: None }]).unwrap();
        drop(seen);
        container.write_all(b"x").unwrap();
        settle(&mut carrier);
        assert_eq!(container.write(b"y").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn input_ends_where_the_callers_ends_and_never_blocks() {
        let ((from, mut caller), (mut container, to)) = (pipe(), pipe());
        let flow = Flow { from: from.into(), to: to.into(), copy: None };
        let mut carrier = Carrier::new(Some(flow), vec![]).unwrap();
        let text = vec![b'x'; 60_000];
        // More than the container's pipe takes: it reads nothing yet.
        for _ in 0..2 {
            caller.write_all(&text).unwrap();
            settle(&mut carrier);
        }
        drop(caller);
        let mut count = 0;
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = container.read(&mut buffer) {
            count += read;
            settle(&mut carrier);
        }
        assert_eq!(count, 120_000);
        // What the container leaves unread at its end is nobody's.
        carrier.drain();
    }
}
