//! `stats`: what running containers use, from their control groups and the kernel's tables.
//!
//! A container in a unit or scope of its own is measured by its control group (cgroup-v2.rst). Any other shares its caller's group:
//! of it only what its processes themselves tell is known. What nobody counts (a controller is missing) is nothing, and not 0.

use super::Container;
use crate::Engine;
use crate::error::Result;
use crate::unit;
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Clock ticks of `/proc/PID/stat` in a second (proc(5), `sysconf(_SC_CLK_TCK)`), which Linux shows users on every machine.
const TICKS: u64 = 100;

/// What a container uses, and has used since its start, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// When it was measured.
    pub at: Timestamp,
    /// How long it has run.
    pub up: Duration,
    /// Time of processors, since the start.
    pub cpu: Option<Duration>,
    /// The part of it in the kernel.
    pub cpu_system: Option<Duration>,
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// What it may have at most: its limit, or what the machine has.
    pub memory_limit: Option<u64>,
    /// Bytes received and sent through a network of its own.
    pub network: Option<(u64, u64)>,
    /// Bytes read from and written to disks.
    pub blocks: Option<(u64, u64)>,
    /// Processes and threads.
    pub pids: Option<u64>,
}

impl Engine {
    /// Measures a container; `None` if it does not run (any more).
    pub fn measure(&self, container: &Container) -> Result<Option<Usage>> {
        let Some(state) = container.running.as_ref().filter(|state| state.main.is_alive()) else { return Ok(None) };
        // Root sees everything from where it is.
        if self.host.rootless() {
            self.approach(&container.record.spec)?;
        }
        let (at, pid) = (Timestamp::now(), state.main.pid);
        let up = Duration::try_from(at.duration_since(state.started_at)).unwrap_or_default();
        let usage = Usage { at, up, network: network(container, pid), ..Usage::default() };
        let unit = state.unit.clone().unwrap_or_else(|| unit::scope_name(&container.record.name));
        let own = own_group(&read(format!("/proc/{pid}/cgroup")), &unit);
        let measured = match own.filter(|group| group.join("cgroup.procs").exists()) {
            Some(group) => of_group(&group, usage),
            None => of_processes(&self.processes(container).unwrap_or_default(), usage),
        };
        Ok(Some(measured))
    }
}

/// The group of a unit, from the membership of a process in it or below.
fn own_group(membership: &str, unit: &str) -> Option<PathBuf> {
    let path = membership.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut group = PathBuf::from("/sys/fs/cgroup");
    for part in path.split('/').filter(|part| !part.is_empty()) {
        group.push(part);
        if part == unit {
            return Some(group);
        }
    }
    None
}

fn of_group(group: &Path, usage: Usage) -> Usage {
    let file = |name: &str| read(group.join(name));
    let number = |name: &str| file(name).trim().parse::<u64>().ok();
    let (cpu, io) = (file("cpu.stat"), file("io.stat"));
    let time = |field: &str| value_of(&cpu, field).map(Duration::from_micros);
    Usage {
        cpu: time("usage_usec"),
        cpu_system: time("system_usec"),
        memory: number("memory.current"),
        memory_limit: number("memory.max").or_else(machine_memory),
        blocks: group.join("io.stat").exists().then(|| (sum_of(&io, "rbytes"), sum_of(&io, "wbytes"))),
        pids: number("pids.current").or_else(|| Some(threads_below(group))),
        ..usage
    }
}

/// Threads of a group and those below it, where nothing counts them for us.
fn threads_below(group: &Path) -> u64 {
    let own = read(group.join("cgroup.threads")).lines().count() as u64;
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    own + below
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| threads_below(&entry.path()))
        .sum::<u64>()
}

/// The sum of what processes tell of themselves; those that have ended are forgotten.
fn of_processes(pids: &[u32], usage: Usage) -> Usage {
    let (mut user, mut system, mut memory, mut threads) = (0, 0, 0, 0);
    for pid in pids {
        let stat = read(format!("/proc/{pid}/stat"));
        let Some(fields) = Fields::of(&stat) else { continue };
        (user, system, threads) = (user + fields.user, system + fields.system, threads + fields.threads);
        memory += resident(&read(format!("/proc/{pid}/status")));
    }
    let time = |ticks: u64| Some(Duration::from_millis(ticks * (1000 / TICKS)));
    Usage {
        cpu: time(user + system),
        cpu_system: time(system),
        memory: Some(memory),
        memory_limit: machine_memory(),
        pids: Some(threads),
        ..usage
    }
}

/// Fields of `/proc/PID/stat` (proc(5)): 14, 15 and 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fields {
    user: u64,
    system: u64,
    threads: u64,
}

impl Fields {
    fn of(stat: &str) -> Option<Self> {
        // The name in field 2 may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse().ok();
        Some(Self { user: number(14)?, system: number(15)?, threads: number(20)? })
    }
}

/// `VmRSS` of `/proc/PID/status`, in bytes.
fn resident(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn machine_memory() -> Option<u64> {
    let text = read("/proc/meminfo");
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// What went through the interfaces of a network that is the container's own.
fn network(container: &Container, pid: u32) -> Option<(u64, u64)> {
    use spec::network::Mode;
    match &container.record.spec.network.mode {
        None | Some(Mode::None | Mode::Private | Mode::Pasta(_) | Mode::Named(_)) => {
            Some(traffic(&read(format!("/proc/{pid}/net/dev"))))
        }
        Some(_) => None,
    }
}

/// Received and sent bytes of `/proc/PID/net/dev`, the loopback left out.
fn traffic(table: &str) -> (u64, u64) {
    let lines = table.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| name.trim() != "lo");
    lines.fold((0, 0), |(received, sent), (_, numbers)| {
        let numbers: Vec<u64> = numbers.split_ascii_whitespace().map(|word| word.parse().unwrap_or(0)).collect();
        (received + numbers.first().unwrap_or(&0), sent + numbers.get(8).unwrap_or(&0))
    })
}

/// `name value` of a flat keyed file.
fn value_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The sum of `name=value` over all devices.
fn sum_of(text: &str, name: &str) -> u64 {
    let words = text.split_ascii_whitespace().filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    words.filter_map(|value| value.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

/// The file's text; nothing where it is not there or the process has gone.
fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables() {
        assert_eq!(value_of("usage_usec 12\nuser_usec 7\nsystem_usec 5\n", "system_usec"), Some(5));
        assert_eq!(value_of("usage_usec 12\n", "usage"), None);
        let io = "8:0 rbytes=10 wbytes=20 rios=1 wios=2\n8:16 rbytes=1 wbytes=2\n";
        assert_eq!((sum_of(io, "rbytes"), sum_of(io, "wbytes"), sum_of(io, "dbytes")), (11, 22, 0));
        let table = "Inter-|   Receive\n face |bytes\n    lo: 5 0 0 0 0 0 0 0 5 0\n  eth0: 100 1 0 0 0 0 0 0 200 1 0\n";
        assert_eq!(traffic(table), (100, 200));
        assert_eq!(resident("Name:\\tx\nVmRSS:\t    12 kB\n"), 12 << 10);
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 11 22 0 0 20 0 3 0 4711 1000 1";
        assert_eq!(Fields::of(stat), Some(Fields { user: 11, system: 22, threads: 3 }));
        for cut in 0..stat.len() {
            Fields::of(&stat[..cut]);
        }
    }

    #[test]
    fn the_group_is_the_units_own() {
        let group = |text: &str| own_group(text, "lodger-web.service");
        let own = Some(PathBuf::from("/sys/fs/cgroup/user.slice/lodger-web.service"));
        assert_eq!(group("1:cpu:/x\n0::/user.slice/lodger-web.service/container\n"), own);
        assert_eq!(group("0::/user.slice/session-1.scope\n"), None);
        assert_eq!(group(""), None);
    }
}
