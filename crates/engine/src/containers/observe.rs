//! Looking at containers: `top`, `port`, `logs`, sizes, namespaces.

use super::Container;
use crate::Engine;
use crate::error::{Error, Kind, Result};
use crate::logs::{self, Identity, LogLine, LogOptions, Sink, Source};
use runtime::capability;
use spec::logging::LogDriver;
use spec::network::Protocol;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use store::ContainerRecord;

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

/// So many lines of one container wait for those of others.
const LINES: usize = 64;
/// How often followed containers are looked at while they write nothing.
const LOOK: Duration = Duration::from_millis(100);

/// A line, and the number of the container that wrote it.
type Numbered = Result<(usize, LogLine)>;

fn read_in_thread(
    number: usize,
    source: Source,
    options: &LogOptions,
    alive: &Arc<AtomicBool>,
    lines: SyncSender<Result<(usize, LogLine)>>,
) {
    let (options, alive) = (options.clone(), Arc::clone(alive));
    std::thread::spawn(move || {
        let mut hand_on = |line| match lines.send(Ok((number, line))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let read = logs::read(&source, &options, &|| alive.load(Ordering::Relaxed), &mut hand_on);
        // Whoever reads may have gone.
        let _ = read.map_err(|error| lines.send(Err(error)));
    });
}

/// Hands on lines of several readers by their time; each reader's own order stays.
fn in_order(readers: &[Receiver<Numbered>], sink: &mut dyn FnMut(usize, LogLine) -> ControlFlow<()>) -> Result<()> {
    let mut heads = readers.iter().map(|lines| lines.recv().ok().transpose()).collect::<Result<Vec<_>>>()?;
    loop {
        let times = heads.iter().enumerate().filter_map(|(at, head)| Some((head.as_ref()?.1.time, at)));
        let Some((_, at)) = times.min() else { return Ok(()) };
        let next = readers[at].recv().ok().transpose()?;
        let Some((number, line)) = std::mem::replace(&mut heads[at], next) else { return Ok(()) };
        if sink(number, line).is_break() {
            return Ok(());
        }
    }
}

impl Engine {
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
        logs::read(&source, options, &|| self.is_writing(record), sink)
    }

    /// What several containers wrote, by time; `sink` is told whose line it is, by number. What is followed comes as it is written.
    pub fn logs_of(
        &self,
        containers: &[Container],
        options: &LogOptions,
        sink: &mut dyn FnMut(usize, LogLine) -> ControlFlow<()>,
    ) -> Result<()> {
        let sources = containers.iter().map(|one| self.log_source(&one.record)).collect::<Result<Vec<_>>>()?;
        let alive: Vec<Arc<AtomicBool>> = containers.iter().map(|_| Arc::new(AtomicBool::new(true))).collect();
        if options.follow {
            let (sender, lines) = sync_channel(LINES);
            for (number, source) in sources.into_iter().enumerate() {
                read_in_thread(number, source, options, &alive[number], sender.clone());
            }
            drop(sender);
            return self.follow_several(containers, &alive, &lines, sink);
        }
        let mut readers = Vec::new();
        for (number, source) in sources.into_iter().enumerate() {
            let (sender, lines) = sync_channel(LINES);
            read_in_thread(number, source, options, &alive[number], sender);
            readers.push(lines);
        }
        in_order(&readers, sink)
    }

    fn follow_several(
        &self,
        containers: &[Container],
        alive: &[Arc<AtomicBool>],
        lines: &Receiver<Numbered>,
        sink: &mut dyn FnMut(usize, LogLine) -> ControlFlow<()>,
    ) -> Result<()> {
        loop {
            let first = match lines.recv_timeout(LOOK) {
                Ok(line) => line?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    for (container, alive) in containers.iter().zip(alive) {
                        alive.store(self.is_writing(&container.record), Ordering::Relaxed);
                    }
                    continue;
                }
            };
            // What is there at once is put in order: the past, for the most part.
            let mut batch = vec![first];
            while let Some(line) = lines.try_recv().ok().filter(|_| batch.len() < 1000) {
                batch.push(line?);
            }
            batch.sort_by_key(|(_, line)| line.time);
            for (number, line) in batch {
                if sink(number, line).is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Whether more may come of a container: it runs, or its last words are on their way.
    fn is_writing(&self, record: &ContainerRecord) -> bool {
        match self.store.container(&record.id) {
            Ok(record) => {
                self.look_at(record).is_ok_and(|container| container.running.is_some() || self.relays(&container))
            }
            Err(_) => false,
        }
    }

    /// How many bytes a container has in its own files, and how many are in those of its image.
    pub fn container_size(&self, record: &ContainerRecord) -> Result<(u64, u64)> {
        self.enter_user_namespace()?;
        let own = crate::system::tree_size(&self.store.upper_dir(&record.id));
        let layers = record.image.iter().flat_map(|image| &image.layers);
        Ok((own, layers.map(|layer| self.store.layer_tar_size(layer).unwrap_or(0)).sum()))
    }

    /// Before several threads read: what sizes and namespaces need, which demands a process of one thread.
    pub fn prepare_to_measure(&self) -> Result<()> {
        self.enter_user_namespace()
    }

    /// The number of one of a container's namespaces (`mnt`, `net`, …); `None` where it does not run or cannot be looked at.
    pub fn namespace(&self, container: &Container, kind: &str) -> Option<String> {
        let pid = container.running.as_ref()?.main.pid;
        let link = std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
        Some(link.to_str()?.split_once('[')?.1.trim_end_matches(']').to_owned())
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
