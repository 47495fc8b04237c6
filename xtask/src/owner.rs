//! The mark of a host or machine that somebody ends: a file that stays locked as long as its owner lives.
//!
//! A lock is seen from every pid namespace, and the kernel lets go of it when its holder ends, however that comes about. A
//! process number is not: in another namespace it is nobody's, or somebody else's.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

/// The mark's name in the directory of a host's state.
const MARK: &str = "owned";

/// Says that this process owns what has its state in a directory, for as long as the process lives.
pub(crate) fn mark(state: &Path) -> Result<()> {
    // Locked before anybody can find it.
    let fresh = state.join("owned.new");
    let file = File::create(&fresh).with_context(|| format!("make {fresh:?}"))?;
    flock(&file, FlockOperation::LockExclusive).with_context(|| format!("lock {fresh:?}"))?;
    fs::rename(&fresh, state.join(MARK)).with_context(|| format!("rename {fresh:?}"))?;
    // Closed by the end of the process, and by nothing before.
    std::mem::forget(file);
    Ok(())
}

/// Whether there was an owner who is gone.
pub(crate) fn is_gone(state: &Path) -> bool {
    let Ok(file) = File::open(state.join(MARK)) else { return false };
    flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// A name for what this process is to own, which no process of another pid namespace can hit on.
pub(crate) fn unique_name(prefix: &str) -> Result<String> {
    let mut random = [0u8; 4];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()).context("make up a name")?;
    Ok(format!("{prefix}-{:08x}", u32::from_ne_bytes(random)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn an_owner_is_there_until_the_end_of_its_process() {
        let state = tempfile::tempdir().unwrap();
        assert!(!is_gone(state.path()), "without a mark there is no owner to be gone");
        // Another process, as a numbered one of another pid namespace would be.
        let path = state.path().join(MARK);
        let mut owner = Command::new("flock");
        let mut owner = match owner
            .arg(&path)
            .args(["sh", "-c", "echo; read end"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        {
            Ok(owner) => owner,
            Err(error) => return println!("skipped: flock(1): {error}"),
        };
        let mut line = [0u8];
        std::io::Read::read_exact(owner.stdout.as_mut().unwrap(), &mut line).unwrap();
        assert!(!is_gone(state.path()));
        drop(owner.stdin.take());
        owner.wait().unwrap();
        assert!(is_gone(state.path()));
        mark(state.path()).unwrap();
        assert!(!is_gone(state.path()));
    }
}
