//! Images from files: `docker save` archives, OCI archives, OCI layout directories.

use crate::error::{Error, Kind, Result};
use crate::image::ImageRecord;
use crate::pull::Limits;
use crate::store::Store;
use jiff::Timestamp;
use std::io::Read;
use std::path::Path;

/// An image that was loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedImage {
    /// What the archive calls it, completed; the image ID with `sha256:` in front when it has no name. As
    /// `Loaded image: NAME` prints it.
    pub name: String,
    /// The image.
    pub image: ImageRecord,
}

impl Store {
    /// Loads every image of a file or directory. The format is found by looking: `docker-archive` or `oci-archive`, plain,
    /// gzip or zstd, or an OCI layout directory.
    pub fn load_path(&self, path: &Path, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
        let _ = (limits, now);
        Err(Error::new("load", path.display().to_string(), Kind::UnsupportedMediaType(String::new())))
    }

    /// Loads every image of an archive from a stream, such as standard input. What must wait is spooled to disk.
    pub fn load_stream(&self, stream: impl Read, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
        let _ = (limits, now, stream);
        Err(Error::new("load", "standard input", Kind::UnsupportedMediaType(String::new())))
    }
}
