//! Between the user's terminal and the container's, one buffer each way: it is filled only when it is empty, and emptied only when
//! the other side can take it.

use super::keys::Search;
use super::raw::Raw;
use super::{Foreground, Input};
use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, read, write};
use rustix::termios::{tcgetwinsize, tcsetwinsize};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// No longer than what poll(2) promises a pipe to take without blocking.
const CHUNK: usize = 4096;

/// The two directions of an attached terminal, or nothing.
pub(super) struct Pump<'m>(Option<Shown<'m>>);

struct Shown<'m> {
    master: BorrowedFd<'m>,
    /// `None` at its end.
    input: Option<OwnedFd>,
    output: OwnedFd,
    /// The log.
    copy: Option<OwnedFd>,
    search: Search,
    /// Where the size of the user's window goes.
    window: Option<OwnedFd>,
    /// On the way in and out.
    typed: Vec<u8>,
    printed: Vec<u8>,
    /// The container's side is closed.
    hung_up: bool,
    _raw: Option<Raw>,
}

/// Which sides are ready.
pub(super) struct Ready {
    master: PollFlags,
    input: bool,
    output: bool,
}

impl<'m> Pump<'m> {
    pub(super) fn new(master: Option<BorrowedFd<'m>>, foreground: Foreground) -> rustix::io::Result<Self> {
        let Some(master) = master else { return Ok(Self(None)) };
        let Foreground { input, output, copy, detach, window, .. } = foreground;
        let input = match input {
            Input::Closed => None,
            Input::From(fd) => Some(fd),
        };
        let raw = input.as_ref().map(|input| Raw::set(input.as_fd())).transpose()?.flatten();
        let flags = rustix::fs::fcntl_getfl(master)?;
        rustix::fs::fcntl_setfl(master, flags | rustix::fs::OFlags::NONBLOCK)?;
        let search = Search::new(detach);
        let (typed, printed) = (vec![], vec![]);
        let shown = Shown { master, input, output, copy, search, window, typed, printed, hung_up: false, _raw: raw };
        let pump = Self(Some(shown));
        pump.resize();
        Ok(pump)
    }

    /// Gives the container's terminal the size of the user's; whether there is one to give it to.
    pub(super) fn resize(&self) -> bool {
        let Some(shown) = &self.0 else { return false };
        if let Ok(size) = tcgetwinsize(&shown.output) {
            let _ = tcsetwinsize(shown.window.as_ref().map_or(shown.master, AsFd::as_fd), size);
        }
        true
    }

    /// Adds three entries, or none.
    pub(super) fn wants<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        let Some(shown) = &self.0 else { return };
        let mut master = PollFlags::empty();
        if shown.printed.is_empty() && !shown.hung_up {
            master |= PollFlags::IN;
        }
        if !shown.typed.is_empty() {
            master |= PollFlags::OUT;
        }
        let output = if shown.printed.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        // A side that hung up would be ready for ever: it is left out, and the output stands in its place.
        let master = if shown.hung_up {
            PollFd::new(&shown.output, PollFlags::empty())
        } else {
            PollFd::from_borrowed_fd(shown.master, master)
        };
        fds.extend([master, PollFd::new(&shown.output, output)]);
        if let (Some(input), true) = (&shown.input, shown.typed.is_empty() && !shown.hung_up) {
            fds.push(PollFd::new(input, PollFlags::IN));
        }
    }

    pub(super) fn found(&self, fds: &[PollFd<'_>]) -> Ready {
        let flags = |index: usize| fds.get(index).map_or(PollFlags::empty(), PollFd::revents);
        Ready { master: flags(0), output: !flags(1).is_empty(), input: !flags(2).is_empty() }
    }

    /// Moves what can be moved; whether the detach keys were typed.
    pub(super) fn turn(&mut self, ready: &Ready) -> rustix::io::Result<bool> {
        let Some(shown) = &mut self.0 else { return Ok(false) };
        if ready.output {
            shown.print()?;
        }
        if !shown.hung_up && ready.master.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            shown.listen();
        }
        if ready.master.contains(PollFlags::OUT) {
            shown.send();
        }
        if ready.input { shown.type_in() } else { Ok(false) }
    }

    /// What the container printed last, once it has ended. The user's side may block here: there is nothing else left to do.
    pub(super) fn drain(&mut self) {
        let Some(shown) = &mut self.0 else { return };
        loop {
            while !shown.printed.is_empty() {
                if shown.print().is_err() {
                    return;
                }
            }
            shown.listen();
            if shown.printed.is_empty() {
                return;
            }
        }
    }
}

impl Shown<'_> {
    fn print(&mut self) -> rustix::io::Result<()> {
        match write(&self.output, &self.printed) {
            Ok(count) => drop(self.printed.drain(..count)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            // Nobody looks any more (a closed pipe, a terminal that hung up): the container goes on unseen.
            Err(Errno::PIPE | Errno::IO) => self.printed.clear(),
            Err(errno) => return Err(errno),
        }
        Ok(())
    }

    /// Reads what the container prints. `EIO`: nobody has its side open at the moment.
    fn listen(&mut self) {
        let mut buffer = [0; CHUNK];
        match read(self.master, &mut buffer) {
            Ok(0) | Err(Errno::IO) => self.hung_up = true,
            Ok(count) => {
                self.printed.extend_from_slice(&buffer[..count]);
                self.log(&buffer[..count]);
            }
            Err(_) => {}
        }
    }

    /// The log's reader is always there to take it; if it is not, the container goes on unlogged.
    fn log(&mut self, mut text: &[u8]) {
        while let (Some(copy), false) = (&self.copy, text.is_empty()) {
            match write(copy, text) {
                Ok(count) => text = &text[count..],
                Err(Errno::INTR) => {}
                Err(_) => self.copy = None,
            }
        }
    }

    fn send(&mut self) {
        match write(self.master, &self.typed) {
            Ok(count) => drop(self.typed.drain(..count)),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.typed.clear(),
        }
    }

    fn type_in(&mut self) -> rustix::io::Result<bool> {
        let Some(input) = &self.input else { return Ok(false) };
        let mut buffer = [0; CHUNK];
        match read(input, &mut buffer) {
            Ok(0) | Err(Errno::IO) => {
                self.input = None;
                Ok(false)
            }
            Ok(count) => {
                let (passed, found) = self.search.feed(&buffer[..count]);
                self.typed = passed;
                if found {
                    self.send();
                }
                Ok(found)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(errno) => Err(errno),
        }
    }
}
