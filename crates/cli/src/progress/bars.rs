//! Progress on a terminal: a line for each layer that is on its way, redrawn in place; what is done scrolls away above.
//!
//! ```text
//! Trying to pull docker.io/library/alpine:latest...
//! Copying blob a3ed95caeb02 done   | 3.2MiB
//! Copying blob 96526aa774ef [=======>            ] 12.3MiB / 45.6MiB | 8.1MiB/s | ETA 4s
//! ```
//!
//! Never more lines than the terminal has, because what has scrolled away cannot be redrawn. Control sequences: ECMA-48
//! (cursor up, erase line).

use super::{notice, short};
use crate::format::size::binary;
use engine::PullEvent;
use spec::Digest;
use std::io::{self, Write};
use std::time::{Duration, Instant};

const REDRAW: Duration = Duration::from_millis(100);
const BAR: usize = 28;

/// One layer on its way.
struct Layer {
    digest: Digest,
    size: u64,
    bytes: u64,
    /// Bytes that were there, and when, at the last look at its speed.
    seen: (u64, Instant),
    /// Bytes for each second, smoothed; 0 = not known yet.
    speed: f64,
}

/// Draws.
pub(super) struct Bars<W> {
    out: W,
    size: fn() -> (usize, usize),
    layers: Vec<Layer>,
    /// Lines below which the cursor stands.
    drawn: usize,
    last: Option<Instant>,
}

impl<W: Write> Bars<W> {
    /// `size` tells columns and rows.
    pub(super) fn new(out: W, size: fn() -> (usize, usize)) -> Self {
        Self { out, size, layers: Vec::new(), drawn: 0, last: None }
    }

    pub(super) fn event(&mut self, event: PullEvent<'_>, now: Instant) -> io::Result<()> {
        match event {
            PullEvent::Layer { digest, size } => {
                self.layers.retain(|layer| layer.digest != *digest);
                self.layers.push(Layer { digest: *digest, size, bytes: 0, seen: (0, now), speed: 0.0 });
                self.draw(now)
            }
            PullEvent::Progress { digest, bytes } => {
                if let Some(layer) = self.layers.iter_mut().find(|layer| layer.digest == *digest) {
                    layer.advance(bytes, now);
                }
                match self.last {
                    Some(last) if now.duration_since(last) < REDRAW => Ok(()),
                    _ => self.draw(now),
                }
            }
            PullEvent::Done(digest) => {
                let size = self.take(digest).map_or_else(String::new, |layer| format!("   | {}", binary(layer.size)));
                self.above(&format!("Copying blob {} done{size}", short(digest)), now)
            }
            PullEvent::Present(digest) => {
                self.take(digest);
                self.above(&format!("Copying blob {} skipped: already exists", short(digest)), now)
            }
            other => {
                let mut line = Vec::new();
                notice(&mut line, &other)?;
                self.above(String::from_utf8_lossy(&line).trim_end(), now)
            }
        }
    }

    fn take(&mut self, digest: &Digest) -> Option<Layer> {
        let at = self.layers.iter().position(|layer| layer.digest == *digest)?;
        Some(self.layers.remove(at))
    }

    /// A line that stays, above those that move.
    fn above(&mut self, line: &str, now: Instant) -> io::Result<()> {
        let mut frame = self.erase();
        frame.push_str(line);
        frame.push('\n');
        self.finish(frame, now)
    }

    fn draw(&mut self, now: Instant) -> io::Result<()> {
        let frame = self.erase();
        self.finish(frame, now)
    }

    /// What takes the moving lines away.
    fn erase(&mut self) -> String {
        std::iter::repeat_n("\x1b[1A\x1b[2K", std::mem::take(&mut self.drawn)).collect()
    }

    fn finish(&mut self, mut frame: String, now: Instant) -> io::Result<()> {
        let (columns, rows) = (self.size)();
        let shown = self.layers.iter().take(rows - 1);
        for layer in shown {
            frame.push_str(&layer.line(columns - 1));
            frame.push('\n');
            self.drawn += 1;
        }
        self.last = Some(now);
        // One write, so that no half of a frame is seen.
        self.out.write_all(frame.as_bytes())?;
        self.out.flush()
    }
}

impl Layer {
    fn advance(&mut self, bytes: u64, now: Instant) {
        self.bytes = bytes;
        let (before, at) = self.seen;
        let passed = now.duration_since(at).as_secs_f64();
        if passed >= 0.5 {
            let speed = bytes.saturating_sub(before) as f64 / passed;
            self.speed = if self.speed == 0.0 { speed } else { 0.7 * self.speed + 0.3 * speed };
            self.seen = (bytes, now);
        }
    }

    /// At most `width` characters.
    fn line(&self, width: usize) -> String {
        let head = format!("Copying blob {} ", short(&self.digest));
        let mut tail = format!("{} / {}", binary(self.bytes), binary(self.size));
        if self.speed >= 1.0 {
            let left = self.size.saturating_sub(self.bytes) as f64 / self.speed;
            tail.push_str(&format!(" | {}/s | ETA {}", binary(self.speed as u64), clock(left as u64)));
        }
        let room = width.saturating_sub(head.len() + tail.len() + 3).min(BAR);
        let line = if room >= 8 { format!("{head}{} {tail}", self.bar(room)) } else { format!("{head}{tail}") };
        line.chars().take(width).collect()
    }

    fn bar(&self, room: usize) -> String {
        let part = if self.size == 0 { 1.0 } else { (self.bytes as f64 / self.size as f64).min(1.0) };
        let full = (part * room as f64) as usize;
        let tip = if full < room { ">" } else { "" };
        let done = "=".repeat(full);
        let left = " ".repeat(room.saturating_sub(full + tip.len()));
        format!("[{done}{tip}{left}]")
    }
}

/// `4s`, `1m20s`, `2h3m`
fn clock(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        _ => format!("{}h{}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::Reference;

    /// What is on a screen of 24 rows after these bytes; knows cursor up and erase line.
    fn screen(bytes: &[u8]) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut row = 0;
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut rest = text.as_str();
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\x1b[1A") {
                row -= 1;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("\x1b[2K") {
                lines[row].clear();
                rest = after;
            } else if c == '\n' {
                row += 1;
                lines.resize(lines.len().max(row + 1), String::new());
                rest = &rest[1..];
            } else {
                lines[row].push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
        lines
    }

    fn played(size: fn() -> (usize, usize), events: &[(u64, PullEvent<'_>)]) -> Vec<String> {
        let start = Instant::now();
        let mut bars = Bars::new(Vec::new(), size);
        for (millis, event) in events {
            bars.event(event.clone(), start + Duration::from_millis(*millis)).unwrap();
        }
        screen(&bars.out)
    }

    fn digest(number: u64) -> Digest {
        Digest::parse(&format!("sha256:{number:064x}")).unwrap()
    }

    #[test]
    fn lines_move_in_place_and_finished_ones_stay_above() {
        let mib = 1 << 20;
        let (a, b) = (digest(0xaaaa_aaaa_aaaa << 16), digest(0xb));
        let name = Reference::parse("registry.example/web:1").unwrap();
        let lines = played(
            || (100, 24),
            &[
                (0, PullEvent::Trying(&name)),
                (0, PullEvent::Layer { digest: &a, size: 40 * mib }),
                (0, PullEvent::Layer { digest: &b, size: 2 * mib }),
                (1000, PullEvent::Progress { digest: &a, bytes: 10 * mib }),
                (1100, PullEvent::Done(&b)),
            ],
        );
        assert_eq!(
            lines,
            [
                "Trying to pull registry.example/web:1...",
                "Copying blob 000000000000 done   | 2.0MiB",
                "Copying blob 000000000000 [=======>                    ] 10.0MiB / 40.0MiB | 10.0MiB/s | ETA 3s",
            ]
        );
    }

    #[test]
    fn a_small_terminal_is_never_overrun() {
        let layers: Vec<Digest> = (0..10).map(digest).collect();
        let events: Vec<_> = layers.iter().map(|digest| (0, PullEvent::Layer { digest, size: 1 })).collect();
        let lines = played(|| (30, 4), &events);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.len() <= 29), "{lines:?}");
    }

    #[test]
    fn times_left_are_short() {
        assert_eq!((clock(4), clock(80), clock(7400)), ("4s".into(), "1m20s".into(), "2h3m".into()));
    }
}
