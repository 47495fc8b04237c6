//! Small files of a store: replaced whole, synced, and on a full disk as well.

use crate::error::{At, Error, Kind, Result};
use crate::layout;
use crate::record::{Durability, create_at, random_name, sync_dir};
use crate::store::Store;
use rustix::fs::{AtFlags, Mode, OFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::fd::AsFd;
use std::path::Path;

/// Bytes kept back for removals.
const RESERVE: u64 = 256 << 10;

impl Store {
    /// Replaces a file.
    pub(crate) fn write_file(&self, relative: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
        let _lease = self.lease()?;
        let tmp = layout::tmp(&random_name());
        let written = create_at(self.dir(), &tmp, bytes, durability)
            .and_then(|()| Ok(rustix::fs::renameat(self.dir(), &tmp, self.dir(), relative)?));
        if let Err(error) = written {
            let _ = rustix::fs::unlinkat(self.dir(), &tmp, AtFlags::empty());
            return Err(Error::at("write", &self.path(relative), error));
        }
        match (durability, relative.parent()) {
            (Durability::Durable, Some(parent)) => self.sync_dir(parent),
            _ => Ok(()),
        }
    }

    /// Does something that must work on a full disk: once more, with the reserve given up, if it fails for want of space.
    pub(crate) fn on_full_disk<T>(&self, work: impl Fn() -> Result<T>) -> Result<T> {
        match work() {
            Err(Error { kind: Kind::NoSpace(_), .. }) if self.give_up_reserve() => work(),
            other => other,
        }
    }

    /// What is full is the disk of the store; which file was one too many tells nobody anything.
    pub(crate) fn told_of_full_disk(&self, error: Error) -> Error {
        match error.kind {
            Kind::NoSpace(_) => Error { op: "write to", subject: self.root().display().to_string(), ..error },
            _ => error,
        }
    }

    fn give_up_reserve(&self) -> bool {
        rustix::fs::unlinkat(self.dir(), layout::RESERVE, AtFlags::empty()).is_ok()
    }

    /// Makes the reserve if it is not there. A full disk cannot have one; then the next sweep tries again.
    pub(crate) fn keep_reserve(&self) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let Ok(file) = rustix::fs::openat(self.dir(), layout::RESERVE, flags, Mode::from_raw_mode(0o600)) else {
            return;
        };
        if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, RESERVE).is_err() {
            self.give_up_reserve();
        }
    }

    /// Makes a directory's entries durable.
    pub(crate) fn sync_dir(&self, relative: &Path) -> Result<()> {
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        sync_dir(self.dir(), relative).at("sync", &self.path(relative))
    }

    /// Makes everything on the store's file system durable.
    pub(crate) fn sync_all(&self) -> Result<()> {
        rustix::fs::syncfs(self.dir().as_fd()).at("sync", self.root())
    }

    /// Replaces a record.
    pub(crate) fn write_record(&self, relative: &Path, record: &impl Serialize, durability: Durability) -> Result<()> {
        let mut bytes = serde_json::to_vec(record).map_err(|error| self.corrupt(relative, &error))?;
        bytes.push(b'\n');
        self.write_file(relative, &bytes, durability)
    }

    /// Reads a record; `None` if it is not there.
    pub(crate) fn read_record<T: DeserializeOwned>(&self, relative: &Path) -> Result<Option<T>> {
        let Some(bytes) = self.read_small(relative)? else { return Ok(None) };
        self.parse_record(relative, &bytes).map(Some)
    }

    /// The record in a file's bytes.
    pub(crate) fn parse_record<T: DeserializeOwned>(&self, relative: &Path, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| self.corrupt(relative, &error))
    }

    fn corrupt(&self, relative: &Path, error: &serde_json::Error) -> Error {
        Error::new("read", self.path(relative).display().to_string(), Kind::Corrupt(error.to_string()))
    }
}
