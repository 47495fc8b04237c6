//! Events in a file: a line of JSON each, appended with one write; at a size it becomes `NAME.1`, and that is forgotten.

use super::{Act, Event, Health, Sink, Subject, Wanted};
use crate::error::{Error, Result};
use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a file is looked at for what is new.
const LOOK: Duration = Duration::from_millis(100);
/// A line is labels, for the most part.
const LINE_LIMIT: u64 = 1 << 20;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    #[serde(default, rename = "ContainerExitCode", skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(default, rename = "ID", skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    image: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    status: String,
    time: Timestamp,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default, rename = "health_status", skip_serializing_if = "String::is_empty")]
    health: String,
    #[serde(default, rename = "health_failing_streak", skip_serializing_if = "Option::is_none")]
    failing_streak: Option<u32>,
    #[serde(default, rename = "error", skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(default)]
    attributes: Option<BTreeMap<String, String>>,
}

/// Appends lines. What cannot be written is lost.
pub(super) fn append(path: &Path, most: u64, events: &[Event]) {
    let mut text = Vec::new();
    for event in events {
        // Numbers, texts and maps of texts always have a form in JSON.
        let _ = serde_json::to_writer(&mut text, &line_of(event)).map(|()| text.push(b'\n'));
    }
    let Ok(mut file) = open_to_append(path) else { return };
    if file.metadata().is_ok_and(|meta| meta.len() > 0 && meta.len() + text.len() as u64 > most) {
        if std::fs::rename(path, rotated(path)).is_err() {
            return;
        }
        match open_to_append(path) {
            Ok(fresh) => file = fresh,
            Err(_) => return,
        }
    }
    let _ = file.write_all(&text);
}

/// Root's file belongs to whom its directory belongs to, who is to append to it as well.
fn open_to_append(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(0o600))?);
    let owner = path.parent().and_then(|parent| parent.metadata().ok()).map(|meta| (meta.uid(), meta.gid()));
    if let Some((uid, gid)) = owner.filter(|owner| file.metadata().is_ok_and(|meta| (meta.uid(), meta.gid()) != *owner))
    {
        let _ = fchown(&file, Some(uid), Some(gid));
    }
    Ok(file)
}

fn line_of(event: &Event) -> Line {
    Line {
        exit_code: event.exit_code,
        id: event.id.clone(),
        image: event.image.clone(),
        name: event.name.clone(),
        status: event.act.word().to_owned(),
        time: event.time,
        kind: event.subject.word().to_owned(),
        health: event.health.as_ref().map(|health| health.status.clone()).unwrap_or_default(),
        failing_streak: event.health.as_ref().map(|health| health.failing_streak),
        error: event.error.clone(),
        attributes: Some(event.labels.clone()).filter(|labels| !labels.is_empty()),
    }
}

/// One line; `None` for a damaged one, and for what this version does not know.
pub(crate) fn parse(line: &[u8]) -> Option<Event> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let health = Some(line.health).filter(|word| !word.is_empty());
    let streak = line.failing_streak.unwrap_or(0);
    Some(Event {
        time: line.time,
        subject: Subject::parse(&line.kind)?,
        act: Act::parse(&line.status)?,
        id: line.id,
        name: line.name,
        image: line.image,
        exit_code: line.exit_code,
        health: health.map(|status| Health { status, failing_streak: streak }),
        error: line.error,
        labels: line.attributes.unwrap_or_default(),
    })
}

pub(super) fn read(path: &Path, wanted: &Wanted, sink: &mut Sink<'_>) -> Result<()> {
    let now = Timestamp::now();
    let since = wanted.since.or(wanted.stream.then_some(now).filter(|_| wanted.until.is_none()));
    let follow = wanted.stream && wanted.until.is_none_or(|until| until > now);
    let is_wanted =
        |time: Timestamp| since.is_none_or(|since| time >= since) && wanted.until.is_none_or(|until| time <= until);
    if let Some(earlier) = open(&rotated(path))? {
        if drain(&mut BufReader::new(earlier), path, &is_wanted, sink)? {
            return Ok(());
        }
    }
    let mut reader = open(path)?.map(BufReader::new);
    loop {
        let over = !follow || wanted.until.is_some_and(|until| until < Timestamp::now());
        if let Some(reader) = &mut reader {
            if drain(reader, path, &is_wanted, sink)? {
                return Ok(());
            }
        }
        if let Some(fresh) = replaced(path, reader.as_ref())? {
            reader = Some(BufReader::new(fresh));
            continue;
        }
        if over {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
}

/// Hands on every whole line; whether that is enough.
fn drain(
    reader: &mut BufReader<File>,
    path: &Path,
    is_wanted: &dyn Fn(Timestamp) -> bool,
    sink: &mut Sink<'_>,
) -> Result<bool> {
    let fail = |error| Error::io(format!("read events from {path:?}"), error);
    loop {
        let mut line = Vec::new();
        let count = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line).map_err(fail)?;
        if count == 0 {
            return Ok(false);
        }
        if line.last() != Some(&b'\n') && (count as u64) < LINE_LIMIT {
            return reader.seek(SeekFrom::Current(-(count as i64))).map(|_| false).map_err(fail);
        }
        if let Some(event) = parse(&line).filter(|event| is_wanted(event.time)) {
            if sink(event).is_break() {
                return Ok(true);
            }
        }
    }
}

fn rotated(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("read events from {path:?}"), error)),
    }
}

/// The file at `path` when it is not the one being read (any more).
fn replaced(path: &Path, reader: Option<&BufReader<File>>) -> Result<Option<File>> {
    let Some(fresh) = open(path)? else { return Ok(None) };
    let inode = |file: &File| file.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
    let same = reader.is_some_and(|reader| inode(reader.get_ref()) == inode(&fresh));
    Ok((!same).then_some(fresh))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::ops::ControlFlow;

    pub(crate) fn sample() -> Event {
        Event {
            time: "2026-11-22T02:36:48.5Z".parse().unwrap(),
            id: "4f3a".repeat(16),
            image: "registry.example/team/web:1".to_owned(),
            exit_code: Some(137),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            ..Event::new(Subject::Container, Act::Died).named("web")
        }
    }

    #[test]
    fn lines_are_podmans_and_are_read_again() {
        let line = serde_json::to_string(&line_of(&sample())).unwrap();
        assert_eq!(
            line,
            format!(
                "{{\"ContainerExitCode\":137,\"ID\":\"{}\",\"Image\":\"registry.example/team/web:1\",\"Name\":\"web\",\
                 \"Status\":\"died\",\"Time\":\"2026-11-22T02:36:48.5Z\",\"Type\":\"container\",\"Attributes\":{{\"a\":\"b\"}}}}",
                "4f3a".repeat(16)
            )
        );
        assert_eq!(parse(line.as_bytes()), Some(sample()));
        let bare = Event::new(Subject::Volume, Act::Create).named("v1");
        assert!(serde_json::to_string(&line_of(&bare)).unwrap().ends_with("\"Attributes\":null}"));
        assert_eq!(parse(b"{}\n"), None);
    }

    #[test]
    fn a_file_is_rotated_and_read_over_its_end() {
        let directory = std::env::temp_dir().join(format!("lodger-events-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("events.log");
        let named = |name: &str| Event { name: name.to_owned(), time: Timestamp::now(), ..sample() };
        let names = RefCell::new(Vec::new());
        let since = Some(Timestamp::now());
        for name in ["one", "two", "three"] {
            append(&path, 400, &[named(name)]);
        }
        assert!(rotated(&path).exists());
        let list = Wanted { since, ..Wanted::default() };
        let mut take = |event: Event| {
            names.borrow_mut().push(event.name.clone());
            // What comes while it is read, with a rotation in between.
            match event.name.as_str() {
                "three" => append(&path, 400, &[named("four")]),
                "four" => append(&path, 400, &[named("five")]),
                _ => {}
            }
            if event.name == "five" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        read(&path, &Wanted { stream: true, ..list.clone() }, &mut take).unwrap();
        let seen = names.take();
        assert_eq!(seen[seen.len() - 3..], ["three", "four", "five"]);
        let until = since;
        let mut none = |event: Event| panic!("{event:?}");
        read(&path, &Wanted { since: None, until, stream: true }, &mut none).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
