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
    /// Whether it maps one id of each kind, which its owner may do alone. In such a namespace setgroups(2) is denied for good.
    #[must_use]
    pub fn is_single(&self) -> bool {
        [&self.uids, &self.gids].iter().all(|ranges| matches!(ranges.as_slice(), [Range { count: 1, .. }]))
    }
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

fn write_files(pid: i32, map: &Map) -> Result<(), Error> {
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
    // "write to uid_map failed: Operation not permitted", or an open of it, is what a program without privilege says;
    // "uid range [0-1) -> [7-8) not allowed" what /etc/subuid decides.
    let kind = if message.contains("not allowed") { Kind::RangeRefused } else { Kind::MapperUnprivileged };
    Err(Error::new("run", program, kind).because(message))
}
