//! Looking at containers: `wait`, `top`, `port`, `logs`.

use super::{Container, Status, ended_within, open};
use crate::error::{Error, Kind, Result};
use crate::logs::{self, Identity, LogOptions, Sink, Source};
use crate::{Engine, store_error};
use runtime::capability;
use spec::logging::LogDriver;
use spec::network::Protocol;
use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;
use store::ContainerRecord;

/// What `wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It runs.
    Running,
    /// It has ended (podman's `stopped` and `exited`).
    Stopped,
    /// It is gone.
    Removing,
    /// Made, and not started.
    Created,
}

/// One port of the host that leads into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortBinding {
    /// Absent = every address.
    pub address: Option<IpAddr>,
    /// On the host.
    pub host: u16,
    /// Inside.
    pub container: u16,
    /// tcp or udp.
    pub protocol: Protocol,
}

/// A set of capabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capabilities {
    /// The empty one.
    None,
    /// All that this kernel has.
    All,
    /// These, each as `CAP_CHOWN`.
    Some(Vec<String>),
}

/// The names of a mask as `/proc/PID/status` has it.
pub fn capability_names(mask: u64) -> Capabilities {
    let all = capability::Set::available();
    let names: Vec<String> = capability::Set::of_mask(mask).names().collect();
    match names.as_slice() {
        [] => Capabilities::None,
        names if names.len() >= all.names().count() => Capabilities::All,
        _ => Capabilities::Some(names),
    }
}

/// A word for ps(1) without the letters that select more processes than those named: `-ef` is `-f`, `aux` is `u`.
fn narrowed(word: &str) -> Option<String> {
    let (dash, letters) = word.strip_prefix('-').map_or(("", word), |letters| ("-", letters));
    let flags = letters.split_once('o').map_or(letters, |(flags, _)| flags);
    if letters.starts_with('-') || !flags.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(word.to_owned());
    }
    let select: &[char] = if dash.is_empty() { &['a', 'x'] } else { &['e', 'A', 'a', 'd', 'N'] };
    let left = flags.replace(select, "") + &letters[flags.len()..];
    (!left.is_empty()).then(|| format!("{dash}{left}"))
}

impl Engine {
    /// Waits for one of the conditions and returns the exit status; -1 when it has none, as in podman.
    pub fn wait(&self, container: &Container, conditions: &[Condition], interval: Duration) -> Result<i32> {
        let mut current = container.clone();
        loop {
            let met = conditions.iter().any(|condition| match condition {
                Condition::Running => current.status() == Status::Running,
                Condition::Stopped => current.running.is_none(),
                Condition::Created => current.status() == Status::Created,
                Condition::Removing => false,
            });
            // Between its end and the word about it; who ends it is about to write that.
            if met && current.running.is_none() && conditions.contains(&Condition::Stopped) {
                if let Some(state) = self.store.read_state(&current.record.id).map_err(store_error)? {
                    current.exit = self.await_record(&current.record, &state)?;
                }
            }
            if met {
                return Ok(current
                    .exit
                    .as_ref()
                    .filter(|_| current.running.is_none())
                    .map_or(-1, |exit| exit.exit_code));
            }
            match &current.running {
                Some(state) => {
                    // Ends the moment the process does; looked at anew from time to time for other conditions.
                    if ended_within(&open(state)?, Duration::from_secs(3600))? {
                        if let Some(exit) = self.await_record(&current.record, state)? {
                            if conditions.contains(&Condition::Stopped) {
                                return Ok(exit.exit_code);
                            }
                        }
                    }
                }
                None => std::thread::sleep(interval),
            }
            current = match self.store.container(&container.record.id) {
                Ok(record) => self.look_at(record)?,
                Err(error)
                    if error.is_not_found()
                        && conditions.iter().any(|c| matches!(c, Condition::Removing | Condition::Stopped)) =>
                {
                    return Ok(current.exit.map_or(-1, |exit| exit.exit_code));
                }
                Err(error) => return Err(store_error(error)),
            };
        }
    }

    /// Host process numbers of everything in a container.
    pub fn processes(&self, container: &Container) -> Result<Vec<u32>> {
        let Some(state) = &container.running else { return Err(self.wrong_state(container, "top")) };
        let namespace = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        self.approach(&container.record.spec)?;
        let own = namespace(state.main.pid);
        let mut pids: Vec<u32> = std::fs::read_dir("/proc")
            .map_err(|e| Error::io("read \"/proc\"", e))?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| own.is_some() && namespace(*pid) == own)
            .collect();
        pids.sort_unstable();
        Ok(pids)
    }

    /// `top` with ps(1)'s own options: the host's ps, for the container's processes alone.
    pub fn top_with_ps(&self, container: &Container, options: &[String]) -> Result<String> {
        let pids = self.processes(container)?;
        let list = pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let options = options.iter().filter_map(|word| narrowed(word));
        let output =
            Command::new("ps").args(options).arg("-p").arg(list).output().map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Error::new(Kind::MissingProgram { program: "ps".into(), package: "procps" })
                }
                _ => Error::io("run ps", error),
            })?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Error::invalid(format!("ps: {}", String::from_utf8_lossy(&output.stderr).trim()))),
        }
    }

    /// Whether a container's log can be read; an error that says why not.
    pub(crate) fn check_log(&self, record: &ContainerRecord) -> Result<()> {
        self.log_source(record).map(drop)
    }

    fn log_source(&self, record: &ContainerRecord) -> Result<Source> {
        Ok(match self.log_driver(record) {
            LogDriver::Journald => Source::Journal(Identity { id: record.id.to_string(), uid: self.host.uid }),
            LogDriver::K8sFile => Source::File(self.log_file(record)),
            LogDriver::None => {
                return Err(Error::invalid(
                    "this container is using the 'none' log driver, cannot read logs: this container is not logging output",
                ));
            }
            LogDriver::Passthrough => {
                return Err(Error::invalid(
                    "this container is using the 'passthrough' log driver, cannot read logs: its output went to whoever started it",
                ));
            }
        })
    }

    /// What a container wrote.
    pub fn logs(&self, container: &Container, options: &LogOptions, sink: &mut Sink<'_>) -> Result<()> {
        let record = &container.record;
        let source = self.log_source(record)?;
        let alive = || match self.store.container(&record.id) {
            Ok(record) => {
                self.look_at(record).is_ok_and(|container| container.running.is_some() || self.relays(&container))
            }
            Err(_) => false,
        };
        logs::read(&source, options, &alive, sink)
    }

    /// Whether the relay of the last run still carries words.
    fn relays(&self, container: &Container) -> bool {
        let state = self.store.read_state(&container.record.id).ok().flatten();
        state.is_some_and(|state| state.helpers.iter().any(|helper| helper.role == "log" && helper.process.is_alive()))
    }

    /// What a container may do: its effective and bounding capabilities, each as `CAP_CHOWN`.
    pub fn capabilities(&self, record: &ContainerRecord) -> Result<(Vec<String>, Vec<String>)> {
        let image = self.image_defaults(record)?;
        let user = record.spec.process.user.as_deref().unwrap_or(&image.user);
        // Whoever is called otherwise is not root; which number it is does not matter here.
        let root = matches!(user.split(':').next(), None | Some("" | "0" | "root"));
        let sets = crate::resolve::security::capabilities(
            &record.spec.security,
            u32::from(!root),
            capability::Set::available,
        )?;
        let names = |set: capability::Set| {
            let mut names: Vec<String> = set.names().collect();
            names.sort_unstable();
            names
        };
        Ok((names(sets.effective), names(sets.bounding)))
    }

    /// The published ports, one entry each.
    pub fn ports(&self, container: &Container) -> Vec<PortBinding> {
        let bound = |publish: &spec::network::Publish| {
            let host = publish.host.map(|range| range.first);
            let (address, protocol, first) = (publish.address, publish.protocol, publish.container.first);
            (0..publish.container.count() as u16).filter_map(move |offset| {
                let host = host?.checked_add(offset)?;
                Some(PortBinding { address, host, container: first + offset, protocol })
            })
        };
        container.record.spec.network.publish.iter().flat_map(bound).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ps_is_told_of_no_other_processes() {
        let words = ["-ef", "aux", "-e", "-eo", "-o", "user,pid", "--forest", "-eopid,comm", "x"];
        let left: Vec<String> = words.iter().filter_map(|word| narrowed(word)).collect();
        assert_eq!(left, ["-f", "u", "-o", "-o", "user,pid", "--forest", "-opid,comm"]);
    }

    #[test]
    fn masks_have_names() {
        assert_eq!(capability_names(0), Capabilities::None);
        assert_eq!(capability_names(u64::MAX), Capabilities::All);
        assert_eq!(capability_names(0x21), Capabilities::Some(vec!["CAP_CHOWN".into(), "CAP_KILL".into()]));
    }
}
