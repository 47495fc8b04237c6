//! A virtual machine: the test host's system on a kernel of its own, with every cgroup controller, a
//! disk that can lose what was not synced, and a plug that can be pulled.
//!
//! ```text
//! CACHE/vm/…              what it boots from                                 (boot.rs)
//! CACHE/machines/NAME/disk   its own disk: gone with `down`
//!                    /console, /pid, /port, /parts, /owned
//!                    /ssh    the one connection that all commands share
//! ```
//!
//! It is emulated, about twenty times slower than the machine outside, and needs no KVM. It reaches nothing
//! outside; its ssh is reached at a port of 127.0.0.1.

mod boot;
pub mod cases;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::case::Outcome;
use crate::host::{self, Owner, Who, rootfs};
use crate::image::catalogue;
use crate::process::quoted;
use crate::{ability, owner, paths, process};
use boot::Parts;

const BOOT: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(200);
/// How long a command in a case may take before it counts as hanging.
const BOUND: Duration = Duration::from_secs(180);
/// The image that is in `/images` of each machine.
const IMAGE: &str = "busybox";

/// A running virtual machine; dropping this leaves it running.
#[derive(Debug, Clone)]
pub struct Vm {
    name: String,
    state: PathBuf,
}

impl Vm {
    /// Boots the machine from a fresh disk, or finds it running and puts the current lodger into it; about 30 s.
    pub fn up(name: &str, owner: Owner) -> Result<Vm> {
        host::check_name(name)?;
        if let Some(vm) = Vm::find(name)? {
            vm.install_lodger()?;
            return Ok(vm);
        }
        ability::boots_machines()?;
        Vm::down(name)?;
        catalogue::ensure(IMAGE)?;
        let parts = boot::ensure()?;
        let vm = Vm { name: name.to_owned(), state: state(name)? };
        fs::create_dir_all(&vm.state).with_context(|| format!("make {:?}", vm.state))?;
        vm.write("parts", &format!("{}\n{}\n", parts.tools.display(), parts.made.display()))?;
        if owner == Owner::ThisProcess {
            owner::mark(&vm.state)?;
        }
        vm.make_disk(&parts)?;
        vm.boot()?;
        Ok(vm)
    }

    /// The machine of that name, if it runs.
    pub fn find(name: &str) -> Result<Option<Vm>> {
        host::check_name(name)?;
        let vm = Vm { name: name.to_owned(), state: state(name)? };
        Ok(vm.process().is_some().then_some(vm))
    }

    /// The machine of that name, which must run.
    pub fn open(name: &str) -> Result<Vm> {
        Vm::find(name)?.with_context(|| format!("machine {name} is not up: cargo xtask vm up {name}"))
    }

    /// Ends the machine of that name and removes all that it left; fine if there is none.
    pub fn down(name: &str) -> Result<()> {
        host::check_name(name)?;
        let vm = Vm { name: name.to_owned(), state: state(name)? };
        vm.pull_the_plug()?;
        rootfs::remove(&vm.state)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reboots it as its administrator would, and waits until it stands again.
    pub fn reboot(&self) -> Result<()> {
        let boot_id =
            |vm: &Vm| Ok::<_, anyhow::Error>(vm.root("cat /proc/sys/kernel/random/boot_id")?.text().to_owned());
        let before = boot_id(self)?;
        self.root("systemctl reboot --no-block")?;
        // A connection that survives the machine would hang.
        self.disconnect();
        let deadline = Instant::now() + BOOT;
        loop {
            self.wait_until_ready()?;
            if boot_id(self)? != before {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "machine {} does not go down", self.name);
            self.disconnect();
            sleep(POLL);
        }
    }

    /// A power cut: all that its kernel has not handed to the disk is gone. Then boots it again.
    pub fn crash(&self) -> Result<()> {
        self.pull_the_plug()?;
        self.boot()
    }

    /// A shell command as it would be typed in the machine; standard streams and exit status pass through.
    pub fn enter(&self, who: &Who, script: &str) -> Command {
        let words: Vec<String> = who.words(script).iter().map(|word| quoted(word)).collect();
        let mut command = self.ssh();
        command.arg(words.join(" "));
        command
    }

    /// A program with its arguments, untouched by any shell.
    pub fn enter_words(&self, who: &Who, words: &[String]) -> Command {
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        self.enter(who, &words.join(" "))
    }

    /// Runs a shell command as anybody.
    pub fn run(&self, who: &Who, script: &str) -> Result<Outcome> {
        Outcome::of(&mut self.enter(who, script), BOUND, who, script)
    }

    /// Runs a shell command as alice, who is logged in and lingers.
    pub fn alice(&self, script: &str) -> Result<Outcome> {
        self.run(&Who::Login("alice".into()), script)
    }

    /// Runs a shell command as root, with no session.
    pub fn root(&self, script: &str) -> Result<Outcome> {
        self.run(&Who::Root, script)
    }

    /// Removes alice's containers and volumes; her images stay.
    pub fn clean(&self) -> Result<()> {
        self.alice("lodger rm --all --force --time 0 >clean && lodger volume ls --quiet | xargs --no-run-if-empty lodger volume rm")?.ok();
        Ok(())
    }

    /// ssh to it, with what does not change; the remote command is to follow.
    fn ssh(&self) -> Command {
        let port = self.read("port").unwrap_or_default();
        let key = parts_of(&self.name).map(|parts| parts.made.join("key")).unwrap_or_default();
        let mut command = Command::new("ssh");
        // The path of a socket must be short: it is named from within the directory.
        command
            .current_dir(&self.state)
            .args(["-F", "none", "-o", "ControlPath=ssh", "-o", "ControlMaster=auto", "-o", "ControlPersist=yes"])
            .args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=30", "-o", "LogLevel=ERROR"])
            .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"])
            // The least work for an emulated processor.
            .args(["-o", "KexAlgorithms=curve25519-sha256", "-o", "Ciphers=chacha20-poly1305@openssh.com"])
            .arg("-i")
            .arg(key)
            .args(["-p", port.trim(), "root@127.0.0.1", "--"]);
        command
    }

    fn disconnect(&self) {
        let mut command = Command::new("ssh");
        command.current_dir(&self.state).args(["-F", "none", "-o", "ControlPath=ssh", "-O", "exit", "any"]);
        process::succeeds(&mut command);
        let _ = fs::remove_file(self.state.join("ssh"));
    }

    /// A disk of its own, with lodger and the image in it.
    fn make_disk(&self, parts: &Parts) -> Result<()> {
        let disk = self.state.join("disk");
        let mut copy = Command::new("cp");
        process::check(copy.args(["--sparse=always", "--reflink=auto"]).arg(parts.made.join("disk")).arg(&disk))?;
        let image = catalogue::directory()?.join(format!("{IMAGE}.tar"));
        let mut commands = format!("cd /images\nwrite {} {IMAGE}.tar\n", image.display());
        match lodger()? {
            Some(program) => commands.push_str(&format!("cd /usr/local/bin\nwrite {} lodger\n", program.display())),
            None => eprintln!("note: no lodger at {}: the machine has none", host::lodger().display()),
        }
        self.write("files", &commands)?;
        let mut debugfs = Command::new("debugfs");
        debugfs.arg("-w").arg("-f").arg(self.state.join("files")).arg(&disk);
        process::output(&mut debugfs).map(drop)
    }

    fn install_lodger(&self) -> Result<()> {
        let Some(program) = lodger()? else { return Ok(()) };
        let file = fs::File::open(&program).with_context(|| format!("open {program:?}"))?;
        let put = "cat >/usr/local/bin/lodger.new && chmod 755 /usr/local/bin/lodger.new && \
                   mv /usr/local/bin/lodger.new /usr/local/bin/lodger";
        process::check(self.enter(&Who::Root, put).stdin(file))
    }

    fn boot(&self) -> Result<()> {
        let parts = parts_of(&self.name)?;
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).context("find a port")?.port();
        self.write("port", &port.to_string())?;
        let messages = self.state.join("messages");
        let messages = fs::File::create(&messages).with_context(|| format!("make {messages:?}"))?;
        let mut command = Command::new("setsid");
        command
            .args(["--fork", "unshare", "--mount", "--propagation", "private", "--"])
            .arg(boot::source().join("boot"))
            .args([&parts.tools, &parts.made, &self.state])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(messages.try_clone()?)
            .stderr(messages);
        process::check(&mut command)?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.process().is_none() && Instant::now() < deadline {
            sleep(POLL);
        }
        self.wait_until_ready()
    }

    fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + BOOT;
        let ready = "/usr/local/libexec/lodger-test/ready-vm";
        loop {
            let answer = process::capture(&mut self.enter(&Who::Root, ready), BOOT)?;
            if answer.status.success() {
                return Ok(());
            }
            let hopeless = answer.status.code() == Some(2) || self.process().is_none();
            if hopeless || Instant::now() >= deadline {
                bail!("machine {} does not boot: {}\n{}", self.name, answer.stderr.trim_end(), self.last_words());
            }
            sleep(POLL);
        }
    }

    /// Kills the emulator and waits until it is gone.
    fn pull_the_plug(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Some(process) = self.process() {
            ensure!(Instant::now() < deadline, "machine {}: process {process:?} survives SIGKILL", self.name);
            // It may have ended in between.
            let _ = kill_process(process, Signal::KILL);
            sleep(Duration::from_millis(10));
        }
        if self.state.is_dir() {
            self.disconnect();
        }
        Ok(())
    }

    /// The emulator, if it runs.
    fn process(&self) -> Option<Pid> {
        let recorded = self.read("pid").ok()?;
        let pid = recorded.split(' ').next()?.parse().ok()?;
        let running = host::identity(pid)? == recorded.trim();
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        running.then_some(pid)
    }

    fn last_words(&self) -> String {
        let text = self.read("messages").unwrap_or_default() + &self.read("console").unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn read(&self, name: &str) -> Result<String> {
        let path = self.state.join(name);
        let bytes = fs::read(&path).with_context(|| format!("read {path:?}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.state.join(name);
        fs::write(&path, text).with_context(|| format!("write {path:?}"))
    }
}

/// Ends every machine whose owner is gone.
pub fn reap() -> Result<()> {
    for name in names()? {
        if owner::is_gone(&state(&name)?) {
            Vm::down(&name)?;
        }
    }
    Ok(())
}

/// Every machine that runs or left something behind.
pub fn names() -> Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(paths::cache()?.join("machines")) else { return Ok(Vec::new()) };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn state(name: &str) -> Result<PathBuf> {
    Ok(paths::cache()?.join("machines").join(name))
}

/// The lodger that goes into machines, where there is one.
fn lodger() -> Result<Option<PathBuf>> {
    let program = std::path::absolute(host::lodger()).context("find lodger")?;
    Ok(program.is_file().then_some(program))
}

/// What a machine was booted from.
fn parts_of(name: &str) -> Result<Parts> {
    let path = state(name)?.join("parts");
    let text = fs::read_to_string(&path).with_context(|| format!("read {path:?}"))?;
    let (tools, made) = text.trim_end().split_once('\n').with_context(|| format!("{path:?} is not two lines"))?;
    Ok(Parts { tools: Path::new(tools).to_owned(), made: Path::new(made).to_owned() })
}
