//! What runs, and how it ended.
//!
//! A `RunState` is written without sync and believed only after `is_alive` has asked the kernel: the same boot, the same
//! process number, the same start time (proc(5): `/proc/pid/stat`, field 22).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One process, told apart from later ones with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Number in the caller's PID namespace.
    pub pid: u32,
    /// In clock ticks after boot.
    pub start_time: u64,
}

impl ProcessId {
    /// The process that has this number now; `None` if none has, or only a zombie.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let (state, start_time) = parse_stat(&stat)?;
        (!matches!(state, b'Z' | b'X' | b'x')).then_some(Self { pid, start_time })
    }

    /// The calling process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// Whether it still runs, in this boot.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }
}

/// State (field 3) and start time (field 22). The name in field 2 may hold anything, so counting begins after its end.
fn parse_stat(stat: &[u8]) -> Option<(u8, u64)> {
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = stat[after_name..].split(|byte| *byte == b' ').filter(|field| !field.is_empty());
    let state = *fields.next()?.first()?;
    let start_time = std::str::from_utf8(fields.nth(18)?).ok()?.trim_end().parse().ok()?;
    Some((state, start_time))
}

/// This boot's ID, as in `/proc/sys/kernel/random/boot_id`.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// A process that works for a container: a network, log or supervisor process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    /// What it is for: `pasta`, `log`, `supervisor`.
    pub role: String,
    /// Which process.
    #[serde(flatten)]
    pub process: ProcessId,
}

/// A started container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// Of the boot in which it was started.
    pub boot_id: String,
    /// The container's first process.
    #[serde(flatten)]
    pub main: ProcessId,
    /// When.
    pub started_at: Timestamp,
    /// The systemd unit it runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Its control group, from the root of the hierarchy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<String>,
    /// How often it was restarted before.
    #[serde(default)]
    pub restarts: u32,
    /// The control group that holds its processes still (`pause`), from the root of the hierarchy; believed only after a look
    /// at the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Processes that end with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helpers: Vec<Helper>,
}

impl RunState {
    /// Whether its first process still runs: same boot, same number, same start time, no zombie.
    pub fn is_alive(&self) -> bool {
        self.main.is_alive() && self.boot_id == boot_id()
    }

    /// The target of the link under `run/`: `<boot id>:<pid>:<start time>`.
    pub(crate) fn link(&self) -> String {
        format!("{}:{}:{}", self.boot_id, self.main.pid, self.main.start_time)
    }
}

/// The process of a link under `run/`, if it belongs to this boot.
pub(crate) fn parse_link(target: &str, boot_id: &str) -> Option<ProcessId> {
    let mut parts = target.split(':');
    if parts.next()? != boot_id {
        return None;
    }
    let process = ProcessId { pid: parts.next()?.parse().ok()?, start_time: parts.next()?.parse().ok()? };
    parts.next().is_none().then_some(process)
}

/// How a container last ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// As a shell has it: 128 + n for signal n.
    pub exit_code: i32,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether the kernel killed it for want of memory.
    #[serde(default)]
    pub oom_killed: bool,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What went wrong, if it was not the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it was restarted.
    #[serde(default)]
    pub restarts: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_behind_a_hostile_name() {
        let stat =
            b"17 (a) R 1 (b)) S 1 17 17 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1000 1 18446744073709551615 0\n";
        assert_eq!(parse_stat(stat), Some((b'S', 4711)));
        for cut in 0..stat.len() - 60 {
            parse_stat(&stat[..cut]);
        }
    }

    #[test]
    fn only_the_same_process_of_the_same_boot_is_alive() {
        let main = ProcessId::own().unwrap();
        let mut state = RunState {
            boot_id: boot_id(),
            main,
            started_at: Timestamp::UNIX_EPOCH,
            unit: None,
            cgroup: None,
            paused: None,
            restarts: 0,
            helpers: Vec::new(),
        };
        assert!(state.is_alive());
        assert_eq!(parse_link(&state.link(), &state.boot_id), Some(main));
        assert_eq!(parse_link(&state.link(), "another boot"), None);
        state.main.start_time += 1;
        assert!(!state.is_alive());
        state.main.start_time -= 1;
        state.boot_id.push('x');
        assert!(!state.is_alive());
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while ProcessId::of(pid).is_some() {
            assert!(std::time::Instant::now() < deadline, "process {pid} never ended");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert!(std::path::Path::new(&format!("/proc/{pid}/stat")).exists());
        child.wait().unwrap();
    }
}
