//! Starting and ending pasta.

use super::Plan;
use crate::error::{Error, Kind, Operation};
use crate::ports::{Mapping, check};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, pidfd_send_signal};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Most of what pasta may say.
const MOST_WORDS: u64 = 64 * 1024;
/// How long a killed pasta may take to let go of its ports.
const PATIENCE: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };
/// Whose child a process becomes that its parent leaves behind: ours, for as long as pasta starts.
const ADOPT: Option<Pid> = Some(Pid::INIT);

/// A pasta that is setting up the namespace. Dropped before [`Starting::finish`], it is ended and its link removed.
#[derive(Debug)]
#[must_use = "dropping it ends pasta"]
pub struct Starting {
    child: Child,
    plan: Plan,
    /// Our other children.
    before: BTreeSet<i32>,
    /// Whether we were adopting before.
    adopting: Option<Pid>,
    connected: bool,
}

/// Starts the program at `program` for the network namespace `namespace`.
///
/// The caller is root of the user namespace that owns it, in the host's network namespace, with one thread and no
/// descriptor that outlives execve. The plan's link is made (a stale one replaced) and stays as long as pasta shall.
///
/// # Errors
/// As [`Plan::arguments`] and [`check`]; [`Kind::Missing`]; [`Kind::Io`].
pub fn start(program: &Path, plan: Plan, namespace: OwnedFd) -> Result<Starting, Error> {
    let arguments = plan.arguments()?;
    check(&plan.mappings)?;
    make_link(&plan.link).map_err(|error| failed(&plan.link, "make the link", error))?;
    let adopting = rustix::process::child_subreaper().ok().flatten();
    let _ = rustix::process::set_child_subreaper(ADOPT);
    let before = children();
    let child =
        Command::new(program).args(arguments).stdin(namespace).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    match child {
        Ok(child) => Ok(Starting { child, plan, before, adopting, connected: false }),
        Err(error) => {
            restore(adopting);
            let _ = fs::remove_file(&plan.link);
            Err(match error.kind() {
                io::ErrorKind::NotFound => Error {
                    source: Some(error.into()),
                    ..Error::new(Operation::StartPasta, format!("{program:?}"), Kind::Missing)
                },
                _ => failed(program, "execute", error),
            })
        }
    }
}

fn failed(subject: &Path, doing: &str, error: io::Error) -> Error {
    Error::io(Operation::StartPasta, format!("{subject:?}"), doing, error)
}

fn make_link(link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink("/proc/self/fd/0", link)
}

impl Starting {
    /// Waits until the namespace is connected, and returns pasta's process number (`None` if the kernel does not tell).
    ///
    /// The process is a child of the caller's, which may collect it when it has ended, or leave it behind.
    ///
    /// # Errors
    /// [`Kind::PortInUse`] and the like where pasta says so, [`Kind::NoUplink`], [`Kind::NoTunDevice`], [`Kind::UnknownOption`],
    /// [`Kind::Failed`] with pasta's words. The link is gone then.
    pub fn finish(mut self) -> Result<Option<Pid>, Error> {
        let mut words = Vec::new();
        if let Some(pipe) = self.child.stderr.take() {
            let _ = pipe.take(MOST_WORDS).read_to_end(&mut words);
        }
        let status = self.child.wait();
        let left_behind = children().difference(&self.before).find_map(|pid| Pid::from_raw(*pid));
        let status = status.map_err(|error| failed(&self.plan.link, "wait for pasta", error))?;
        if status.success() {
            self.connected = true;
            return Ok(left_behind);
        }
        Err(explain(&String::from_utf8_lossy(&words), &self.plan.mappings))
    }
}

/// What pasta's words mean.
pub(crate) fn explain(words: &str, mappings: &[Mapping]) -> Error {
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !is_noise(line)).collect();
    let says = |text: &str| lines.iter().find_map(|line| line.split_once(text));
    if says("Failed to bind").is_some() {
        // Older versions do not say which port or why, so the kernel is asked again.
        if let Err(error) = check(mappings) {
            return error;
        }
    }
    let kind = if let Some((_, option)) = says("unrecognized option ") {
        Kind::UnknownOption(option.trim_matches(['\'', '"']).to_owned())
    } else if lines.iter().any(|line| line.contains("External interface not usable")) {
        Kind::NoUplink
    } else if lines.iter().any(|line| line.contains("Failed to open() /dev/net/tun") || line.contains("tun socket")) {
        Kind::NoTunDevice
    } else {
        // After an unknown option comes the whole manual; the reason is what comes first.
        Kind::Failed(lines.iter().take(5).copied().collect::<Vec<_>>().join("; "))
    };
    Error::new(Operation::StartPasta, "\"pasta\"", kind)
}

impl Drop for Starting {
    fn drop(&mut self) {
        restore(self.adopting);
        if !self.connected {
            let _ = self.child.kill();
            let _ = self.child.wait();
            let _ = fs::remove_file(&self.plan.link);
        }
    }
}

/// Lines about other things than why it failed.
fn is_noise(line: &str) -> bool {
    line.is_empty() || line.starts_with("Failed to send ") && line.ends_with("to syslog")
}

fn restore(adopting: Option<Pid>) {
    let _ = rustix::process::set_child_subreaper(adopting);
}

/// The process numbers of the caller's children; none if the kernel does not tell (`CONFIG_PROC_CHILDREN`).
fn children() -> BTreeSet<i32> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// What whoever ends a pasta waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Nothing: taking its interface down may take the kernel tens of milliseconds, and nobody can want that.
    Told,
    /// That its ports are free.
    Gone,
}

/// Ends the pasta whose link this is: by removing the link, and by a signal if `process`, its pidfd, is known. Only then can
/// anything be waited for.
///
/// # Errors
/// [`Kind::Io`] when the link cannot be removed; one that is not there is none.
pub fn stop(link: &Path, process: Option<BorrowedFd<'_>>, until: Until) -> Result<(), Error> {
    let removed = match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(Operation::StopPasta, format!("{link:?}"), "remove the link", error))
        }
        _ => Ok(()),
    };
    if let Some(process) = process {
        // It has nothing to lose, and as process 1 of a namespace of its own it would not hear SIGTERM.
        let _ = pidfd_send_signal(process, Signal::KILL);
        if until == Until::Gone {
            let _ = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&PATIENCE));
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pasta::Abilities;
    use crate::ports::Mapping;
    use spec::network::{PortRange, Protocol};

    fn failing(words: &str, mappings: Vec<Mapping>) -> Error {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("pasta");
        let script = format!("#!/bin/sh\ncat >&2 <<'END'\n{words}\nEND\nexit 1\n");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let link = directory.path().join("netns");
        let plan = Plan { mappings, options: Vec::new(), link: link.clone(), abilities: Abilities::default() };
        let child = Command::new("/bin/sh").arg(&program).stderr(Stdio::piped()).spawn().unwrap();
        make_link(&link).unwrap();
        let error =
            Starting { child, plan, before: BTreeSet::new(), adopting: None, connected: false }.finish().unwrap_err();
        assert!(fs::symlink_metadata(link).is_err(), "a failed start leaves no link");
        error
    }

    #[test]
    fn pastas_words_become_kinds() {
        let noise = "Failed to send 51 bytes to syslog\nNo routable interface for IPv6: IPv6 is disabled";
        assert_eq!(
            failing("pasta: unrecognized option '--bogus'\nUsage: pasta", vec![]).kind,
            Kind::UnknownOption("--bogus".into())
        );
        assert_eq!(
            failing(
                &format!("{noise}\nNo external routable interface for IPv4\nExternal interface not usable"),
                vec![]
            )
            .kind,
            Kind::NoUplink
        );
        assert_eq!(failing("Failed to open tun socket in namespace", vec![]).kind, Kind::NoTunDevice);
        let error = failing(&format!("{noise}\nCouldn't open network namespace /x"), vec![]);
        let expected =
            "start \"pasta\": No routable interface for IPv6: IPv6 is disabled; Couldn't open network namespace /x";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_port_that_was_taken_meanwhile_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = PortRange { first: port, last: port };
        let mapping = Mapping { address: None, host, container: host, protocol: Protocol::Tcp };
        let error = failing(&format!("Failed to bind any port for '-t {port}:{port}', exiting"), vec![mapping]);
        assert_eq!(error.kind, Kind::PortInUse { address: None, port, protocol: Protocol::Tcp });
    }

    #[test]
    fn a_missing_pasta_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("netns");
        let plan = Plan { mappings: vec![], options: vec![], link: link.clone(), abilities: Abilities::default() };
        let namespace = OwnedFd::from(fs::File::open("/proc/self/ns/net").unwrap());
        let error = start(&directory.path().join("pasta"), plan, namespace).unwrap_err();
        assert_eq!(error.kind, Kind::Missing);
        assert!(fs::symlink_metadata(link).is_err());
    }
}
