//! The table that `top` shows, read from `/proc` (proc(5)).
//!
//! A process that ends while it is looked at is left out. Numbers are those inside the container, by the last entry of
//! `NSpid`; names that a process gives itself cannot control the terminal.

use crate::format::tabwriter;
use crate::format::time::Time;
use crate::output::{Keep, escape};
use engine::containers::{Accounts, Capabilities};
use jiff::Timestamp;
use spec::duration::Nanoseconds;
use std::collections::BTreeMap;
use std::fs;

/// One column.
pub(crate) struct Column {
    /// podman's descriptor.
    pub(crate) name: &'static str,
    heading: &'static str,
    show: fn(&Process, &Facts<'_>) -> String,
}

/// Columns without descriptors.
pub(crate) const DEFAULT: &[&str] = &["user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args"];

/// Every column.
pub(crate) const COLUMNS: &[Column] = &[
    Column { name: "args", heading: "COMMAND", show: |process, _| process.args.clone() },
    Column {
        name: "capamb",
        heading: "AMBIENT CAPS",
        show: |process, facts| facts.capabilities(process.capabilities[4]),
    },
    Column {
        name: "capbnd",
        heading: "BOUNDING CAPS",
        show: |process, facts| facts.capabilities(process.capabilities[3]),
    },
    Column {
        name: "capeff",
        heading: "EFFECTIVE CAPS",
        show: |process, facts| facts.capabilities(process.capabilities[2]),
    },
    Column {
        name: "capinh",
        heading: "INHERITED CAPS",
        show: |process, facts| facts.capabilities(process.capabilities[0]),
    },
    Column {
        name: "capprm",
        heading: "PERMITTED CAPS",
        show: |process, facts| facts.capabilities(process.capabilities[1]),
    },
    Column { name: "comm", heading: "COMMAND", show: |process, _| process.comm.clone() },
    Column { name: "etime", heading: "ELAPSED", show: |process, facts| facts.duration(process.age(facts)) },
    Column { name: "group", heading: "GROUP", show: |process, facts| facts.group(process.gids[1]) },
    Column {
        name: "groups",
        heading: "GROUPS",
        show: |process, facts| joined(process.groups.iter().map(|gid| facts.group(*gid))),
    },
    Column { name: "hgroup", heading: "HGROUP", show: |process, facts| facts.host_gids.outside(process.gids[1]) },
    Column {
        name: "hgroups",
        heading: "HGROUPS",
        show: |process, facts| joined(process.groups.iter().map(|gid| facts.host_gids.outside(*gid))),
    },
    Column { name: "hpid", heading: "HPID", show: |process, _| process.host_pid.to_string() },
    Column { name: "huser", heading: "HUSER", show: |process, facts| facts.host_uids.outside(process.uids[1]) },
    Column { name: "label", heading: "LABEL", show: |process, _| process.label() },
    Column { name: "nice", heading: "NI", show: |process, _| process.nice.to_string() },
    Column { name: "pcpu", heading: "%CPU", show: |process, facts| process.load(facts) },
    Column { name: "pgid", heading: "PGID", show: |process, _| process.group.to_string() },
    Column { name: "pid", heading: "PID", show: |process, _| process.pid.to_string() },
    Column { name: "ppid", heading: "PPID", show: |process, facts| process.parent_inside(facts).to_string() },
    Column { name: "rgroup", heading: "RGROUP", show: |process, facts| facts.group(process.gids[0]) },
    Column {
        name: "rss",
        heading: "RSS",
        show: |process, facts| (process.resident_pages * facts.page / 1024).to_string(),
    },
    Column { name: "ruser", heading: "RUSER", show: |process, facts| facts.user(process.uids[0]) },
    Column { name: "seccomp", heading: "SECCOMP", show: |process, _| process.seccomp().to_owned() },
    Column { name: "state", heading: "STATE", show: |process, _| process.state.to_string() },
    Column { name: "stime", heading: "STIME", show: |process, facts| facts.moment(process.started) },
    Column { name: "time", heading: "TIME", show: |process, facts| facts.duration(process.ticks) },
    Column { name: "tty", heading: "TTY", show: |process, _| process.terminal() },
    Column { name: "user", heading: "USER", show: |process, facts| facts.user(process.uids[1]) },
    Column { name: "vsz", heading: "VSZ", show: |process, _| (process.virtual_bytes / 1024).to_string() },
];

/// The column of a descriptor.
pub(crate) fn column(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// The table of these processes, by their numbers on the host.
pub(crate) fn table(pids: &[u32], accounts: &Accounts, columns: &[&Column]) -> String {
    let processes: Vec<Process> = pids.iter().filter_map(|pid| Process::read(*pid)).collect();
    let facts = Facts::read(&processes, accounts);
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

/// Entries with a comma between them.
fn joined(entries: impl Iterator<Item = String>) -> String {
    entries.collect::<Vec<_>>().join(",")
}

/// How ids inside a user namespace are called outside, from its map in `/proc` (user_namespaces(7)).
#[derive(Default)]
struct Outside(Vec<[u64; 3]>);

impl Outside {
    fn read(path: &str) -> Self {
        Self::parse(&fs::read_to_string(path).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
        let line = |line: &str| {
            let mut words = line.split_whitespace();
            Some([number(words.next())?, number(words.next())?, number(words.next())?])
        };
        Self(text.lines().filter_map(line).collect())
    }

    fn outside(&self, id: u32) -> String {
        let id = u64::from(id);
        let range = self.0.iter().find(|[inside, _, count]| (*inside..inside + count).contains(&id));
        range.map_or_else(|| "?".to_owned(), |[inside, outside, _]| (outside + (id - inside)).to_string())
    }
}

/// What holds for all processes.
pub(crate) struct Facts<'a> {
    accounts: &'a Accounts,
    host_uids: Outside,
    host_gids: Outside,
    /// Bytes of a page.
    page: u64,
    /// Seconds of Unix at boot.
    boot: i64,
    /// Clock ticks in a second.
    per_second: u64,
    /// Since boot, in ticks.
    now: u64,
    /// Number on the host → number inside.
    inside: BTreeMap<u32, u32>,
}

impl<'a> Facts<'a> {
    fn read(processes: &[Process], accounts: &'a Accounts) -> Self {
        let per_second = rustix::param::clock_ticks_per_second();
        let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
        let seconds: f64 = uptime.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
        let inside = processes.iter().map(|process| (process.host_pid, process.pid)).collect();
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()).unwrap_or(0);
        let first = processes.first().map_or(0, |process| process.host_pid);
        Self {
            accounts,
            host_uids: Outside::read(&format!("/proc/{first}/uid_map")),
            host_gids: Outside::read(&format!("/proc/{first}/gid_map")),
            page: rustix::param::page_size() as u64,
            boot,
            per_second,
            now: (seconds * per_second as f64) as u64,
            inside,
        }
    }

    /// The name that the container's own files give a number.
    fn user(&self, uid: u32) -> String {
        self.accounts.user(uid).unwrap_or_else(|| uid.to_string())
    }

    fn group(&self, gid: u32) -> String {
        self.accounts.group(gid).unwrap_or_else(|| gid.to_string())
    }

    fn capabilities(&self, mask: u64) -> String {
        match engine::containers::capability_names(mask) {
            Capabilities::None => "none".to_owned(),
            Capabilities::All => "full".to_owned(),
            Capabilities::Some(names) => {
                joined(names.into_iter().map(|name| name.trim_start_matches("CAP_").to_owned()))
            }
        }
    }

    /// As Go prints it: `2026-11-22 06:50:41 +0000 UTC`.
    fn moment(&self, ticks: u64) -> String {
        let since_boot = i64::try_from(ticks / self.per_second.max(1)).unwrap_or(0);
        Timestamp::from_second(self.boot.saturating_add(since_boot))
            .map_or_else(|_| "?".to_owned(), |at| Time::local(at).go())
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
    /// Real, effective, saved, of files.
    uids: Vec<u32>,
    gids: Vec<u32>,
    groups: Vec<u32>,
    /// Inheritable, permitted, effective, bounding, ambient.
    capabilities: [u64; 5],
    filter: char,
    resident_pages: u64,
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
        let ids =
            |name: &str| -> Option<Vec<u32>> { Some(line(name)?.split_whitespace().flat_map(str::parse).collect()) };
        let capability =
            |name: &str| line(name).and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        Some(Self {
            host_pid,
            pid: line("NSpid")?.split_whitespace().last()?.parse().ok()?,
            uids: ids("Uid").filter(|ids| ids.len() == 4)?,
            gids: ids("Gid").filter(|ids| ids.len() == 4)?,
            groups: ids("Groups")?,
            capabilities: ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map(capability),
            filter: line("Seccomp").and_then(|text| text.trim().chars().next()).unwrap_or('?'),
            resident_pages: number(24)?,
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

    /// SELinux's or AppArmor's.
    fn label(&self) -> String {
        let text = fs::read_to_string(format!("/proc/{}/attr/current", self.host_pid)).unwrap_or_default();
        let text = text.trim_end_matches(['\0', '\n']);
        if text.is_empty() { "?".to_owned() } else { text.to_owned() }
    }

    /// podman's words for the modes of seccomp(2).
    fn seccomp(&self) -> &'static str {
        match self.filter {
            '0' => "disabled",
            '1' => "strict",
            '2' => "filter",
            _ => "?",
        }
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
        let status = "Name:\ta) R (b\nUid:\t7\t33\t0\t0\nGid:\t0\t8\t0\t0\nGroups:\t8 33 \nNSpid:\t4711\t12\t1\n\
            CapInh:\t0000000000000000\nCapPrm:\t0000000000000001\nCapEff:\t0000000000000041\nSeccomp:\t2\n\
            CapBnd:\tffffffffffffffff\nCapAmb:\t0000000000000000\n";
        let process = Process::parse(4711, stat, status, b"sh\0-c\0\x1b[2J\0").unwrap();
        let accounts = Accounts::parse(b"root:x:0:0::/:\nwww:x:33:33::/:\n", b"root:x:0:\nweb:x:33:\n");
        let map = |first| Outside(vec![[0, 1001, 1], [1, first, 65536]]);
        let facts = Facts {
            accounts: &accounts,
            host_uids: map(100_000),
            host_gids: map(200_000),
            page: 4096,
            boot: 1_795_327_828,
            per_second: 100,
            now: 5000,
            inside: BTreeMap::from([(4700, 7)]),
        };
        let shown: Vec<String> = COLUMNS.iter().map(|column| (column.show)(&process, &facts)).collect();
        let expected = [
            "sh -c \x1b[2J",
            "none",
            "full",
            "CHOWN,SETGID",
            "none",
            "CHOWN",
            "a) R (b",
            "40s",
            "8",
            "8,web",
            "200007",
            "200007,200032",
            "4711",
            "100032",
            "?",
            "5",
            "5.000",
            "4711",
            "1",
            "7",
            "root",
            "4",
            "7",
            "filter",
            "S",
        ];
        assert_eq!(shown[..expected.len()], expected);
        // The moment in between is in the zone of the machine.
        assert_eq!(shown[expected.len() + 1..], ["2s", "pts/1", "www", "8"]);
        assert!(Process::parse(1, "1 (x", "", b"").is_none());
    }

    #[test]
    fn this_process_can_be_shown() {
        let columns: Vec<&Column> = COLUMNS.iter().collect();
        let text = table(&[std::process::id()], &Accounts::parse(b"", b""), &columns);
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
