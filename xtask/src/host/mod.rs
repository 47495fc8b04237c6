//! A test host: a booted Debian with systemd, users and registries, in a container of its own.
//!
//! ```text
//! CACHE/rootfs/KEY        its root file system, shared, only read        (rootfs.rs)
//! CACHE/hosts/NAME/disk   what it wrote: gone with `down`
//!                 /root   where its overlay is mounted, seen only inside
//!                 /console, /pid, /owned, /rootfs
//! cgroup /lodger-host-NAME   every process of it, and nothing else       (cgroup.rs)
//! ```
//!
//! Nothing outside its own mount namespace and cgroup changes, and both end with `down`, whatever
//! state a crash left them in. Any process may enter a host that another one booted (enter.rs).

mod cgroup;
mod enter;
pub mod rootfs;

use std::cell::Cell;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

pub use enter::Who;

use crate::{ability, owner, paths, process};

const BOOT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// A booted test host, named; dropping this leaves it running.
#[derive(Debug, Clone)]
pub struct Host {
    name: String,
    state: PathBuf,
    supervisor: Cell<u32>,
}

/// Who ends a host when it is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nobody: it stays until `down`.
    Nobody,
    /// This process: once it is gone, `reap` takes the host down.
    ThisProcess,
}

impl Host {
    /// Boots the host, or finds it booted, and puts the current lodger into it; about 3 s.
    pub fn up(name: &str, owner: Owner) -> Result<Host> {
        check_name(name)?;
        let _lock = paths::lock("hosts")?;
        if let Some(host) = Host::find(name)? {
            host.install_lodger()?;
            return Ok(host);
        }
        ability::boots_hosts()?;
        clear(name)?;
        let state = state(name)?;
        fs::create_dir_all(&state).with_context(|| format!("make {state:?}"))?;
        let rootfs = rootfs::ensure()?;
        fs::write(state.join("rootfs"), rootfs.as_os_str().as_encoded_bytes())
            .with_context(|| format!("write the root of host {name}"))?;
        if owner == Owner::ThisProcess {
            owner::mark(&state)?;
        }
        let host = boot(name, &state, &rootfs)?;
        host.install_lodger()?;
        Ok(host)
    }

    /// The host of that name, if it runs.
    pub fn find(name: &str) -> Result<Option<Host>> {
        check_name(name)?;
        let state = state(name)?;
        let Ok(pid) = fs::read_to_string(state.join("pid")) else { return Ok(None) };
        let Ok(supervisor) = pid.trim().parse() else { return Ok(None) };
        let alive = cgroup::members(name).contains(&supervisor);
        Ok(alive.then(|| Host { name: name.to_owned(), state, supervisor: Cell::new(supervisor) }))
    }

    /// The host of that name, which must run.
    pub fn open(name: &str) -> Result<Host> {
        Host::find(name)?.with_context(|| format!("host {name} is not up: cargo xtask host up {name}"))
    }

    /// Ends the host of that name and removes all that it left; fine if there is none.
    pub fn down(name: &str) -> Result<()> {
        check_name(name)?;
        let _lock = paths::lock("hosts")?;
        clear(name)
    }

    /// Its name, which is its hostname too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reboots it as its administrator would, and waits until it stands again.
    pub fn reboot(&self) -> Result<()> {
        let before = self.init()?;
        let asked = process::capture(&mut self.enter(&Who::Root, "systemctl reboot"), BOOT)?;
        ensure!(asked.status.success(), "reboot host {}: {}", self.name, asked.stderr.trim_end());
        let deadline = Instant::now() + BOOT;
        while self.init().is_ok_and(|init| init == before) {
            ensure!(Instant::now() < deadline, "host {} does not go down", self.name);
            sleep(POLL);
        }
        self.wait_until_ready()
    }

    /// Kills everything in it at once, without a shutdown, and boots it again from its disk.
    ///
    /// What was written but not synced survives, unlike in a power cut.
    pub fn crash(&self) -> Result<()> {
        let _lock = paths::lock("hosts")?;
        cgroup::kill(&self.name)?;
        cgroup::remove(&self.name)?;
        let rootfs = rootfs_of(&self.name)?;
        self.supervisor.set(boot(&self.name, &self.state, &rootfs)?.supervisor.get());
        Ok(())
    }

    /// A path inside it, as this process can open it.
    pub fn path(&self, inside: &str) -> Result<PathBuf> {
        let init = self.init()?;
        Ok(Path::new("/proc").join(init.to_string()).join("root").join(inside.trim_start_matches('/')))
    }

    /// Copies a program into it, replacing an older one at once.
    pub fn install(&self, program: &Path, inside: &str) -> Result<()> {
        let target = self.path(inside)?;
        let fresh = target.with_extension("new");
        fs::copy(program, &fresh).with_context(|| format!("copy {program:?} into host {}", self.name))?;
        fs::rename(&fresh, &target).with_context(|| format!("put {inside:?} in place"))
    }

    fn install_lodger(&self) -> Result<()> {
        let program = lodger();
        if !program.is_file() {
            eprintln!("note: no lodger at {}: the host has none", program.display());
            return Ok(());
        }
        self.install(&program, "/usr/local/bin/lodger")
    }

    /// The host's own process 1, as numbered out here.
    fn init(&self) -> Result<u32> {
        let scope = self.cgroup().join("nspawn/payload/init.scope/cgroup.procs");
        let text = fs::read_to_string(&scope).with_context(|| format!("find init of host {}", self.name))?;
        let first = text.lines().next().context("no init in its scope")?;
        first.parse().with_context(|| format!("parse {first:?} as a process"))
    }

    /// Its cgroup, in the only mount namespace where that is mounted.
    fn cgroup(&self) -> PathBuf {
        let supervisor = self.supervisor.get();
        PathBuf::from(format!("/proc/{supervisor}/root/sys/fs/cgroup/{}", cgroup::name(&self.name)))
    }

    fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + BOOT;
        while !self.path("/run/systemd/private").is_ok_and(|socket| socket.exists()) {
            if Instant::now() >= deadline || !cgroup::members(&self.name).contains(&self.supervisor.get()) {
                bail!("host {} does not boot; its console ends:\n{}", self.name, self.console());
            }
            sleep(POLL);
        }
        let mut ready = self.enter(&Who::Root, "/usr/local/libexec/lodger-test/ready");
        let ready = process::capture(&mut ready, BOOT)?;
        ensure!(ready.status.success(), "host {}: {}{}", self.name, ready.stderr, self.console());
        Ok(())
    }

    fn console(&self) -> String {
        let text = fs::read(self.state.join("console")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// The lodger that goes into hosts: `$LODGER_BIN`, else the one of the profile `quick`.
pub fn lodger() -> PathBuf {
    env::var_os("LODGER_BIN").map_or_else(|| paths::target().join("quick/lodger"), PathBuf::from)
}

/// Takes down every host whose owner is gone.
pub fn reap() -> Result<()> {
    for name in names()? {
        if owner::is_gone(&state(&name)?) {
            Host::down(&name)?;
        }
    }
    Ok(())
}

/// Every host that runs or left something behind.
pub fn names() -> Result<Vec<String>> {
    let dir = paths::cache()?.join("hosts");
    let Ok(entries) = fs::read_dir(&dir) else { return Ok(Vec::new()) };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn boot(name: &str, state: &Path, rootfs: &Path) -> Result<Host> {
    let images = paths::cache()?.join("images");
    fs::create_dir_all(&images).with_context(|| format!("make {images:?}"))?;
    let _ = fs::remove_file(state.join("pid"));
    let console =
        fs::File::create(state.join("console")).with_context(|| format!("make the console of host {name}"))?;
    let mut command = Command::new("setsid");
    command
        .args(["--fork", "unshare", "--mount", "--propagation", "private", "--"])
        .arg(paths::workspace().join("tests/host/boot"))
        .arg(name)
        .args([state, rootfs, &images])
        .stdin(Stdio::null())
        .stdout(console.try_clone()?)
        .stderr(console);
    process::check(&mut command)?;
    let deadline = Instant::now() + BOOT;
    let host = loop {
        if let Some(host) = Host::find(name)? {
            break host;
        }
        if Instant::now() > deadline {
            let console = fs::read_to_string(state.join("console")).unwrap_or_default();
            bail!("host {name} does not start:\n{console}");
        }
        sleep(POLL);
    };
    host.wait_until_ready()?;
    Ok(host)
}

fn clear(name: &str) -> Result<()> {
    cgroup::kill(name)?;
    cgroup::remove(name)?;
    rootfs::remove(&state(name)?)
}

fn state(name: &str) -> Result<PathBuf> {
    Ok(paths::cache()?.join("hosts").join(name))
}

/// The root file system that a host was booted from.
fn rootfs_of(name: &str) -> Result<PathBuf> {
    let path = state(name)?.join("rootfs");
    Ok(fs::read_to_string(&path).with_context(|| format!("read {path:?}"))?.into())
}

pub(crate) fn check_name(name: &str) -> Result<()> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let valid = name.chars().all(fine) && name.starts_with(|c: char| c.is_ascii_lowercase());
    ensure!(valid && name.len() <= 32, "host name {name:?}: want up to 32 of a-z, 0-9 and -, a letter first");
    Ok(())
}

/// A process by number and start time, so that a reused number is somebody else.
pub(crate) fn identity(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let started = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.to_owned();
    Some(format!("{pid} {started}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_cache() {
        for bad in ["", "..", "a/b", "A", "-a", "1a", &"a".repeat(33)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name("test-1").is_ok());
    }
}
