//! Where the tasks find the source tree and keep what is expensive to make.
//!
//! The cache may be shared by several checkouts and several tasks at once: whatever appears in it
//! appears complete, by rename, and is never changed afterwards.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

/// Root of the source tree this program was built from.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a package lies below the workspace")
}

/// The cache: `$LODGER_CACHE`, else `$XDG_CACHE_HOME/lodger`, else `~/.cache/lodger`.
pub fn cache() -> Result<PathBuf> {
    if let Some(dir) = env::var_os("LODGER_CACHE") {
        return std::path::absolute(dir).context("find the cache");
    }
    if let Some(dir) = env::var_os("XDG_CACHE_HOME") {
        return Ok(Path::new(&dir).join("lodger"));
    }
    let home = env::var_os("HOME").context("find the cache: neither LODGER_CACHE nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/lodger"))
}

/// Holds a file of the cache locked until dropped; waits for whoever has it.
pub fn lock(name: &str) -> Result<File> {
    let dir = cache()?.join("locks");
    std::fs::create_dir_all(&dir).with_context(|| format!("make {dir:?}"))?;
    let path = dir.join(name);
    let file = File::create(&path).with_context(|| format!("open {path:?}"))?;
    flock(&file, FlockOperation::LockExclusive).with_context(|| format!("lock {path:?}"))?;
    Ok(file)
}

/// The directory cargo builds into.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}
