//! `relay SOURCE SINK…`: carries a container's output to the journal or a file until its last writer is gone.
//!
//! ```text
//! relay pipes|pty journald SOCKET FIELD=VALUE…
//! relay pipes|pty k8s-file NAME MAX_BYTES UTC_OFFSET_SECONDS
//!
//! 3  standard output's pipe, or the terminal's master end
//! 4  standard error's pipe (pipes)
//! 5  a datagram socket for the journal, or the log file, opened to append
//! 6  the directory of the log file (k8s-file)
//! 7  a listening socket for those who look at the terminal (pty; may be absent)
//! ```
//!
//! Descriptors 0 to 2 and the rest are closed. A line longer than 16 KiB, or one that stands unfinished for a second or
//! at the end, goes out in pieces that are marked as such. No signal but SIGKILL ends the relay, so that the last words
//! of a stopping container are kept; it ends by itself when nobody can write any more. When the sink fails, the
//! container is not made to wait for ever: what is dropped is counted, and the count is written when that works again.

mod file;
mod journal;
mod terminal;

use crate::complain;
use file::File;
use journal::Journal;
use kernel::start::{Arguments, close_range, inherited, signals, zeroed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, read};
use rustix::thread::set_name;
use terminal::Audience;

/// The longest piece of a line.
const PIECE: usize = 16 * 1024;
/// How long an unfinished line may stand before it is shown.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Whose words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    Output,
    Errors,
}

/// Where they go.
enum Sink {
    Journal(Journal),
    File(File),
}

impl Sink {
    /// Descriptor 5 and what the words from the third on say about it.
    fn open(arguments: &Arguments) -> Option<Self> {
        let to = inherited(5)?;
        match arguments.get(2)?.to_bytes() {
            b"journald" => Journal::new(to, arguments).map(Self::Journal),
            b"k8s-file" => File::new(to, inherited(6)?, arguments).map(Self::File),
            _ => None,
        }
    }

    /// Whole lines, each with its line feed.
    fn lines(&mut self, voice: Voice, lines: &[u8]) {
        match self {
            Self::Journal(journal) => journal.lines(voice, lines),
            Self::File(file) => file.lines(voice, lines),
        }
    }

    /// A part of a line, the rest of which may follow.
    fn piece(&mut self, voice: Voice, text: &[u8]) {
        match self {
            Self::Journal(journal) => journal.piece(voice, text),
            Self::File(file) => file.piece(voice, text),
        }
    }

    /// The last chance to tell what was lost.
    fn finish(&mut self) {
        match self {
            Self::Journal(journal) => journal.finish(),
            Self::File(file) => file.finish(),
        }
    }
}

/// One source with the unfinished line that it has sent so far.
struct Stream {
    from: OwnedFd,
    voice: Voice,
    /// A terminal writes a carriage return before each line feed.
    terminal: bool,
    buffer: &'static mut [u8],
    held: usize,
}

impl Stream {
    fn open(number: i32, voice: Voice, terminal: bool) -> Option<Self> {
        Some(Self { from: inherited(number)?, voice, terminal, buffer: zeroed(PIECE).ok()?, held: 0 })
    }

    /// Reads once and passes on what is complete; false at the end.
    fn take(&mut self, sink: &mut Sink) -> bool {
        self.take_and(sink, |_| ())
    }

    /// The same, and gives what was read as it is to somebody else too.
    fn take_and(&mut self, sink: &mut Sink, mut show: impl FnMut(&[u8])) -> bool {
        let count = match read(&self.from, &mut self.buffer[self.held..]) {
            Ok(0) => return false,
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => return true,
            // A terminal whose other end is closed says EIO.
            Err(_) => return false,
        };
        let fresh = self.held;
        self.held += count;
        show(&self.buffer[fresh..self.held]);
        if let Some(last) = self.buffer[fresh..self.held].iter().rposition(|byte| *byte == b'\n') {
            let end = fresh + last + 1;
            let kept = if self.terminal { strip_returns(&mut self.buffer[..end]) } else { end };
            sink.lines(self.voice, &self.buffer[..kept]);
            self.forget(end);
        }
        if self.held == self.buffer.len() {
            let end = character_boundary(&self.buffer[..self.held]);
            sink.piece(self.voice, &self.buffer[..end]);
            self.forget(end);
        }
        true
    }

    /// Passes on an unfinished line.
    fn flush(&mut self, sink: &mut Sink) {
        if self.held > 0 {
            sink.piece(self.voice, &self.buffer[..self.held]);
            self.held = 0;
        }
    }

    fn forget(&mut self, end: usize) {
        self.buffer.copy_within(end..self.held, 0);
        self.held -= end;
    }
}

/// Takes out each carriage return that stands before a line feed; the new length.
fn strip_returns(text: &mut [u8]) -> usize {
    let mut length = 0;
    for index in 0..text.len() {
        if text[index] == b'\r' && text.get(index + 1) == Some(&b'\n') {
            continue;
        }
        text[length] = text[index];
        length += 1;
    }
    length
}

/// Where to cut a full buffer so that no UTF-8 character is cut; its length, if it is not UTF-8.
fn character_boundary(text: &[u8]) -> usize {
    let is_continuation = |byte: &u8| byte & 0xc0 == 0x80;
    let trailing = text.iter().rev().take(3).take_while(|byte| is_continuation(byte)).count();
    let start = text.len() - trailing - 1;
    let wanted = match text[start] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 0,
    };
    if wanted > trailing + 1 { start } else { text.len() }
}

/// Returns when nobody can write any more.
pub(crate) fn run(arguments: &Arguments) -> i32 {
    signals::block();
    let _ = set_name(c"lodger-relay");
    let (Some(mut streams), Some(mut sink)) = (sources(arguments), Sink::open(arguments)) else {
        return complain(&[b"usage: relay pipes|pty journald SOCKET FIELD=VALUE... | k8s-file NAME MAX OFFSET"]);
    };
    let _ = close_range(0, 2);
    let _ = close_range(8, u32::MAX);
    if let ([Some(terminal), None], Some(mut audience)) = (&mut streams, audience(arguments)) {
        while audience.carry(terminal, &mut sink) {}
        terminal.flush(&mut sink);
        streams[0] = None;
    }
    while streams.iter().any(Option::is_some) {
        carry(&mut streams, &mut sink);
    }
    sink.finish();
    0
}

/// Where somebody may come to look; pipes have nobody.
fn audience(arguments: &Arguments) -> Option<Audience> {
    let terminal = arguments.get(1).is_some_and(|source| source.to_bytes() == b"pty");
    let audience = Audience::open().filter(|_| terminal);
    if audience.is_none() {
        let _ = close_range(7, 7);
    }
    audience
}

fn sources(arguments: &Arguments) -> Option<[Option<Stream>; 2]> {
    match arguments.get(1)?.to_bytes() {
        b"pipes" => Some([Some(Stream::open(3, Voice::Output, false)?), Some(Stream::open(4, Voice::Errors, false)?)]),
        b"pty" => Some([Some(Stream::open(3, Voice::Output, true)?), None]),
        _ => None,
    }
}

/// Waits for the sources and takes from each that has something.
fn carry(streams: &mut [Option<Stream>; 2], sink: &mut Sink) {
    let Some(ready) = ready(streams) else {
        streams.iter_mut().flatten().for_each(|stream| stream.flush(sink));
        return;
    };
    let mut ready = ready.into_iter();
    for slot in streams.iter_mut() {
        let Some(stream) = slot else { continue };
        if ready.next() == Some(true) && !stream.take(sink) {
            stream.flush(sink);
            *slot = None;
        }
    }
}

/// Which of the open streams have something, in their order; `None` if nothing came while a line stood unfinished.
fn ready(streams: &[Option<Stream>; 2]) -> Option<[bool; 2]> {
    let mut open = streams.iter().flatten();
    let one = open.next()?;
    let other = open.next();
    let mut polled = [
        PollFd::new(&one.from, PollFlags::IN),
        PollFd::new(other.map_or(&one.from, |other| &other.from), PollFlags::IN),
    ];
    let limit = streams.iter().flatten().any(|stream| stream.held > 0).then_some(&PATIENCE);
    let count = if other.is_some() { 2 } else { 1 };
    if poll(&mut polled[..count], limit) == Ok(0) {
        return None;
    }
    Some([!polled[0].revents().is_empty(), !polled[1].revents().is_empty()])
}
