//! One layer: compressed bytes → checked, unpacked directory.
//!
//! ```text
//! reader ─► partial file, sha256 ─► decompress ─► sha256, limit ─► tar ─► files under tmp/…/diff
//! ```

use crate::error::{Kind, Result};
use crate::layout;
use crate::store::Store;
use rustix::fs::{AtFlags, Gid, Mode, Uid};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use spec::Digest;
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
    /// Gives them to a directory that we just made.
    pub(crate) fn apply(self, dir: BorrowedFd<'_>, path: &Path) -> std::result::Result<(), Kind> {
        let owner = (Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)));
        match rustix::fs::chownat(dir, path, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::INVAL) => return Err(Kind::UnmappedId { uid: self.uid, gid: self.gid }),
            Err(errno) => return Err(Kind::from_io(errno.into())),
        }
        rustix::fs::chmodat(dir, path, Mode::from_raw_mode(self.mode & 0o7777), AtFlags::empty())
            .map_err(|errno| Kind::from_io(errno.into()))
    }
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
}

impl Store {
    /// Reads a layer's record.
    pub(crate) fn layer_record(&self, diff_id: &Digest) -> Result<Option<LayerRecord>> {
        self.read_record(&layout::layer(diff_id).join(layout::LAYER_RECORD))
    }
}
