//! The table that `top` shows, read from `/proc` (proc(5)).
//!
//! A process that ends while it is looked at is left out. Numbers are those inside the container, by the last entry of
//! `NSpid`; names that a process gives itself cannot control the terminal.

use crate::format::tabwriter;
use crate::output::{Keep, escape};
use spec::duration::Nanoseconds;
use std::collections::BTreeMap;
use std::fs;

/// One column.
pub(crate) struct Column {
    /// podman's descriptor.
    pub(crate) name: &'static str,
    heading: &'static str,
    show: fn(&Process, &Facts) -> String,
}

/// Columns without descriptors.
pub(crate) const DEFAULT: &[&str] = &["user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args"];

/// Every column.
pub(crate) const COLUMNS: &[Column] = &[
    Column { name: "args", heading: "COMMAND", show: |process, _| process.args.clone() },
    Column { name: "comm", heading: "COMMAND", show: |process, _| process.comm.clone() },
    Column { name: "etime", heading: "ELAPSED", show: |process, facts| facts.duration(process.age(facts)) },
    Column { name: "hpid", heading: "HPID", show: |process, _| process.host_pid.to_string() },
    Column { name: "huser", heading: "HUSER", show: |process, _| process.uid.to_string() },
    Column { name: "nice", heading: "NI", show: |process, _| process.nice.to_string() },
    Column { name: "pcpu", heading: "%CPU", show: |process, facts| process.load(facts) },
    Column { name: "pgid", heading: "PGID", show: |process, _| process.group.to_string() },
    Column { name: "pid", heading: "PID", show: |process, _| process.pid.to_string() },
    Column { name: "ppid", heading: "PPID", show: |process, facts| process.parent_inside(facts).to_string() },
    Column { name: "state", heading: "STATE", show: |process, _| process.state.to_string() },
    Column { name: "time", heading: "TIME", show: |process, facts| facts.duration(process.ticks) },
    Column { name: "tty", heading: "TTY", show: |process, _| process.terminal() },
    Column { name: "user", heading: "USER", show: |process, _| process.user() },
    Column { name: "vsz", heading: "VSZ", show: |process, _| (process.virtual_bytes / 1024).to_string() },
];

/// The column of a descriptor.
pub(crate) fn column(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// The table of these processes, by their numbers on the host.
pub(crate) fn table(pids: &[u32], columns: &[&Column]) -> String {
    let processes: Vec<Process> = pids.iter().filter_map(|pid| Process::read(*pid)).collect();
    let facts = Facts::read(&processes);
    let mut text = columns.iter().map(|column| column.heading).collect::<Vec<_>>().join("\t");
    text.push('\n');
    for process in &processes {
        let cells: Vec<String> =
            columns.iter().map(|column| escape(&(column.show)(process, &facts), Keep::Nothing).into_owned()).collect();
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    tabwriter::align(&text)
}

/// What holds for all processes.
pub(crate) struct Facts {
    /// Clock ticks in a second.
    per_second: u64,
    /// Since boot, in ticks.
    now: u64,
    /// Number on the host → number inside.
    inside: BTreeMap<u32, u32>,
}

impl Facts {
    fn read(processes: &[Process]) -> Self {
        let per_second = rustix::param::clock_ticks_per_second();
        let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
        let seconds: f64 = uptime.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
        let inside = processes.iter().map(|process| (process.host_pid, process.pid)).collect();
        Self { per_second, now: (seconds * per_second as f64) as u64, inside }
    }

    /// As Go prints it: `21.18s`.
    fn duration(&self, ticks: u64) -> String {
        Nanoseconds(ticks.saturating_mul(1_000_000_000 / self.per_second.max(1))).to_string()
    }
}

/// One process. Times are in clock ticks.
pub(crate) struct Process {
    host_pid: u32,
    pid: u32,
    uid: u32,
    comm: String,
    args: String,
    state: char,
    parent: u32,
    group: i64,
    tty: u32,
    ticks: u64,
    nice: i64,
    started: u64,
    virtual_bytes: u64,
}

impl Process {
    fn read(host_pid: u32) -> Option<Self> {
        let directory = format!("/proc/{host_pid}");
        let stat = fs::read_to_string(format!("{directory}/stat")).ok()?;
        let status = fs::read_to_string(format!("{directory}/status")).ok()?;
        let args = fs::read(format!("{directory}/cmdline")).ok()?;
        Self::parse(host_pid, &stat, &status, &args)
    }

    fn parse(host_pid: u32, stat: &str, status: &str, args: &[u8]) -> Option<Self> {
        // The name may hold anything, so counting begins after its end.
        let comm = stat.get(stat.find('(')? + 1..stat.rfind(')')?)?;
        let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
        // Field 3 of proc(5) is the first here.
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |index: usize| field(index)?.parse::<u64>().ok();
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let words: Vec<String> = args
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty())
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        Some(Self {
            host_pid,
            pid: line("NSpid")?.split_whitespace().last()?.parse().ok()?,
            uid: line("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
            comm: comm.to_owned(),
            args: if words.is_empty() { format!("[{comm}]") } else { words.join(" ") },
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            tty: field(7)?.parse::<i64>().ok().and_then(|tty| u32::try_from(tty).ok()).unwrap_or(0),
            ticks: number(14)? + number(15)?,
            nice: field(19)?.parse().ok()?,
            started: number(22)?,
            virtual_bytes: number(23)?,
        })
    }

    fn age(&self, facts: &Facts) -> u64 {
        facts.now.saturating_sub(self.started)
    }

    fn load(&self, facts: &Facts) -> String {
        format!("{:.3}", 100.0 * self.ticks as f64 / self.age(facts).max(1) as f64)
    }

    /// 0 for a parent outside of the container.
    fn parent_inside(&self, facts: &Facts) -> u32 {
        facts.inside.get(&self.parent).copied().unwrap_or(0)
    }

    /// The engine has entered the container's user namespace, so the number is the one inside.
    fn user(&self) -> String {
        if self.uid == 0 { "root".to_owned() } else { self.uid.to_string() }
    }

    /// Majors 136 to 143 are pseudo terminals (devices.txt of the kernel); `?` is none.
    fn terminal(&self) -> String {
        let (major, minor) = ((self.tty >> 8) & 0xfff, (self.tty & 0xff) | ((self.tty >> 12) & 0xf_ff00));
        match major {
            0 => "?".to_owned(),
            136..=143 => format!("pts/{minor}"),
            4 => format!("tty{minor}"),
            5 => "console".to_owned(),
            _ => format!("{major}:{minor}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_calls_itself() {
        let stat = "4711 (a) R (b) S 4700 4711 4711 34817 4711 4194560 1 0 0 0 150 50 0 0 20 5 1 0 1000 8192 1 18446744073709551615";
        let status = "Name:\ta) R (b\nUid:\t100032\t100033\t0\t0\nNSpid:\t4711\t12\t1\n";
        let process = Process::parse(4711, stat, status, b"sh\0-c\0\x1b[2J\0").unwrap();
        let facts = Facts { per_second: 100, now: 5000, inside: BTreeMap::from([(4700, 7)]) };
        let shown: Vec<String> = COLUMNS.iter().map(|column| (column.show)(&process, &facts)).collect();
        assert_eq!(
            shown,
            [
                "sh -c \x1b[2J",
                "a) R (b",
                "40s",
                "4711",
                "100033",
                "5",
                "5.000",
                "4711",
                "1",
                "7",
                "S",
                "2s",
                "pts/1",
                "100033",
                "8"
            ]
        );
        assert!(Process::parse(1, "1 (x", "", b"").is_none());
    }

    #[test]
    fn this_process_can_be_shown() {
        let columns: Vec<&Column> = COLUMNS.iter().collect();
        let text = table(&[std::process::id()], &columns);
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
