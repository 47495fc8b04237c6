//! The log as a file in the format that Kubernetes and podman call `k8s-file`.
//!
//! ```text
//! 2026-11-22T02:36:48.123456789+00:00 stdout F a whole line
//! 2026-11-22T02:36:48.123456789+00:00 stderr P a piece of one
//! ```
//!
//! At its greatest size the file becomes `NAME.1`, in place of the one before it, and a new one begins. A line is in
//! the file whole or not at all: what a full disk took half of is cut off again.

use super::Voice;
use crate::text::{Line, parse};
use core::ffi::CStr;
use kernel::start::{Arguments, realtime};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat, ftruncate, openat, renameat};
use rustix::io::{IoSlice, writev};

/// Lines in one write.
const BATCH: usize = 16;

/// An open log file.
pub(super) struct File {
    to: OwnedFd,
    directory: OwnedFd,
    name: &'static CStr,
    size: u64,
    /// Zero = without limit.
    limit: u64,
    /// Seconds east of UTC.
    offset: i64,
    lost: u64,
}

impl File {
    /// Reads `NAME MAX_BYTES UTC_OFFSET_SECONDS`.
    pub(super) fn new(to: OwnedFd, directory: OwnedFd, arguments: &Arguments) -> Option<Self> {
        let offset = arguments.get(5)?.to_bytes();
        let east = parse(offset.strip_prefix(b"-").unwrap_or(offset)).filter(|seconds| *seconds < 86400)? as i64;
        Some(Self {
            size: fstat(&to).ok()?.st_size as u64,
            to,
            directory,
            name: arguments.get(3)?,
            limit: parse(arguments.get(4)?.to_bytes())?,
            offset: if offset.starts_with(b"-") { -east } else { east },
            lost: 0,
        })
    }

    /// Whole lines, each with its line feed.
    pub(super) fn lines(&mut self, voice: Voice, mut lines: &[u8]) {
        while !lines.is_empty() {
            let taken = self.batch(voice, lines);
            lines = &lines[taken..];
        }
    }

    /// Writes the first of these lines at once; how many bytes of text they are.
    fn batch(&mut self, voice: Voice, lines: &[u8]) -> usize {
        let (note, head) = (self.note(), self.head(voice, b" F "));
        let mut parts = [IoSlice::new(note.bytes()); 1 + 2 * BATCH];
        let (mut count, mut taken) = (0, 0);
        let mut bytes = note.bytes().len();
        for line in lines.split_inclusive(|byte| *byte == b'\n').take(BATCH) {
            let length = head.bytes().len() + line.len();
            if count > 0 && self.is_full(bytes + length) {
                break;
            }
            parts[1 + 2 * count] = IoSlice::new(head.bytes());
            parts[2 + 2 * count] = IoSlice::new(line);
            count += 1;
            taken += line.len();
            bytes += length;
        }
        self.append(&parts[..1 + 2 * count], bytes, count);
        taken
    }

    /// A part of a line.
    pub(super) fn piece(&mut self, voice: Voice, text: &[u8]) {
        let (note, head) = (self.note(), self.head(voice, b" P "));
        let parts = [note.bytes(), head.bytes(), text, b"\n"];
        self.append(&parts.map(IoSlice::new), parts.iter().map(|part| part.len()).sum(), 1);
    }

    /// Tells what was lost, if there is room now.
    pub(super) fn finish(&mut self) {
        if self.lost > 0 {
            let note = self.note();
            self.append(&[IoSlice::new(note.bytes())], note.bytes().len(), 0);
        }
    }

    fn is_full(&self, more: usize) -> bool {
        self.limit > 0 && self.size > 0 && self.size + more as u64 > self.limit
    }

    /// Writes `count` lines and the [`note`](Self::note) before them, or counts them as lost too.
    fn append(&mut self, parts: &[IoSlice<'_>], bytes: usize, count: usize) {
        if self.is_full(bytes) {
            self.rotate();
        }
        if self.write(parts, bytes as u64) {
            self.lost = 0;
        } else {
            self.lost += count as u64;
        }
    }

    /// A line with the number of those that were lost; empty if none were.
    ///
    /// It is written with what follows or not at all, or a full disk would fill with it.
    fn note(&self) -> Line {
        if self.lost == 0 {
            return Line::new();
        }
        let mut note = self.head(Voice::Errors, b" F ");
        note.push(b"lodger: lines lost: ").number(self.lost, 1).push(b"\n");
        note
    }

    /// All or nothing.
    fn write(&mut self, parts: &[IoSlice<'_>], bytes: u64) -> bool {
        let written = writev(&self.to, parts).unwrap_or(0) as u64;
        if written == bytes {
            self.size += bytes;
            return true;
        }
        if written > 0 {
            // The file's own size, not ours: somebody may have emptied it.
            if let Ok(now) = fstat(&self.to) {
                let _ = ftruncate(&self.to, (now.st_size as u64).saturating_sub(written));
            }
        }
        false
    }

    /// Begins a new file; goes on with the old one if that fails.
    fn rotate(&mut self) {
        let mut old = Line::new();
        old.push(self.name.to_bytes()).push(b".1");
        let mode = fstat(&self.to).map_or(0o600, |file| file.st_mode & 0o777);
        if renameat(&self.directory, self.name, &self.directory, old.c_str()).is_err() {
            return;
        }
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match openat(&self.directory, self.name, flags, Mode::from_raw_mode(mode)) {
            Ok(new) => {
                self.to = new;
                self.size = 0;
            }
            Err(_) => {
                let _ = renameat(&self.directory, old.c_str(), &self.directory, self.name);
            }
        }
    }

    /// Date, stream and mark.
    fn head(&self, voice: Voice, mark: &[u8]) -> Line {
        let (seconds, nanoseconds) = realtime();
        let mut line = Line::new();
        date(&mut line, seconds as i64 + self.offset);
        let offset = self.offset.unsigned_abs();
        line.push(b".").number(u64::from(nanoseconds), 9).push(if self.offset < 0 { b"-" } else { b"+" });
        line.number(offset / 3600, 2).push(b":").number(offset / 60 % 60, 2);
        line.push(if voice == Voice::Output { b" stdout" } else { b" stderr" }).push(mark);
        line
    }
}

/// Appends date and time of day of a number of seconds since the epoch.
///
/// Days are counted from 1 March, so that the leap day is a year's last (Hinnant, "chrono-compatible low-level date
/// algorithms").
fn date(line: &mut Line, seconds: i64) {
    let seconds = seconds.max(0) as u64;
    let days = seconds / 86400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    line.number(year + era * 400, 4).push(b"-").number(month, 2).push(b"-").number(day, 2);
    let time = seconds % 86400;
    line.push(b"T").number(time / 3600, 2).push(b":").number(time / 60 % 60, 2).push(b":").number(time % 60, 2);
}
