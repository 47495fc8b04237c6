//! What `info` shows, gathered from the engine, `/proc`, `/etc/os-release` and the file system.
//!
//! What cannot be read stays empty: `info` is for machines on which something is wrong.

use super::{
    Containers, Distribution, Host, IdMap, IdMappings, Images, Info, NetworkProgram, Plugins, Program, Security, Store,
};
use crate::error::Result;
use crate::selection::warn;
use crate::view::version::{Version, go_arch};
use engine::Engine;
use engine::containers::{Listed, Status};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

impl Info {
    /// Of this machine and this user's store.
    pub(crate) fn of(engine: &Engine) -> Result<Self> {
        Ok(Self {
            host: host(engine),
            store: store(engine)?,
            registries: BTreeMap::new(),
            plugins: Plugins {
                volume: vec!["local".to_owned()],
                network: ["pasta", "host", "none"].map(str::to_owned).to_vec(),
                log: ["k8s-file", "none", "passthrough", "journald"].map(str::to_owned).to_vec(),
                authorization: None,
            },
            version: Version::this(),
        })
    }
}

fn host(engine: &Engine) -> Host {
    let uname = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let memory = memory();
    let kib = |name: &str| memory.get(name).copied().unwrap_or(0) * 1024;
    Host {
        arch: go_arch().to_owned(),
        cgroup_manager: if engine.host.systemd.is_some() { "systemd" } else { "none" }.to_owned(),
        cgroup_version: if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() { "v2" } else { "v1" }.to_owned(),
        cgroup_controllers: controllers(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        database_backend: "files".to_owned(),
        distribution: distribution(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
        event_logger: engine.events_logger().map_or("none", engine::events::EventsLogger::word).to_owned(),
        hostname: text(uname.nodename()),
        id_mappings: id_mappings(engine),
        kernel: text(uname.release()),
        log_driver: if engine.host.systemd.is_some() { "journald" } else { "k8s-file" }.to_owned(),
        mem_free: kib("MemFree"),
        mem_total: kib("MemTotal"),
        network_backend: "pasta".to_owned(),
        oci_runtime: Program {
            name: "lodger".to_owned(),
            path: std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Program::default()
        },
        os: std::env::consts::OS.to_owned(),
        rootless_network_cmd: "pasta".to_owned(),
        security: security(engine),
        pasta: pasta(),
        swap_free: kib("SwapFree"),
        swap_total: kib("SwapTotal"),
        uptime: uptime(&fs::read_to_string("/proc/uptime").unwrap_or_default()),
        ..Host::default()
    }
}

/// proc_meminfo(5): name → KiB.
fn memory() -> BTreeMap<String, u64> {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let lines = text.lines().filter_map(|line| {
        let (name, rest) = line.split_once(':')?;
        Some((name.to_owned(), rest.split_whitespace().next()?.parse().ok()?))
    });
    lines.collect()
}

/// The controllers that this process's cgroup may use.
fn controllers() -> Vec<String> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let directory = Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/'));
    let text = fs::read_to_string(directory.join("cgroup.controllers")).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// os-release(5).
fn distribution(text: &str) -> Distribution {
    let value = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.map(|value| value.trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
    };
    Distribution {
        distribution: value("ID"),
        variant: value("VARIANT_ID"),
        version: value("VERSION_ID"),
        codename: value("VERSION_CODENAME"),
    }
}

fn id_mappings(engine: &Engine) -> IdMappings {
    let Ok((users, groups)) = engine.host.subordinate_ids() else { return IdMappings::default() };
    let map = |own: u32, ranges: &[engine::host::IdRange]| {
        let mut inside = 0;
        let own = engine.host.rootless().then_some(engine::host::IdRange { first: own, count: 1 });
        let lines = own.iter().chain(ranges).map(|range| {
            let line = IdMap { container_id: inside, host_id: range.first, size: range.count };
            inside += range.count;
            line
        });
        lines.collect()
    };
    IdMappings { gidmap: map(engine.host.gid, &groups), uidmap: map(engine.host.uid, &users) }
}

fn security(engine: &Engine) -> Security {
    let enabled = fs::read_to_string("/sys/module/apparmor/parameters/enabled").unwrap_or_default();
    Security {
        apparmor_enabled: enabled.starts_with('Y') && !engine.host.rootless(),
        rootless: engine.host.rootless(),
        seccomp_enabled: true,
        selinux_enabled: Path::new("/sys/fs/selinux/enforce").exists(),
        ..Security::default()
    }
}

fn pasta() -> NetworkProgram {
    let Some(path) = find_program("pasta") else { return NetworkProgram::default() };
    let executable = path.display().to_string();
    let package = package_of(&executable);
    let version = pasta_version(&said(&executable, &["--version"]), &package);
    NetworkProgram { executable, package, version }
}

/// `pasta VERSION`, where it says one: Debian's does not know it, and older ones say nothing into a pipe.
fn pasta_version(said: &str, package: &str) -> String {
    let line = said.lines().next().unwrap_or_default().trim();
    let own = line.strip_prefix("pasta ").unwrap_or(line);
    if !own.is_empty() && own != "unknown version" {
        return own.to_owned();
    }
    // NAME_VERSION_ARCHITECTURE
    package.split('_').nth(1).unwrap_or_default().to_owned()
}

/// The package that a file is of, as `NAME_VERSION_ARCHITECTURE`; empty where nobody knows.
fn package_of(path: &str) -> String {
    let owner = said("dpkg-query", &["-S", path]);
    if let Some((package, _)) = owner.split_once(':') {
        return said("dpkg-query", &["-W", "-f", "${Package}_${Version}_${Architecture}", package]);
    }
    let owner = said("rpm", &["-qf", "--qf", "%{NAME}_%{VERSION}-%{RELEASE}_%{ARCH}", path]);
    owner.trim().to_owned()
}

/// What a program says when it succeeds.
fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success());
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// `5h 32m 2.00s (Approximately 0.21 days)`
fn uptime(text: &str) -> String {
    let seconds: f64 = text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let whole = seconds as u64;
    let rest = seconds - (whole / 60 * 60) as f64;
    format!("{}h {}m {rest:.2}s (Approximately {:.2} days)", whole / 3600, whole / 60 % 60, seconds / 86_400.0)
}

fn store(engine: &Engine) -> Result<Store> {
    let root = engine.store.root();
    let containers = engine.containers(Listed::All, &mut warn)?;
    let in_state = |wanted| containers.iter().filter(|container| container.status() == wanted).count();
    let (running, paused) = (in_state(Status::Running), in_state(Status::Paused));
    let space = rustix::fs::statvfs(root).ok();
    Ok(Store {
        container_store: Containers {
            number: containers.len(),
            paused,
            running,
            stopped: containers.len() - running - paused,
        },
        graph_driver_name: "overlay".to_owned(),
        graph_root: root.display().to_string(),
        graph_root_allocated: space.as_ref().map_or(0, |space| space.f_blocks * space.f_frsize),
        graph_root_used: space.as_ref().map_or(0, |space| (space.f_blocks - space.f_bfree) * space.f_frsize),
        image_store: Images { number: engine.images(&mut warn)?.len() },
        run_root: root.join("run").display().to_string(),
        volume_path: root.join("volumes").display().to_string(),
        ..Store::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_their_manuals_say() {
        let release = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";
        let read = distribution(release);
        assert_eq!(
            (read.distribution.as_str(), read.version.as_str(), read.codename.as_str()),
            ("debian", "12", "bookworm")
        );
        assert_eq!(uptime("19922.00 1.0\n"), "5h 32m 2.00s (Approximately 0.23 days)");
        let package = "passt_0.0~git20250503-2_amd64";
        assert_eq!(pasta_version("pasta unknown version\nCopyright", package), "0.0~git20250503-2");
        assert_eq!(pasta_version("", package), "0.0~git20250503-2");
        assert_eq!(pasta_version("pasta 2026_01_20.386b5f5\n", ""), "2026_01_20.386b5f5");
        assert_eq!(uptime(""), "0h 0m 0.00s (Approximately 0.00 days)");
    }
}
