//! Log files: `2026-11-22T02:36:48.123456789+00:00 stdout F text`, one piece a line, `P` for a piece of a longer line
//! (<https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>).

use super::{LogLine, LogOptions, Sink, Stream, read_error};
use crate::error::Result;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a followed file is looked at: there is no process between that could tell.
const LOOK: Duration = Duration::from_millis(50);
/// A piece is at most 16 KiB of text and its head.
const LINE_LIMIT: u64 = 32 << 10;

pub(super) fn read(path: &Path, options: &LogOptions, alive: &dyn Fn() -> bool, sink: &mut Sink<'_>) -> Result<()> {
    // Asked before reading: what was written until then is read for certain.
    let mut last_look = !options.follow || !alive();
    let mut newest = open(path)?;
    let mut kept = VecDeque::new();
    let mut past = |line: LogLine| {
        kept.push_back(line);
        if options.tail.is_some_and(|tail| kept.len() > tail) {
            kept.pop_front();
        }
    };
    if let Some(rotated) = open(&rotated(path))? {
        drain(&mut BufReader::new(rotated), path, options, &mut past)?;
    }
    let mut reader = newest.take().map(BufReader::new);
    if let Some(reader) = &mut reader {
        drain(reader, path, options, &mut past)?;
    }
    for line in kept {
        if sink(line).is_break() {
            return Ok(());
        }
    }
    let mut ended = ControlFlow::Continue(());
    while !last_look && ended.is_continue() {
        std::thread::sleep(LOOK);
        last_look = !alive();
        let mut forward = |line| {
            if ended.is_continue() {
                ended = sink(line);
            }
        };
        if let Some(reader) = &mut reader {
            drain(reader, path, options, &mut forward)?;
        }
        if let Some(fresh) = replaced(path, reader.as_ref())? {
            let mut fresh = BufReader::new(fresh);
            drain(&mut fresh, path, options, &mut forward)?;
            reader = Some(fresh);
        }
    }
    Ok(())
}

fn rotated(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(read_error(&path.display().to_string(), error)),
    }
}

/// The file at `path` when it is not the one being read (any more).
fn replaced(path: &Path, reader: Option<&BufReader<File>>) -> Result<Option<File>> {
    let Some(fresh) = open(path)? else { return Ok(None) };
    let inode = |file: &File| file.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
    let same = reader.is_some_and(|reader| inode(reader.get_ref()) == inode(&fresh));
    Ok((!same).then_some(fresh))
}

/// Hands on every complete line; leaves an incomplete last one for the next call.
fn drain(reader: &mut BufReader<File>, path: &Path, options: &LogOptions, take: &mut dyn FnMut(LogLine)) -> Result<()> {
    let fail = |error| read_error(&path.display().to_string(), error);
    loop {
        let mut line = Vec::new();
        let count = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line).map_err(fail)?;
        if count == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && (count as u64) < LINE_LIMIT {
            return reader.seek(SeekFrom::Current(-(count as i64))).map(drop).map_err(fail);
        }
        if let Some(line) = parse(&line).filter(|line| options.wants(line.time)) {
            take(line);
        }
    }
}

/// One line of the file; `None` for what is not ours (a damaged line).
pub(crate) fn parse(line: &[u8]) -> Option<LogLine> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let mut field = || fields.next();
    let time: Timestamp = std::str::from_utf8(field()?).ok()?.parse().ok()?;
    let stream = match field()? {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    let partial = field()?.starts_with(b"P");
    Some(LogLine { time, stream, partial, text: field().unwrap_or_default().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::io::Write;

    fn texts(path: &Path, options: &LogOptions, alive: &dyn Fn() -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        read(path, options, alive, &mut |line| {
            lines.push(String::from_utf8(line.text).unwrap());
            ControlFlow::Continue(())
        })
        .unwrap();
        lines
    }

    fn entry(second: u32, text: &str) -> String {
        format!("2026-11-22T02:36:{second:02}.5+00:00 stdout F {text}\n")
    }

    #[test]
    fn tail_since_and_the_rotated_file() {
        let dir = std::env::temp_dir().join(format!("lodger-log-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("ctr.log");
        std::fs::write(dir.join("ctr.log.1"), entry(1, "one") + "rubbish\n" + &entry(2, "two")).unwrap();
        std::fs::write(&path, entry(3, "three words here") + &entry(4, "")).unwrap();
        let dead = || false;
        assert_eq!(texts(&path, &LogOptions::default(), &dead), ["one", "two", "three words here", ""]);
        assert_eq!(texts(&path, &LogOptions { tail: Some(2), ..Default::default() }, &dead), ["three words here", ""]);
        let since = Some("2026-11-22T02:36:02Z".parse().unwrap());
        assert_eq!(texts(&path, &LogOptions { since, ..Default::default() }, &dead).len(), 3);

        // Followed: a line in two writes, a rotation, and what was written just before the end.
        let round = Cell::new(0);
        let alive = || {
            round.set(round.get() + 1);
            let append = |text: &str| {
                let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
                file.write_all(text.as_bytes()).unwrap();
            };
            let line = entry(5, "five");
            match round.get() {
                2 => append(&line[..20]),
                3 => {
                    append(&line[20..]);
                    std::fs::rename(&path, dir.join("ctr.log.1")).unwrap();
                    append(&entry(6, "six"));
                }
                4 => append(&entry(7, "seven")),
                _ => {}
            }
            round.get() < 4
        };
        assert_eq!(
            texts(&path, &LogOptions { tail: Some(0), follow: true, ..Default::default() }, &alive),
            ["five", "six", "seven"]
        );
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
