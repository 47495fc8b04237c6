//! The cgroup of a test host: every process below it is the host's, and no other process is.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::process;

/// Name of a host's cgroup in the root of the cgroup2 hierarchy.
pub(super) fn name(host: &str) -> String {
    format!("lodger-host-{host}")
}

/// Every live process of a host, as numbered out here.
pub(super) fn members(host: &str) -> Vec<u32> {
    let top = format!("/{}", name(host));
    let member = |pid: &u32| {
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/cgroup")) else { return false };
        let unified = text.lines().find_map(|line| line.strip_prefix("0::"));
        unified.is_some_and(|path| is_below(path, &top)) && !is_zombie(*pid)
    };
    process::all_processes().into_iter().filter(member).collect()
}

/// Kills every process of a host and waits until the last is gone.
pub(super) fn kill(host: &str) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let members = members(host);
        if members.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "host {host}: processes {members:?} survive SIGKILL");
        for pid in members {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // It may have ended in between.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        sleep(Duration::from_millis(5));
    }
}

/// Removes the emptied cgroup; what stays (busy for a moment) is used again by the next boot. Fails when there are processes
/// in it that this one cannot see: of another pid namespace.
pub(super) fn remove(host: &str) -> Result<()> {
    let script = "umount -R -l /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && cd /sys/fs/cgroup && \
                  for i in $(seq 100); do grep -qs 'populated 1' \"$1/cgroup.events\" || break; sleep 0.02; done && \
                  if grep -qs 'populated 1' \"$1/cgroup.events\"; then exit 3; fi && \
                  { [ -d \"$1\" ] && find \"$1\" -depth -type d -exec rmdir {} +; }";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh", &name(host)]);
    let ended = process::capture(&mut command, Duration::from_secs(30))?;
    ensure!(ended.status.code() != Some(3), "host {host} runs in another pid namespace: end it from there");
    Ok(())
}

fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_zombie(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| matches!(rest.trim_start().chars().next(), Some('Z' | 'X')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_name_is_another_host() {
        assert!(is_below("/lodger-host-a", "/lodger-host-a"));
        assert!(is_below("/lodger-host-a/nspawn", "/lodger-host-a"));
        assert!(!is_below("/lodger-host-ab", "/lodger-host-a"));
    }
}
