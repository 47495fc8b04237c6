//! The journal, read through `journalctl -o json`: the file format has no other stable reader.

use super::{LogLine, LogOptions, Sink, Stream, read_error};
use crate::error::{Error, Kind, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How often a followed container is looked at while it writes nothing.
const LOOK: Duration = Duration::from_millis(100);
/// An entry is at most a piece of 16 KiB, escaped, with its fields.
const LINE_LIMIT: u64 = 1 << 20;

/// Whose lines.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The full container ID.
    pub(crate) id: String,
    /// The user whose processes wrote them.
    pub(crate) uid: u32,
}

pub(super) fn read(
    identity: &Identity,
    options: &LogOptions,
    alive: &dyn Fn() -> bool,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let mut cursor = None;
    let mut pass = |entry: Entry, cursor: &mut Option<String>| {
        cursor.clone_from(&entry.cursor);
        entry.line().map_or(ControlFlow::Continue(()), &mut *sink)
    };
    let following = options.follow && alive();
    // journalctl begins to follow at the second line that comes, where it is to show none of the past.
    let from_now = LogOptions { since: options.since.max(Some(Timestamp::now())), tail: None, ..options.clone() };
    let options = if following && options.tail == Some(0) { &from_now } else { options };
    let mode = if following { Mode::Follow(options.tail) } else { Mode::Past(options.tail) };
    let reading = start(identity, options, mode)?;
    loop {
        match reading.entries.recv_timeout(LOOK) {
            Ok(entry) => {
                if pass(entry?, &mut cursor).is_break() {
                    return reading.finish();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if following && !alive() => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    reading.finish()?;
    if !following {
        return Ok(());
    }
    // The last lines may not have reached the follower: read on from where it came to.
    let rest = match &cursor {
        Some(cursor) => Mode::After(cursor.clone()),
        None => Mode::Past(options.tail),
    };
    let reading = start(identity, options, rest)?;
    for entry in &reading.entries {
        if pass(entry?, &mut cursor).is_break() {
            break;
        }
    }
    reading.finish()
}

fn start(identity: &Identity, options: &LogOptions, mode: Mode) -> Result<Reading<Entry>> {
    let fields = Some("MESSAGE,PRIORITY,CONTAINER_PARTIAL_MESSAGE");
    let journal = Journal { since: options.since, until: options.until, fields, mode };
    journal.read(&[format!("CONTAINER_ID_FULL={}", identity.id), format!("_UID={}", identity.uid)])
}

/// Which part of the journal is read.
pub(crate) enum Mode {
    /// What there is; only the last so many entries.
    Past(Option<usize>),
    /// The same, and what comes.
    Follow(Option<usize>),
    /// What there is after a cursor.
    After(String),
}

/// One call of journalctl.
pub(crate) struct Journal {
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// Of each entry; absent = all.
    pub(crate) fields: Option<&'static str>,
    pub(crate) mode: Mode,
}

/// journalctl at work.
pub(crate) struct Reading<T> {
    /// Ends when journalctl does.
    pub(crate) entries: Receiver<Result<T>>,
    child: Child,
}

impl Journal {
    /// Entries that have all these fields (of several with the same name, one).
    pub(crate) fn read<T: DeserializeOwned + Send + 'static>(&self, matches: &[String]) -> Result<Reading<T>> {
        let mut command = Command::new("journalctl");
        command.args(["--quiet", "--no-pager", "--output=json", "--all"]);
        if let Some(fields) = self.fields {
            command.arg(format!("--output-fields={fields}"));
        }
        // With a cursor journalctl takes no moment; the cursor is after it anyway.
        if let (Some(since), Mode::Past(_) | Mode::Follow(_)) = (self.since, &self.mode) {
            command.arg(format!("--since=@{}", micros(since)));
        }
        if let Some(until) = self.until {
            command.arg(format!("--until=@{}", micros(until)));
        }
        match &self.mode {
            Mode::After(cursor) => command.arg(format!("--after-cursor={cursor}")),
            Mode::Past(tail) => command.arg(lines(*tail)),
            Mode::Follow(tail) => command.args(["--follow".to_owned(), lines(*tail)]),
        };
        command.args(matches).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(Kind::MissingProgram { program: "journalctl".into(), package: "systemd" })
            }
            _ => read_error("the journal", error),
        })?;
        Ok(Reading { entries: entries(child.stdout.take()), child })
    }
}

impl<T> Reading<T> {
    /// Ends it, wherever it is.
    pub(crate) fn finish(mut self) -> Result<()> {
        // It may still follow; its output is no longer wanted.
        let _ = self.child.kill();
        self.child.wait().map(drop).map_err(|error| read_error("the journal", error))
    }
}

fn lines(tail: Option<usize>) -> String {
    tail.map_or_else(|| "--lines=all".to_owned(), |tail| format!("--lines={tail}"))
}

fn micros(time: Timestamp) -> String {
    let micros = time.as_microsecond().max(0);
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Reads entries in a thread, so that a silent journal does not hide the container's end.
fn entries<T: DeserializeOwned + Send + 'static>(stdout: Option<ChildStdout>) -> Receiver<Result<T>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let Some(stdout) = stdout else { return };
        let mut reader = BufReader::new(stdout);
        loop {
            let mut line = Vec::new();
            let entry = match reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => serde_json::from_slice(&line)
                    .map_err(|e| Error::caused(Kind::Other, e).within("read an entry of the journal")),
                Err(error) => Err(read_error("the journal", error)),
            };
            if sender.send(entry).is_err() {
                return;
            }
        }
    });
    receiver
}

/// One entry as `journalctl -o json` writes it.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__CURSOR")]
    cursor: Option<String>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: Option<String>,
    #[serde(rename = "MESSAGE")]
    message: Option<Message>,
    #[serde(rename = "PRIORITY")]
    priority: Option<String>,
    #[serde(rename = "CONTAINER_PARTIAL_MESSAGE")]
    partial: Option<String>,
}

/// One line of journalctl's output.
#[cfg(test)]
pub(crate) fn parse(line: &[u8]) -> Option<LogLine> {
    serde_json::from_slice::<Entry>(line).ok()?.line()
}

/// Text, or bytes where it is not UTF-8.
#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    Bytes(Vec<u8>),
}

impl Entry {
    fn line(self) -> Option<LogLine> {
        let micros = self.time?.parse().ok()?;
        Some(LogLine {
            time: Timestamp::from_microsecond(micros).ok()?,
            stream: if self.priority.as_deref() == Some("3") { Stream::Stderr } else { Stream::Stdout },
            text: match self.message? {
                Message::Text(text) => text.into_bytes(),
                Message::Bytes(bytes) => bytes,
            },
            partial: self.partial.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_as_journalctl_writes_them() {
        let line = |json: &str| serde_json::from_str::<Entry>(json).unwrap().line();
        let text =
            line(r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1000001","MESSAGE":"hi","PRIORITY":"3","OTHER":null}"#)
                .unwrap();
        assert_eq!((text.text.as_slice(), text.stream, text.partial), (&b"hi"[..], Stream::Stderr, false));
        assert_eq!(text.time.as_microsecond(), 1_000_001);
        let bytes =
            line(r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":[255,0],"PRIORITY":"6","CONTAINER_PARTIAL_MESSAGE":"true"}"#)
                .unwrap();
        assert_eq!((bytes.text.as_slice(), bytes.partial), (&[255u8, 0][..], true));
        assert_eq!(line(r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":null}"#), None);
    }
}
