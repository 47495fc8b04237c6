//! What whoever reads a container's log relies on.

use crate::process::{PATIENCE, Running, helper, pipe, until};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use tempfile::TempDir;

/// A relay to a file, with the ends that a container writes to.
struct ToFile {
    relay: Running,
    output: File,
    errors: File,
    directory: TempDir,
}

impl ToFile {
    fn start(limit: &str, offset: &str) -> Self {
        let directory = TempDir::new().unwrap();
        Self::start_in(directory, limit, offset)
    }

    fn start_in(directory: TempDir, limit: &str, offset: &str) -> Self {
        let (relay, output, errors) = relay_to_file(directory.path(), "ctr.log", limit, offset);
        Self { relay, output, errors, directory }
    }

    /// Closes the container's ends, waits for the relay and reads the log.
    fn finish(mut self) -> String {
        drop((self.output, self.errors));
        assert_eq!(self.relay.end().code(), Some(0));
        fs::read_to_string(self.directory.path().join("ctr.log")).unwrap()
    }
}

fn relay_to_file(directory: &Path, name: &str, limit: &str, offset: &str) -> (Running, File, File) {
    let ((from_output, output), (from_errors, errors)) = (pipe(), pipe());
    let redirections = format!("3<&0 4<&1 5>>{0}/{name} 6<{0} 8</dev/null", directory.display());
    let mut helper = helper("relay", &["pipes", "k8s-file", name, limit, offset], &redirections);
    helper.command.stdin(from_output).stdout(from_errors);
    (helper.start(), output, errors)
}

/// The lines of a log as (stream, mark, text).
fn parsed(log: &str) -> Vec<(&str, &str, &str)> {
    let fields = |line: &'_ str| -> [usize; 3] {
        let mut spaces = line.match_indices(' ').map(|(index, _)| index);
        [spaces.next().unwrap(), spaces.next().unwrap(), spaces.next().unwrap()]
    };
    log.lines()
        .map(|line| {
            let [a, b, c] = fields(line);
            (&line[a + 1..b], &line[b + 1..c], &line[c + 1..])
        })
        .collect()
}

#[test]
fn lines_of_both_streams_reach_the_file() {
    let mut logged = ToFile::start("0", "0");
    logged.output.write_all(b"one\ntwo\n").unwrap();
    until("the first are there", || fs::metadata(logged.directory.path().join("ctr.log")).unwrap().len() > 90);
    logged.errors.write_all(b"thr").unwrap();
    logged.errors.write_all(b"ee\n\n").unwrap();
    let log = logged.finish();
    let expected = [("stdout", "F", "one"), ("stdout", "F", "two"), ("stderr", "F", "three"), ("stderr", "F", "")];
    assert_eq!(parsed(&log), expected);
}

#[test]
fn lines_carry_the_local_time() {
    for (offset, suffix) in [("0", "+00:00"), ("19800", "+05:30"), ("-12600", "-03:30")] {
        let before = now();
        let mut logged = ToFile::start("0", offset);
        logged.output.write_all(b"x\n").unwrap();
        let log = logged.finish();
        let stamp = log.split(' ').next().unwrap();
        assert_eq!(stamp.len(), "2026-11-22T02:36:48.123456789+00:00".len());
        assert!(stamp.ends_with(suffix), "{stamp}");
        let date = std::process::Command::new("date").args(["-d", stamp, "+%s"]).output().unwrap();
        let seconds: u64 = String::from_utf8(date.stdout).unwrap().trim().parse().unwrap();
        assert!((before..=now()).contains(&seconds), "{stamp}");
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn long_lines_come_in_pieces_that_join_again() {
    let long: String = (0..50_000).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let wide = "ä€😀".repeat(4000);
    let mut logged = ToFile::start("0", "0");
    logged.output.write_all(format!("{long}\n{wide}\nend").as_bytes()).unwrap();
    let log = logged.finish();
    let mut joined = String::new();
    for (stream, mark, text) in parsed(&log) {
        assert_eq!(stream, "stdout");
        assert!(text.len() <= 16 * 1024);
        joined += text;
        joined += if mark == "F" { "\n" } else { "" };
    }
    assert_eq!(joined, format!("{long}\n{wide}\nend"));
    assert_eq!(parsed(&log).last().unwrap(), &("stdout", "P", "end"));
}

#[test]
fn an_unfinished_line_is_shown_while_its_writer_waits() {
    let mut logged = ToFile::start("0", "0");
    logged.output.write_all(b"password: ").unwrap();
    let path = logged.directory.path().join("ctr.log");
    until("the prompt is there", || fs::read_to_string(&path).unwrap().ends_with("stdout P password: \n"));
    logged.output.write_all(b"thanks\n").unwrap();
    assert!(logged.finish().ends_with("stdout F thanks\n"));
}

#[test]
fn bytes_that_are_no_text_are_kept() {
    let mut logged = ToFile::start("0", "0");
    logged.output.write_all(b"a\0b\xff\xfe\x1b[0m\n").unwrap();
    let path = logged.directory.path().join("ctr.log");
    let ToFile { mut relay, output, errors, directory } = logged;
    drop((output, errors));
    relay.end();
    assert!(fs::read(path).unwrap().ends_with(b" stdout F a\0b\xff\xfe\x1b[0m\n"));
    drop(directory);
}

#[test]
fn the_file_begins_anew_at_its_greatest_size() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("ctr.log"), "").unwrap();
    fs::set_permissions(directory.path().join("ctr.log"), fs::Permissions::from_mode(0o640)).unwrap();
    let mut logged = ToFile::start_in(directory, "1000", "0");
    for number in 0..100 {
        logged.output.write_all(format!("line {number:03}\n").as_bytes()).unwrap();
    }
    let directory = logged.directory.path().to_owned();
    let keep = std::mem::replace(&mut logged.directory, TempDir::new().unwrap());
    drop((logged.output, logged.errors));
    logged.relay.end();
    let (new, old) = (
        fs::read_to_string(directory.join("ctr.log")).unwrap(),
        fs::read_to_string(directory.join("ctr.log.1")).unwrap(),
    );
    assert!(new.len() <= 1000 && old.len() <= 1000 && old.len() > 900, "{} {}", new.len(), old.len());
    let kept = parsed(&old).len() + parsed(&new).len();
    let all: Vec<String> = (100 - kept..100).map(|number| format!("line {number:03}")).collect();
    let found: Vec<&str> = parsed(&old).iter().chain(&parsed(&new)).map(|line| line.2).collect();
    assert_eq!(found, all, "the newest lines, none twice");
    assert_eq!(fs::metadata(directory.join("ctr.log")).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
    drop(keep);
}

#[test]
fn a_full_disk_loses_lines_and_says_how_many_but_holds_nobody_up() {
    let directory = TempDir::new().unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(directory.path())
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: needs root to mount a small file system");
        return;
    }
    let filler = directory.path().join("filler");
    fs::write(&filler, vec![0; 56 * 1024]).unwrap();
    let (mut relay, mut output, errors) = relay_to_file(directory.path(), "ctr.log", "0", "0");
    // Four times what there is room for, and more than a pipe holds.
    for number in 0..1000 {
        output.write_all(format!("{number:0200}\n").as_bytes()).unwrap();
    }
    until("everything is taken", || readable(&relay) == 0);
    fs::remove_file(&filler).unwrap();
    output.write_all(b"room again\n").unwrap();
    drop((output, errors));
    relay.end();
    let log = fs::read_to_string(directory.path().join("ctr.log")).unwrap();
    std::process::Command::new("umount").arg(directory.path()).status().unwrap();
    let lines = parsed(&log);
    let whole = lines.iter().filter(|line| line.2.len() == 200).count();
    let notes: Vec<usize> = lines
        .iter()
        .filter_map(|line| line.2.strip_prefix("lodger: lines lost: "))
        .map(|number| number.parse().unwrap())
        .collect();
    assert!(whole > 0 && notes.iter().sum::<usize>() > 500, "{whole} {notes:?}");
    assert_eq!(whole + notes.iter().sum::<usize>(), 1000);
    assert_eq!(lines.last().unwrap(), &("stdout", "F", "room again"));
    assert_eq!(lines.len(), whole + notes.len() + 1, "no line is in the file by half");
}

/// How many bytes wait in the relay's first pipe.
fn readable(relay: &Running) -> u64 {
    let pipe = File::open(format!("/proc/{}/fd/3", relay.pid())).unwrap();
    rustix::io::ioctl_fionread(&pipe).unwrap()
}

#[test]
fn only_the_last_writer_ends_the_relay() {
    let mut logged = ToFile::start("0", "0");
    // Its name comes after the signals are blocked; until then they act as usual.
    until("it has begun", || logged.relay.proc("comm").trim() == "lodger-relay");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        logged.relay.signal(signal);
    }
    logged.output.write_all(b"still here\n").unwrap();
    let (unused, replaced) = pipe();
    drop(std::mem::replace(&mut logged.output, replaced));
    drop(unused);
    logged.errors.write_all(b"the other one too\n").unwrap();
    let log = logged.finish();
    assert_eq!(parsed(&log), [("stdout", "F", "still here"), ("stderr", "F", "the other one too")]);
}

#[test]
fn a_relay_costs_little_memory_and_holds_only_its_own_descriptors() {
    let mut logged = ToFile::start("0", "0");
    for _ in 0..100 {
        logged.output.write_all(b"a line of some length to fill a page with\n").unwrap();
        logged.errors.write_all(b"another\n").unwrap();
    }
    until("all is written", || {
        fs::read_to_string(logged.directory.path().join("ctr.log")).unwrap().lines().count() == 200
    });
    println!("relay: {} KiB", logged.relay.memory_kib());
    assert!(logged.relay.memory_kib() < 60, "{} KiB", logged.relay.memory_kib());
    assert_eq!(logged.relay.open_descriptors(), [3, 4, 5, 6]);
    assert_eq!(logged.relay.proc("comm").trim(), "lodger-relay");
}

#[test]
fn a_terminal_is_carried_until_its_other_side_closes() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let mut slave = OpenOptions::new().read(true).write(true).open(name).unwrap();
    let directory = TempDir::new().unwrap();
    let redirections = format!("3<&0 5>>{0}/ctr.log 6<{0}", directory.path().display());
    let mut helper = helper("relay", &["pty", "k8s-file", "ctr.log", "0", "0"], &redirections);
    helper.command.stdin(master);
    let mut relay = helper.start();
    slave.write_all(b"one\ntwo\r\nmid\rdle\nend").unwrap();
    drop(slave);
    assert_eq!(relay.end().code(), Some(0));
    let log = fs::read_to_string(directory.path().join("ctr.log")).unwrap();
    let texts: Vec<&str> = log.split_terminator('\n').map(|line| line.splitn(4, ' ').nth(3).unwrap()).collect();
    // The terminal puts one carriage return before each line feed; that one and no other goes.
    assert_eq!(texts, ["one", "two\r", "mid\rdle", "end"]);
}

/// A journal of our own, and the relay that writes to it.
struct ToJournal {
    relay: Running,
    output: File,
    errors: File,
    journal: UnixDatagram,
    directory: TempDir,
}

const FIELDS: [&str; 4] =
    ["SYSLOG_IDENTIFIER=web", "CONTAINER_NAME=web", "CONTAINER_ID_FULL=0123", "CONTAINER_LABEL=a\nb=c"];

impl ToJournal {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        client.connect(&path).unwrap();
        Self::start_with(directory, journal, client)
    }

    fn start_with(directory: TempDir, journal: UnixDatagram, client: UnixDatagram) -> Self {
        journal.set_read_timeout(Some(PATIENCE)).unwrap();
        let path = directory.path().join("socket");
        let ((from_output, output), (from_errors, errors)) = (pipe(), pipe());
        let mut words = vec!["pipes", "journald", path.to_str().unwrap()];
        words.extend(FIELDS);
        let mut helper = helper("relay", &words, "3<&0 4<&1 5<&2");
        helper.command.stdin(from_output).stdout(from_errors).stderr(OwnedFd::from(client));
        Self { relay: helper.start(), output, errors, journal, directory }
    }

    fn entry(&self) -> BTreeMap<String, Vec<u8>> {
        let mut datagram = vec![0; 256 * 1024];
        let length = self.journal.recv(&mut datagram).unwrap();
        entry(&datagram[..length])
    }

    /// The message of the next entry.
    fn message(&self) -> String {
        String::from_utf8(self.entry().remove("MESSAGE").unwrap()).unwrap()
    }
}

/// Reads one entry as the journal does.
fn entry(mut text: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut fields = BTreeMap::new();
    while !text.is_empty() {
        let end = text.iter().position(|byte| *byte == b'\n').unwrap();
        let line = &text[..end];
        let (name, value, rest) = match line.iter().position(|byte| *byte == b'=') {
            Some(split) => (&line[..split], &line[split + 1..], &text[end + 1..]),
            None => {
                let (length, rest) = text[end + 1..].split_at(8);
                let (value, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
                (line, value, rest.strip_prefix(b"\n").unwrap())
            }
        };
        fields.insert(String::from_utf8(name.to_vec()).unwrap(), value.to_vec());
        text = rest;
    }
    fields
}

#[test]
fn lines_become_journal_entries() {
    let mut logged = ToJournal::start();
    logged.output.write_all(b"hello\n").unwrap();
    let entry = logged.entry();
    let expected = [
        ("CONTAINER_ID_FULL", "0123"),
        ("CONTAINER_LABEL", "a\nb=c"),
        ("CONTAINER_NAME", "web"),
        ("MESSAGE", "hello"),
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "web"),
    ];
    let found: Vec<(&str, &str)> =
        entry.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
    assert_eq!(found, expected);
    logged.errors.write_all(b"a=b \xff\0\n").unwrap();
    let entry = logged.entry();
    assert_eq!((&entry["PRIORITY"][..], &entry["MESSAGE"][..]), (&b"3"[..], &b"a=b \xff\0"[..]));
    println!("relay: {} KiB", logged.relay.memory_kib());
    assert!(logged.relay.memory_kib() < 60, "{} KiB", logged.relay.memory_kib());
}

#[test]
fn pieces_of_a_line_are_marked_in_the_journal() {
    let mut logged = ToJournal::start();
    logged.output.write_all(&[b'x'; 20_000]).unwrap();
    logged.output.write_all(b"\nwhole\n").unwrap();
    let entries = [logged.entry(), logged.entry(), logged.entry()];
    let seen = entries.map(|entry| (entry["MESSAGE"].len(), entry.contains_key("CONTAINER_PARTIAL_MESSAGE")));
    assert_eq!(seen, [(16_384, true), (20_000 - 16_384, false), (5, false)]);
}

#[test]
fn what_no_datagram_holds_is_sent_in_memory() {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    let directory = TempDir::new().unwrap();
    let journal = UnixDatagram::bind(directory.path().join("socket")).unwrap();
    let client = UnixDatagram::unbound().unwrap();
    client.connect(directory.path().join("socket")).unwrap();
    rustix::net::sockopt::set_socket_send_buffer_size(&client, 4096).unwrap();
    let mut logged = ToJournal::start_with(directory, journal, client);
    let long = "y".repeat(15_000);
    logged.output.write_all(format!("{long}\nshort\n").as_bytes()).unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(&logged.journal, &mut [], &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
    assert_eq!(received.bytes, 0);
    let Some(RecvAncillaryMessage::ScmRights(mut files)) = control.drain().next() else { panic!("no file was sent") };
    let mut file = File::from(files.next().unwrap());
    let seals = rustix::fs::fcntl_get_seals(&file).unwrap();
    assert!(seals.contains(rustix::fs::SealFlags::WRITE), "the journal takes only what cannot change");
    let mut text = Vec::new();
    std::io::Seek::rewind(&mut file).unwrap();
    file.read_to_end(&mut text).unwrap();
    assert_eq!(entry(&text)["MESSAGE"], long.as_bytes());
    assert_eq!(logged.message(), "short");
}

#[test]
fn no_line_is_lost_while_the_journal_restarts() {
    let mut logged = ToJournal::start();
    logged.output.write_all(b"before\n").unwrap();
    assert_eq!(logged.message(), "before");
    let path = logged.directory.path().join("socket");
    fs::remove_file(&path).unwrap();
    let (unused, _) = UnixDatagram::pair().unwrap();
    drop(std::mem::replace(&mut logged.journal, unused));
    logged.output.write_all(b"while it is away\nand another\n").unwrap();
    logged.journal = UnixDatagram::bind(&path).unwrap();
    logged.journal.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!([logged.message(), logged.message()], ["while it is away", "and another"]);
}

#[test]
fn a_slow_journal_gets_every_line() {
    let mut logged = ToJournal::start();
    let lines: String = (0..2000).map(|number| format!("line {number}\n")).collect();
    let mut output = logged.output.try_clone().unwrap();
    let writer = std::thread::spawn(move || output.write_all(lines.as_bytes()).unwrap());
    for number in 0..2000 {
        assert_eq!(logged.message(), format!("line {number}"));
    }
    writer.join().unwrap();
    logged.output.write_all(b"done\n").unwrap();
    drop((logged.output, logged.errors));
    assert_eq!(logged.relay.end().code(), Some(0));
}

#[test]
fn a_relay_without_its_descriptors_is_refused() {
    for words in [&["pipes", "k8s-file", "x", "0", "0"][..], &["both", "journald", "/x"], &["pipes"], &[]] {
        assert_eq!(helper("relay", words, "3<&- 4<&- 5<&- 6<&-").start().end().code(), Some(125), "{words:?}");
    }
}
