//! systemd in a container: what it demands of a container manager, <https://systemd.io/CONTAINER_INTERFACE/>.
//!
//! A control group of its own that it may write, memory at `/run`, `/run/lock`, `/tmp` and the volatile journal, a machine's
//! UUID, and SIGRTMIN+3 as the word to end. Its file system must not be read-only there; everything else is as in every
//! container.

use super::mounts::tmpfs;
use super::process;
use crate::error::Result;
use runtime::plan::{Content, Mount, Size};
use spec::ContainerSpec;
use spec::oci::ContainerDefaults;
use spec::process::Systemd;
use spec::signal::Signal;
use store::ContainerId;

/// What a program is to the one that starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// One that asks for nothing.
    Ordinary,
    /// systemd.
    Systemd,
}

/// Paths under which distributions install systemd as `init`, as in podman.
const INIT: [&str; 3] = ["/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"];

/// In memory, with their modes; the mounts that come first hold the later ones.
const IN_MEMORY: [(&str, u32); 4] =
    [("/run", 0o755), ("/run/lock", 0o1777), ("/tmp", 0o1777), ("/var/log/journal", 0o755)];

/// The signal that asks systemd to power off.
pub(crate) const STOP: Signal = Signal::RTMIN_PLUS_3;

/// What the program of a container is.
pub(crate) fn program(spec: &ContainerSpec, image: &ContainerDefaults) -> Program {
    let is_systemd = |word: &String| INIT.contains(&word.as_str()) || word.rsplit('/').next() == Some("systemd");
    match spec.process.systemd {
        Some(Systemd::False) => Program::Ordinary,
        Some(Systemd::Always) => Program::Systemd,
        Some(Systemd::True) | None => match process::command(&spec.process, image) {
            Ok(words) if !spec.process.init && words.first().is_some_and(is_systemd) => Program::Systemd,
            _ => Program::Ordinary,
        },
    }
}

/// Its file systems in memory, but for those asked for.
pub(super) fn mounts(spec: &ContainerSpec, asked_at: impl Fn(&str) -> bool) -> Result<Vec<Mount>> {
    let size = spec.mounts.shm_size_systemd.map_or(Size::HalfOfMemory, |size| Size::Bytes(size.0));
    let wanted = IN_MEMORY.iter().filter(|(path, _)| !asked_at(path));
    wanted
        .map(|(path, mode)| Ok(Mount::Tmpfs(tmpfs(path, size, *mode, Content::CopyUp, (true, true, false))?)))
        .collect()
}

/// `container_uuid`, from which systemd takes the machine's ID.
pub(crate) fn uuid(id: &ContainerId) -> String {
    id.as_str()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_is_known_by_its_name() {
        let of = |mode: Option<Systemd>, command: &[&str]| {
            let mut spec = ContainerSpec::default();
            spec.process.systemd = mode;
            spec.process.command = command.iter().map(|word| (*word).to_owned()).collect();
            program(&spec, &ContainerDefaults::default())
        };
        for command in ["/sbin/init", "/usr/sbin/init", "/lib/systemd/systemd", "systemd"] {
            assert_eq!(of(None, &[command, "--log-level=debug"]), Program::Systemd, "{command}");
            assert_eq!(of(Some(Systemd::False), &[command]), Program::Ordinary, "{command}");
        }
        for command in ["init", "/bin/init", "sh", "/opt/systemd/run"] {
            assert_eq!(of(Some(Systemd::True), &[command]), Program::Ordinary, "{command}");
            assert_eq!(of(Some(Systemd::Always), &[command]), Program::Systemd, "{command}");
        }
        assert_eq!(of(None, &[]), Program::Ordinary);
    }
}
