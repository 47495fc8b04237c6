//! What this machine can do: a typed "cannot", so that a task ends with 77 and a reason, not with a failure.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{paths, process};

/// Exit status of a task that this machine cannot do, as test programs use it for "skipped".
pub const EXIT_UNABLE: u8 = 77;

/// Free memory that a virtual machine needs, with its emulator, in KiB.
const MACHINE_KIB: u64 = 1_500_000;

/// Why this machine cannot do a task.
#[derive(Debug)]
pub struct Unable(pub String);

impl fmt::Display for Unable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "this machine cannot do it: {}", self.0)
    }
}

impl std::error::Error for Unable {}

/// The reason, where an error says that the machine is unable.
pub fn reason(error: &anyhow::Error) -> Option<&str> {
    error.downcast_ref::<Unable>().map(|unable| unable.0.as_str())
}

/// Checks that a test host can boot here, and installs the tools for it where `apt-get` exists.
pub fn boots_hosts() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return unable("a test host needs root to boot");
    }
    install_tools(&["unshare", "nsenter", "systemd-nspawn", "mmdebstrap"])?;
    let private = "--mount --propagation private".split(' ');
    if !process::succeeds(Command::new("unshare").args(private.clone()).arg("true")) {
        return unable("no new mount namespace is allowed (unshare --mount fails)");
    }
    let cgroup = "umount -R -l /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && \
                  d=/sys/fs/cgroup/lodger-probe-$$ && mkdir $d && rmdir $d";
    if !process::succeeds(Command::new("unshare").args(private).args(["sh", "-c", cgroup])) {
        return unable("no cgroup2 file system can be mounted and written to");
    }
    if !process::succeeds(Command::new("unshare").args(["--user", "true"])) {
        return unable("no user namespace is allowed (unshare --user fails)");
    }
    Ok(())
}

/// Checks that a virtual machine can boot here, and installs the tools for it where `apt-get` exists.
pub fn boots_machines() -> Result<()> {
    boots_hosts()?;
    if std::env::consts::ARCH != "x86_64" {
        return unable("the virtual machine is an emulated x86-64 one, made of this machine's packages");
    }
    install_tools(&["ssh", "ssh-keygen", "mkfs.ext4", "debugfs"])?;
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.split_whitespace().next());
    match available.and_then(|kib| kib.parse::<u64>().ok()) {
        Some(kib) if kib < MACHINE_KIB => unable(&format!("a virtual machine needs {MACHINE_KIB} KiB of free memory")),
        _ => Ok(()),
    }
}

/// Makes sure that programs exist, by way of `tests/prepare`, the only list of packages.
pub fn install_tools(tools: &[&str]) -> Result<()> {
    let missing = || tools.iter().copied().find(|tool| !exists(tool));
    let Some(first) = missing() else { return Ok(()) };
    if !exists("apt-get") {
        return unable(&format!("{first} is missing and there is no apt-get to install it"));
    }
    process::check(&mut Command::new(paths::workspace().join("tests/prepare")))?;
    match missing() {
        Some(tool) => unable(&format!("{tool} is missing even after tests/prepare")),
        None => Ok(()),
    }
}

/// Whether a program is found in `PATH`.
pub fn exists(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').any(|dir| Path::new(dir).join(program).is_file())
}

fn unable(reason: &str) -> Result<()> {
    Err(Unable(reason.to_owned()).into())
}
