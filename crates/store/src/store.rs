//! The data root: opened once, then every path is relative to its descriptor.

use crate::error::{At, Error, Kind, Result};
use crate::layout;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The layout that this version writes.
const FORMAT: u32 = 1;

/// What a directory of records holds.
#[derive(Debug)]
pub struct Listing<T> {
    /// The records that could be read.
    pub items: Vec<T>,
    /// Why others could not: damage from outside. One damaged record hides no other.
    pub damaged: Vec<Error>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { items: Vec::new(), damaged: Vec::new() }
    }
}

/// An open data root. Cheap to open; holds one descriptor and no lock. Threads may share it.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    dir: OwnedFd,
    /// The root as another mount shows it, from [`Store::reopen`] on.
    seen: OnceLock<OwnedFd>,
}

impl Store {
    /// Opens the data root, and makes it when it is not there. Scans nothing.
    ///
    /// `root` should be absolute: it stands in messages and in the paths of `OverlayDirs`. Fails with
    /// `Kind::NewerFormat`, having changed nothing, when a newer version changed the layout.
    pub fn open(root: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = match rustix::fs::openat(CWD, root, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                make_root(root)?;
                rustix::fs::openat(CWD, root, flags, Mode::empty())
            }
            other => other,
        }
        .at("open store", root)?;
        let store = Self { root: root.to_owned(), dir, seen: OnceLock::new() };
        match store.read_small(Path::new(layout::FORMAT))? {
            Some(text) => store.check_format(&text)?,
            None => store.initialise()?,
        }
        Ok(store)
    }

    /// Goes on through what is mounted at the root by now, in this process's view; the second call does nothing.
    pub fn reopen(&self) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(CWD, &self.root, flags, Mode::empty()).at("open store", &self.root)?;
        let _ = self.seen.set(dir);
        Ok(())
    }

    /// The data root as it was given.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute form of a path under the root, for messages and mounts.
    pub(crate) fn path(&self, relative: &Path) -> PathBuf {
        self.root.join(relative)
    }

    /// The root's descriptor.
    pub(crate) fn dir(&self) -> BorrowedFd<'_> {
        self.seen.get().unwrap_or(&self.dir).as_fd()
    }

    /// Reads a small file of our own; `None` if it is not there.
    pub(crate) fn read_small(&self, relative: &Path) -> Result<Option<Vec<u8>>> {
        crate::record::read_at(self.dir(), relative).at("read", &self.path(relative))
    }

    fn check_format(&self, text: &[u8]) -> Result<()> {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<u32>().ok());
        match number {
            Some(FORMAT) => Ok(()),
            Some(found) if found > FORMAT => Err(self.format_error(Kind::NewerFormat { found, known: FORMAT })),
            // A power cut can leave the file of a just made store empty; there is no other format yet.
            _ if text.iter().all(|byte| *byte == 0) => self.initialise(),
            _ => Err(self.format_error(Kind::Corrupt("the format file holds no number".into()))),
        }
    }

    fn format_error(&self, kind: Kind) -> Error {
        Error::new("open store", self.root.display().to_string(), kind)
    }

    /// Makes the directories; safe to repeat and to race.
    fn initialise(&self) -> Result<()> {
        for relative in layout::DIRECTORIES {
            match rustix::fs::mkdirat(&self.dir, relative, Mode::from_raw_mode(0o700)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(Error::at("create", &self.path(Path::new(relative)), errno)),
            }
        }
        self.make_locks()?;
        self.keep_reserve();
        self.write_file(Path::new(layout::FORMAT), format!("{FORMAT}\n").as_bytes(), crate::Durability::Durable)
    }
}

impl Store {
    /// Whether a path under the root is there.
    pub(crate) fn exists(&self, relative: &Path) -> Result<bool> {
        match rustix::fs::statat(self.dir(), relative, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(Error::at("look at", &self.path(relative), errno)),
        }
    }

    /// Opens a directory of ours.
    pub(crate) fn open_dir(&self, relative: &Path) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(self.dir(), relative, flags, Mode::empty()).at("list", &self.path(relative))
    }

    /// The names in a directory of ours that are text; others are not ours.
    pub(crate) fn list(&self, relative: &Path) -> Result<Vec<String>> {
        let fd = self.open_dir(relative)?;
        let mut buffer = Vec::with_capacity(32 << 10);
        let mut entries = RawDir::new(&fd, buffer.spare_capacity_mut());
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry.at("list", &self.path(relative))?;
            names.extend(
                entry.file_name().to_str().ok().filter(|name| *name != "." && *name != "..").map(str::to_owned),
            );
        }
        Ok(names)
    }
}

/// Makes the root and its missing parents, private to the user.
fn make_root(root: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(root).at("create store", root)
}
