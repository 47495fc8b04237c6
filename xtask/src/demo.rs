//! `cargo xtask demo`: a web service in a container, from nothing to a page and back to nothing.
//!
//! First on this machine, as an unprivileged user made for it (or as whoever calls, if that is not
//! root); then, where this machine has no systemd, once more as a unit inside a booted test host.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};

use crate::host::{self, Host, Owner, Who, rootfs};
use crate::image::catalogue;
use crate::process::{self, quoted};
use crate::{ability, build, owner};

const USER: &str = "lodger-demo";
const PATIENCE: Duration = Duration::from_secs(20);

/// Shows the service on this machine, and in a test host where this machine has no systemd.
pub fn run() -> Result<()> {
    ability::install_tools(&["mmdebstrap", "newuidmap", "pasta", "curl"])?;
    if env::var_os("LODGER_BIN").is_none() {
        build::lodger()?;
    }
    catalogue::ensure("web")?;
    open_tun()?;
    let here = has_systemd();
    println!("# on this machine, {} systemd", if here { "with" } else { "without" });
    on_this_machine()?;
    if !here {
        println!("\n# on a host with systemd, booted for this");
        match ability::boots_hosts() {
            Ok(()) => in_a_host()?,
            Err(error) => println!("left out: {error:#}"),
        }
    }
    Ok(())
}

/// Lets users have networks of their own where no udev has done it.
fn open_tun() -> Result<()> {
    const TUN: &str = "/dev/net/tun";
    let mode = fs::metadata(TUN).map(|meta| meta.permissions().mode());
    if !rustix::process::geteuid().is_root() || mode.as_ref().is_ok_and(|mode| mode & 0o006 == 0o006) {
        return Ok(());
    }
    println!("# {TUN} is closed to users here; opening it, as udev does");
    if mode.is_err() {
        process::succeeds(Command::new("modprobe").arg("tun"));
        let node = "mkdir -p /dev/net && { test -e /dev/net/tun || mknod /dev/net/tun c 10 200; }";
        process::check(Command::new("sh").args(["-c", node]))?;
    }
    fs::set_permissions(TUN, fs::Permissions::from_mode(0o666)).context("open /dev/net/tun")
}

/// Where the service is shown: how a shell command is run there.
struct Place<'a> {
    port: u16,
    image: String,
    unit: Option<&'a str>,
    command: Box<dyn Fn(&str) -> Command + 'a>,
}

impl Place<'_> {
    /// From an archive to a page; the container is removed whatever happens.
    fn show(&self) -> Result<()> {
        let shown = self.serve();
        let removed = self.say("lodger rm --force web");
        shown.and(removed)
    }

    fn serve(&self) -> Result<()> {
        self.say(&format!("lodger load --input {}", self.image))?;
        self.say(&format!("lodger run --detach --name web --publish {}:80 web", self.port))?;
        self.wait_for_page()?;
        self.say(&format!("curl --silent --show-error http://127.0.0.1:{}/", self.port))?;
        self.say("lodger ps")?;
        if let Some(unit) = self.unit {
            self.say(&format!("systemctl --user --no-pager status {unit}"))?;
        }
        Ok(())
    }

    /// Shows a command and runs it on this terminal.
    fn say(&self, script: &str) -> Result<()> {
        println!("$ {script}");
        let status = (self.command)(script).status().with_context(|| format!("start {script}"))?;
        ensure!(status.success(), "{script}: {status}");
        Ok(())
    }

    fn wait_for_page(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let ask = format!("curl --silent --output /dev/null http://127.0.0.1:{}/", self.port);
        while !process::succeeds(&mut (self.command)(&ask)) {
            ensure!(Instant::now() < deadline, "no page on port {} after {PATIENCE:?}", self.port);
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

fn on_this_machine() -> Result<()> {
    let dir = env::temp_dir().join(format!("lodger-demo-{}", std::process::id()));
    let shown = Account::find().and_then(|account| {
        stage(&dir)?;
        let image = quoted(&dir.join("web.tar").to_string_lossy());
        let unit = has_systemd().then_some("lodger-web");
        let command = Box::new(|script: &str| account.command(&dir, script));
        let place = Place { port: free_port()?, image, unit, command };
        place.show()
    });
    rootfs::remove(&dir)?;
    shown
}

/// Puts lodger and the image where any user can read them.
fn stage(dir: &Path) -> Result<()> {
    fs::create_dir(dir).with_context(|| format!("make {dir:?}"))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    let files = [(host::lodger(), "lodger"), (catalogue::directory()?.join("web.tar"), "web.tar")];
    for (from, name) in files {
        fs::copy(&from, dir.join(name)).with_context(|| format!("copy {from:?}"))?;
    }
    Ok(())
}

fn in_a_host() -> Result<()> {
    host::reap()?;
    let host = Host::up(&owner::unique_name("demo")?, Owner::ThisProcess)?;
    let alice = Who::Login("alice".into());
    let place = Place {
        port: 8080,
        image: "/images/web.tar".into(),
        unit: Some("lodger-web"),
        command: Box::new(|script| host.enter(&alice, script)),
    };
    let shown = place.show();
    Host::down(host.name())?;
    shown
}

/// As whom the service runs on this machine.
enum Account {
    /// Whoever called, who is not root.
    Caller,
    /// The user made for it, who is removed at the end.
    Made { home: PathBuf, uid: String },
}

impl Account {
    fn find() -> Result<Account> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Account::Caller);
        }
        process::succeeds(Command::new("userdel").args(["--remove", USER]));
        process::check(Command::new("useradd").args(["--create-home", "--shell", "/bin/sh", USER]))?;
        let uid = process::output(Command::new("id").args(["--user", USER]))?;
        let ranges = fs::read_to_string("/etc/subuid").unwrap_or_default();
        let account = Account::Made { home: Path::new("/home").join(USER), uid };
        if !ranges.lines().any(|line| line.starts_with(&format!("{USER}:"))) {
            bail!("useradd gave {USER} no subordinate ids: is SUB_UID_COUNT 0 in /etc/login.defs?");
        }
        if has_systemd() {
            process::check(Command::new("loginctl").args(["enable-linger", USER]))?;
        }
        Ok(account)
    }

    /// A shell command with lodger in `PATH`.
    fn command(&self, dir: &Path, script: &str) -> Command {
        let path = format!("PATH={}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", dir.display());
        let Account::Made { home, uid } = self else {
            let mut command = Command::new("env");
            command.args([&path, "sh", "-c", script]);
            return command;
        };
        let mut command = Command::new("runuser");
        command.args(["--user", USER, "--", "env", "--ignore-environment", "LANG=C.UTF-8", &path]);
        command.arg(format!("HOME={}", home.display())).arg(format!("USER={USER}"));
        if has_systemd() {
            command.arg(format!("XDG_RUNTIME_DIR=/run/user/{uid}"));
        }
        command.args(["sh", "-c", script]).current_dir(home);
        command
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if matches!(self, Account::Made { .. }) {
            process::succeeds(Command::new("loginctl").args(["disable-linger", USER]));
            process::succeeds(Command::new("pkill").args(["--signal", "KILL", "--uid", USER]));
            process::succeeds(Command::new("userdel").args(["--remove", USER]));
        }
    }
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// 8080, or another port if that is taken.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("0.0.0.0", 8080)).or_else(|_| TcpListener::bind(("0.0.0.0", 0)));
    let address = listener.and_then(|listener| listener.local_addr()).context("find a free port")?;
    Ok(address.port())
}
