//! The root file system of a test host: made once by `mmdebstrap`, then only read.
//!
//! It lives at `CACHE/rootfs/KEY`, where KEY is a hash of all that goes into it, so a change of a
//! package or of a file below `tests/host` makes a new one. It appears by rename, complete.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::debian::{self, Bootstrap};
use crate::{digest, paths, process};

/// Path of the root file system, made first if need be (a minute, 400 MB).
pub fn ensure() -> Result<PathBuf> {
    let source = paths::workspace().join("tests/host");
    let root = paths::cache()?.join("rootfs").join(key(&source)?);
    let _lock = paths::lock("rootfs")?;
    if root.is_dir() {
        return Ok(root);
    }
    eprintln!("making the root file system of the test host in {}", root.display());
    let started = Instant::now();
    remove_unused(&root)?;
    let unfinished = root.with_extension("unfinished");
    remove(&unfinished)?;
    fs::create_dir_all(&unfinished).with_context(|| format!("make {unfinished:?}"))?;
    let text = |path: PathBuf| process::quoted(&path.to_string_lossy());
    let bootstrap = Bootstrap {
        suite: debian::SUITE,
        variant: "minbase",
        packages: debian::package_list(&source.join("packages"))?,
        hooks: vec![
            format!("cp -r --preserve=mode,links {}/. \"$1\"", text(source.join("root"))),
            format!("chroot \"$1\" sh <{}", text(source.join("setup"))),
        ],
    };
    bootstrap.make(&unfinished)?;
    fs::rename(&unfinished, &root).with_context(|| format!("rename to {root:?}"))?;
    eprintln!("made it in {} s", started.elapsed().as_secs());
    Ok(root)
}

/// Removes older root file systems that no host stands on.
fn remove_unused(current: &Path) -> Result<()> {
    let dir = current.parent().context("a root file system lies in the cache")?;
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let mut used: Vec<PathBuf> = super::names()?.iter().filter_map(|name| super::rootfs_of(name).ok()).collect();
    used.push(current.to_owned());
    for old in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if !used.contains(&old) {
            remove(&old)?;
        }
    }
    Ok(())
}

/// Hash of everything the root file system is made from.
fn key(source: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(debian::SUITE);
    let mut files = vec![source.join("packages"), source.join("setup")];
    collect(&source.join("root"), &mut files)?;
    hash_content(source, files, &mut hash)?;
    Ok(digest::hex(&hash.finalize())[..16].to_owned())
}

/// Adds every file below a directory to a hash: name, length, content.
pub(crate) fn hash_files(source: &Path, hash: &mut Sha256) -> Result<()> {
    let mut files = Vec::new();
    collect(source, &mut files)?;
    hash_content(source, files, hash)
}

fn hash_content(source: &Path, mut files: Vec<PathBuf>, hash: &mut Sha256) -> Result<()> {
    files.sort();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("read {file:?}"))?;
        let name = file.strip_prefix(source).unwrap_or(&file).to_string_lossy().into_owned();
        hash.update(format!("{name} {}\n", content.len()));
        hash.update(content);
    }
    Ok(())
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("list {dir:?}"))? {
        let entry = entry.with_context(|| format!("list {dir:?}"))?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Removes a tree if it is there.
pub fn remove(tree: &Path) -> Result<()> {
    match fs::remove_dir_all(tree) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {tree:?}"))
        }
        _ => Ok(()),
    }
}
