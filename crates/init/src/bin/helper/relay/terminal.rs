//! Those who look at a container's terminal and type (`attach`), beside the log.
//!
//! They come through a listening socket, descriptor 7; what the container prints goes to each, and what they type to the
//! container. One that does not take what it is given for some seconds is let go: nobody who looks may hold the container up.

use super::{PATIENCE, Sink, Stream};
use kernel::start::inherited;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, write};
use rustix::net::{RecvFlags, SendFlags, SocketFlags, accept_with, recv, send};

/// How many may look at once.
const SEATS: usize = 4;
/// How much of what one types waits for the container.
const TYPED: usize = 256;
/// How long one may take to look at what is shown.
const SLOWEST: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// The listening socket and those who came.
pub(super) struct Audience {
    listener: OwnedFd,
    seats: [Option<Seat>; SEATS],
}

struct Seat {
    socket: OwnedFd,
    typed: [u8; TYPED],
    held: usize,
}

impl Audience {
    /// Descriptor 7, if there is one.
    pub(super) fn open() -> Option<Self> {
        Some(Self { listener: inherited(7)?, seats: [const { None }; SEATS] })
    }

    /// Gives everybody what the container printed.
    pub(super) fn show(&mut self, text: &[u8]) {
        for slot in &mut self.seats {
            if slot.as_ref().is_some_and(|seat| !seat.show(text)) {
                *slot = None;
            }
        }
    }

    /// Waits, and moves what can be moved; false when the container has closed its terminal.
    pub(super) fn carry(&mut self, stream: &mut Stream, sink: &mut Sink) -> bool {
        let Some(ready) = self.ready(stream) else {
            stream.flush(sink);
            return true;
        };
        if ready[0].contains(PollFlags::OUT) {
            self.hand_over(stream);
        }
        if ready[1].contains(PollFlags::IN) {
            self.seat();
        }
        for (slot, ready) in self.seats.iter_mut().zip(&ready[2..]) {
            if !ready.is_empty() && slot.as_mut().is_some_and(|seat| !seat.listen()) {
                *slot = None;
            }
        }
        if ready[0].intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            return stream.take_and(sink, |text| self.show(text));
        }
        true
    }

    /// What is ready: the terminal, the listener, the seats; `None` if nothing came while a line stood unfinished.
    fn ready(&self, stream: &Stream) -> Option<[PollFlags; 2 + SEATS]> {
        let mut wanted = PollFlags::IN;
        if self.seats.iter().flatten().any(|seat| seat.held > 0) {
            wanted |= PollFlags::OUT;
        }
        let nothing = || PollFd::new(&self.listener, PollFlags::empty());
        let mut polled: [PollFd<'_>; 2 + SEATS] = core::array::from_fn(|_| nothing());
        polled[0] = PollFd::new(&stream.from, wanted);
        polled[1] = PollFd::new(&self.listener, PollFlags::IN);
        for (place, seat) in polled[2..].iter_mut().zip(&self.seats) {
            if let Some(seat) = seat.as_ref().filter(|seat| seat.held == 0) {
                *place = PollFd::new(&seat.socket, PollFlags::IN);
            }
        }
        match poll(&mut polled, (stream.held > 0).then_some(&PATIENCE)) {
            Ok(0) => None,
            _ => Some(polled.map(|polled| polled.revents())),
        }
    }

    /// Takes somebody in; one too many is sent away.
    fn seat(&mut self) {
        let Ok(socket) = accept_with(&self.listener, SocketFlags::CLOEXEC) else { return };
        if let Some(free) = self.seats.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(Seat { socket, typed: [0; TYPED], held: 0 });
        }
    }

    /// What was typed, to the container.
    fn hand_over(&mut self, stream: &Stream) {
        if let Ok(flags) = fcntl_getfl(&stream.from) {
            let _ = fcntl_setfl(&stream.from, flags | OFlags::NONBLOCK);
        }
        for seat in self.seats.iter_mut().flatten().filter(|seat| seat.held > 0) {
            match write(&stream.from, &seat.typed[..seat.held]) {
                Ok(count) => {
                    seat.typed.copy_within(count..seat.held, 0);
                    seat.held -= count;
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => seat.held = 0,
            }
        }
    }
}

impl Seat {
    /// False when nobody sits there any more.
    fn show(&self, mut text: &[u8]) -> bool {
        while !text.is_empty() {
            match send(&self.socket, text, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => text = &text[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let mut polled = [PollFd::new(&self.socket, PollFlags::OUT)];
                    if poll(&mut polled, Some(&SLOWEST)) == Ok(0) {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
        true
    }

    fn listen(&mut self) -> bool {
        match recv(&self.socket, &mut self.typed[..], RecvFlags::DONTWAIT) {
            Ok((_, 0)) => false,
            Ok((_, count)) => {
                self.held = count;
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        }
    }
}
