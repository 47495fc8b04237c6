//! Which ids of the parent namespace are which inside, and how the kernel is told.

use crate::error::{Error, Kind};
use rustix::io::Errno;
use std::fmt::Write as _;
use std::io;
use std::process::{Child, Command, Stdio};

/// One line of `/proc/PID/uid_map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First id inside.
    pub inside: u32,
    /// First id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// Which ids of the parent namespace are which inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// User ids; none overlaps another.
    pub uids: Vec<Range>,
    /// Group ids.
    pub gids: Vec<Range>,
}

impl Map {
    /// What a user and a group inside are outside; whoever has no id there is the first of each kind.
    #[must_use]
    pub fn outside(&self, uid: u32, gid: u32) -> (u32, u32) {
        let first = |ranges: &[Range]| ranges.first().map_or(0, |range| range.outside);
        let uid = outside(&self.uids, uid).unwrap_or_else(|| first(&self.uids));
        (uid, outside(&self.gids, gid).unwrap_or_else(|| first(&self.gids)))
    }

    /// Who sets things up inside: root, or whoever comes first.
    #[must_use]
    pub fn first(&self) -> (u32, u32) {
        let first = |ranges: &[Range]| ranges.iter().map(|range| range.inside).min().unwrap_or(0);
        (first(&self.uids), first(&self.gids))
    }

    /// The ids of another process's user namespace, as this process sees them.
    ///
    /// # Errors
    /// When it has ended.
    pub fn of(process: i32) -> Result<Self, Error> {
        let read = |file: &str| {
            let path = format!("/proc/{process}/{file}");
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Error::new("read", &path, Kind::System).because(error))?;
            Ok(text.lines().filter_map(line).collect())
        };
        Ok(Self { uids: read("uid_map")?, gids: read("gid_map")? })
    }

    /// Whether it maps one id of each kind, which its owner may do alone. In such a namespace setgroups(2) is denied for good.
    #[must_use]
    pub fn is_single(&self) -> bool {
        [&self.uids, &self.gids].iter().all(|ranges| matches!(ranges.as_slice(), [Range { count: 1, .. }]))
    }
}

/// What an id inside is outside.
pub fn outside(ranges: &[Range], id: u32) -> Option<u32> {
    let of = |range: &Range| id.checked_sub(range.inside).filter(|at| *at < range.count).map(|at| range.outside + at);
    ranges.iter().find_map(of)
}

/// A line of `/proc/PID/uid_map`.
fn line(text: &str) -> Option<Range> {
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().ok());
    let mut number = || numbers.next().flatten();
    Some(Range { inside: number()?, outside: number()?, count: number()? })
}

/// Writes the maps of a process that has just been cloned into a new namespace.
pub(super) fn write(pid: i32, map: &Map) -> Result<(), Error> {
    if rustix::process::geteuid().is_root() {
        match write_files(pid, map) {
            // Root of a namespace without the privilege over the ids: the programs may have more.
            Err(error) if error.errno() == Some(Errno::PERM.raw_os_error()) => {}
            result => return result,
        }
    } else if map.is_single() {
        // Required of whoever has no privilege, so that no group that denies access can be dropped.
        put(pid, "setgroups", "deny")?;
        return write_files(pid, map);
    }
    run_mappers(pid, map)
}

/// The same, as root of the namespace around it.
pub(crate) fn write_files(pid: i32, map: &Map) -> Result<(), Error> {
    put(pid, "uid_map", &lines(&map.uids))?;
    put(pid, "gid_map", &lines(&map.gids))
}

/// In one write, as the kernel demands.
fn put(pid: i32, file: &str, content: &str) -> Result<(), Error> {
    let path = format!("/proc/{pid}/{file}");
    std::fs::write(&path, content).map_err(|error| Error::new("write", &path, Kind::System).because(error))
}

fn lines(ranges: &[Range]) -> String {
    ranges.iter().fold(String::new(), |mut text, Range { inside, outside, count }| {
        let _ = writeln!(text, "{inside} {outside} {count}");
        text
    })
}

/// Both at the same time: each costs more than all the rest of a start.
fn run_mappers(pid: i32, map: &Map) -> Result<(), Error> {
    let uids = start("newuidmap", pid, &map.uids)?;
    let gids = start("newgidmap", pid, &map.gids);
    let uids = finish("newuidmap", uids);
    uids.and(finish("newgidmap", gids?))
}

fn start(program: &'static str, pid: i32, ranges: &[Range]) -> Result<Child, Error> {
    let words = ranges.iter().flat_map(|range| [range.inside, range.outside, range.count]);
    let spawn = |path: &str| {
        let mut command = Command::new(path);
        command.arg(pid.to_string()).args(words.clone().map(|word| word.to_string()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
    };
    let child = match spawn(program) {
        // A unit's PATH may be short.
        Err(error) if error.kind() == io::ErrorKind::NotFound => spawn(&format!("/usr/bin/{program}")),
        result => result,
    };
    child.map_err(|error| {
        let kind = if error.kind() == io::ErrorKind::NotFound { Kind::MapperMissing } else { Kind::System };
        Error::new("run", program, kind).because(error)
    })
}

fn finish(program: &'static str, child: Child) -> Result<(), Error> {
    let output = child.wait_with_output().map_err(|error| Error::new("run", program, Kind::System).because(error))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::new("run", program, why(&message)).because(message))
}

/// "uid range [0-1) -> [7-8) not allowed" is what `/etc/subuid` decides, "write to uid_map failed: Operation not permitted" what a
/// program says that did not get its privilege.
fn why(message: &str) -> Kind {
    if message.contains("not allowed") {
        return Kind::RangeRefused;
    }
    if !message.contains("not permitted") {
        return Kind::System;
    }
    match rustix::thread::no_new_privs() {
        Ok(true) => {
            Kind::NoUserNamespaces("no_new_privs is set (NoNewPrivileges= of a unit), so it cannot get its privilege")
        }
        _ => Kind::MapperUnprivileged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Range = Range { inside: 0, outside: 1000, count: 1 };

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = start("no-such-mapper", 1, &[ONE]).unwrap_err();
        assert_eq!((error.kind(), error.subject()), (Kind::MapperMissing, "no-such-mapper"));
    }

    #[test]
    fn one_id_each_is_a_single_map() {
        let more = Range { inside: 1, outside: 100_000, count: 65536 };
        assert!(Map { uids: vec![ONE], gids: vec![ONE] }.is_single());
        assert!(!Map { uids: vec![ONE, more], gids: vec![ONE] }.is_single());
        assert!(!Map { uids: vec![ONE], gids: vec![more] }.is_single());
        assert!(!Map { uids: vec![ONE], gids: vec![] }.is_single());
        assert_eq!(lines(&[ONE, more]), "0 1000 1\n1 100000 65536\n");
    }
}
