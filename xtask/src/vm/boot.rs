//! What a virtual machine boots from: an emulator, a kernel and a disk, made once, then only read.
//!
//! ```text
//! CACHE/vm/tools-KEY   packages of tests/vm/packages, unpacked: the emulator and the kernel
//!         /boot-KEY    kernel, initramfs, disk, and the key that the disk's root accepts  (tests/vm/make)
//! ```
//!
//! KEY is a hash of all that goes into it. Both appear by rename, complete.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::debian::{self, Bootstrap};
use crate::host::rootfs;
use crate::{digest, paths, process};

/// The release of emulator and kernel. The pair is known to work: QEMU 7.2 boots Linux 6.1 without
/// KVM, and Linux 6.1 is the oldest kernel that lodger's users are likely to have.
const SUITE: &str = "bookworm";

/// Where the parts lie.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// A root file system in which the emulator runs.
    pub(super) tools: PathBuf,
    /// `kernel`, `initramfs`, `disk`, `key`.
    pub(super) made: PathBuf,
}

/// The parts, made first if need be (a minute, 800 MB).
pub(super) fn ensure() -> Result<Parts> {
    let host = rootfs::ensure()?;
    let _lock = paths::lock("vm")?;
    let source = source();
    let tools_key = tools_key(&source)?;
    let mut hash = Sha256::new();
    hash.update(format!("{tools_key} {}\n", host.display()));
    rootfs::hash_files(&source, &mut hash)?;
    let made_key = digest::hex(&hash.finalize())[..16].to_owned();

    let dir = paths::cache()?.join("vm");
    let parts = Parts { tools: dir.join(format!("tools-{tools_key}")), made: dir.join(format!("boot-{made_key}")) };
    remove_unused(&dir, &parts)?;
    complete(&parts.tools, |unfinished| make_tools(&source, unfinished))?;
    complete(&parts.made, |unfinished| make(&source, &parts.tools, &host, unfinished))?;
    Ok(parts)
}

/// The directory of what the machine is made from.
pub(super) fn source() -> PathBuf {
    paths::workspace().join("tests/vm")
}

fn tools_key(source: &Path) -> Result<String> {
    let packages = debian::package_list(&source.join("packages"))?.join(" ");
    Ok(digest::hex(&Sha256::digest(format!("{SUITE} {packages}")))[..16].to_owned())
}

/// Makes a directory under another name, unless it is there.
fn complete(dir: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    eprintln!("making {} of the virtual machine", dir.display());
    let started = Instant::now();
    let unfinished = dir.with_extension("unfinished");
    rootfs::remove(&unfinished)?;
    fs::create_dir_all(&unfinished).with_context(|| format!("make {unfinished:?}"))?;
    make(&unfinished)?;
    fs::rename(&unfinished, dir).with_context(|| format!("rename to {dir:?}"))?;
    eprintln!("made it in {} s", started.elapsed().as_secs());
    Ok(())
}

fn make_tools(source: &Path, root: &Path) -> Result<()> {
    let packages = debian::package_list(&source.join("packages"))?;
    Bootstrap { suite: SUITE, variant: "extract", packages, hooks: Vec::new() }.make(root)?;
    // Where tests/vm/boot mounts what the emulator reads and writes.
    for place in ["media", "mnt"] {
        let place = root.join(place);
        fs::create_dir_all(&place).with_context(|| format!("make {place:?}"))?;
    }
    Ok(())
}

fn make(source: &Path, tools: &Path, host: &Path, out: &Path) -> Result<()> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--"]).arg(source.join("make")).args([tools, host, out]);
    process::check(&mut command)
}

/// Removes what no machine runs from and nobody will boot again.
fn remove_unused(dir: &Path, current: &Parts) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let mut used = vec![current.tools.clone(), current.made.clone()];
    for machine in super::names()? {
        used.extend(super::parts_of(&machine).ok().map(|parts| [parts.tools, parts.made]).into_iter().flatten());
    }
    for old in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if !used.contains(&old) {
            rootfs::remove(&old)?;
        }
    }
    Ok(())
}
