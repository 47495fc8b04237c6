//! One layer: compressed bytes → checked, unpacked directory.
//!
//! ```text
//! reader ─► partial file, sha256 ─► decompress ─► sha256, limit ─► tar ─► files under tmp/…/diff
//! ```

pub(crate) mod levels;
pub(crate) mod path;
pub(crate) mod stream;
mod tarball;
pub(crate) mod unpack;

use crate::error::{Error, Kind, Result};
use crate::layout;
use crate::lock::Access;
use crate::owners::Owners;
use crate::state::boot_id;
use crate::store::Store;
use rustix::fs::{AtFlags, Gid, Mode, Uid};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use spec::Digest;
use spec::idmap::IdMap;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Mode and owner of a top directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootAttributes {
    /// Permission bits with setuid, setgid and sticky.
    pub mode: u32,
    /// In the user namespace.
    pub uid: u32,
    /// In the user namespace.
    pub gid: u32,
}

impl Default for RootAttributes {
    /// `drwxr-xr-x root root`
    fn default() -> Self {
        Self { mode: 0o755, uid: 0, gid: 0 }
    }
}

impl RootAttributes {
    /// The same for a container with ids of its own.
    #[must_use]
    pub fn with_ids(self, ids: &IdMap) -> Self {
        let (uid, gid) = Owners::of(ids).give(self.uid, self.gid);
        Self { uid, gid, ..self }
    }

    /// Gives them to a directory that we just made.
    pub(crate) fn apply(self, dir: BorrowedFd<'_>, path: &Path) -> std::result::Result<(), Kind> {
        // Outside the user namespace the caller is who will be root inside: what they make belongs to 0:0 already.
        let is_own = (self.uid, self.gid) == (0, 0) && !rustix::process::geteuid().is_root();
        let owner = if is_own { (None, None) } else { (Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid))) };
        match rustix::fs::chownat(dir, path, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::INVAL) => return Err(Kind::UnmappedId { uid: self.uid, gid: self.gid }),
            Err(errno) => return Err(Kind::from_io(errno.into())),
        }
        rustix::fs::chmodat(dir, path, Mode::from_raw_mode(self.mode & 0o7777), AtFlags::empty())
            .map_err(|errno| Kind::from_io(errno.into()))
    }
}

/// A name for a stack of layers (diff IDs, lowest first), the same that podman shows for it.
pub fn stack_id(stack: &[Digest]) -> Digest {
    let mut id: Option<Digest> = None;
    for layer in stack {
        id = Some(match id {
            None => *layer,
            Some(below) => crate::blob::digest_of(format!("{}+{}", below.hex(), layer.hex()).as_bytes()),
        });
    }
    id.unwrap_or_else(|| crate::blob::digest_of(b""))
}

/// What is known of an unpacked layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerRecord {
    /// sha256 of the tar.
    pub(crate) diff_id: Digest,
    /// Bytes of the tar.
    pub(crate) tar_size: u64,
    /// Bytes of the regular files' content.
    pub(crate) size: u64,
    /// Entries in the tar.
    pub(crate) entries: u64,
    /// What the tar says of the top directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root: Option<RootAttributes>,
    /// Device nodes that were left out.
    #[serde(default)]
    pub(crate) devices: u64,
    /// Whether `frame` and `diff` give the tar back. Not if an entry with content was replaced by a later one.
    #[serde(default)]
    pub(crate) exact: bool,
}

/// Whether a layer can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has to be fetched.
    Absent,
    /// It is complete, but an image that needs it must sync it first.
    Unsynced,
    /// It is on the disk.
    Durable,
}

impl Store {
    /// Reads a layer's record.
    pub(crate) fn layer_record(&self, diff_id: &Digest) -> Result<Option<LayerRecord>> {
        self.read_record(&layout::within(&layout::layer(diff_id), layout::LAYER_RECORD))
    }

    /// Whether a layer can be used. One that a power cut left behind is moved to the trash.
    pub(crate) fn layer_presence(&self, diff_id: &Digest) -> Result<Presence> {
        let record = match self.layer_record(diff_id) {
            Ok(record) => record,
            // Not synced, so emptied by a power cut; or damaged from outside.
            Err(Error { kind: Kind::Corrupt(_), .. }) => None,
            Err(error) => return Err(error),
        };
        match (record, self.unsynced_since(diff_id)?) {
            (Some(_), None) => Ok(Presence::Durable),
            (Some(_), Some(boot)) if boot == boot_id() => Ok(Presence::Unsynced),
            (None, None) if !self.exists(&layout::layer(diff_id))? => Ok(Presence::Absent),
            _ => self.settle_layer(diff_id),
        }
    }

    /// The boot in which a layer was unpacked, if nobody has synced it since.
    fn unsynced_since(&self, diff_id: &Digest) -> Result<Option<String>> {
        let mark = layout::within(&layout::layer(diff_id), layout::LAYER_UNSYNCED);
        match rustix::fs::readlinkat(self.dir(), &mark, Vec::new()) {
            Ok(boot) => Ok(Some(boot.to_string_lossy().into_owned())),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::at("read", &self.path(&mark), errno)),
        }
    }

    /// Decides about a layer with the mark of an earlier boot, or without a record.
    ///
    /// Records of images are written after the sync, so a layer that one names is good, and only the removal of its mark was
    /// lost. Any other goes. Under the images' lock, so that nobody settles the layer that replaces it.
    fn settle_layer(&self, diff_id: &Digest) -> Result<Presence> {
        let _images = self.images_lock(Access::Exclusive)?;
        let readable = matches!(self.layer_record(diff_id), Ok(Some(_)));
        let mark = self.unsynced_since(diff_id)?;
        if readable && mark.as_deref() == Some(&boot_id()) {
            return Ok(Presence::Unsynced);
        }
        let named = self.images()?.items.iter().any(|image| image.layers.contains(diff_id));
        if readable && (mark.is_none() || named) {
            self.mark_synced(diff_id)?;
            return Ok(Presence::Durable);
        }
        self.to_trash(&layout::layer(diff_id))?;
        Ok(Presence::Absent)
    }

    /// After a sync: forgets that a layer was not synced.
    pub(crate) fn mark_synced(&self, diff_id: &Digest) -> Result<()> {
        let mark = layout::within(&layout::layer(diff_id), layout::LAYER_UNSYNCED);
        match rustix::fs::unlinkat(self.dir(), &mark, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(Error::at("remove", &self.path(&mark), errno)),
        }
    }
}
