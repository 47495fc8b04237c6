//! Images from files: `docker save` archives, OCI archives, OCI layout directories.
//!
//! ```text
//! source   where the members are: a directory, a seekable archive, or a stream that is spooled to disk first
//! docker   manifest.json, configs, layer tars         (what `docker save` and `podman save` write)
//!          version, manifest.json, one file a blob   (`dir:`, as `podman save --format docker-dir` writes it)
//! oci      oci-layout, index.json, blobs/sha256/…     (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>)
//! ```
//!
//! An archive that is both (Docker 25 and later) is read as Docker's, which has the full names. All that a pull checks is
//! checked here too; members are found by name in a table, so no path of an archive is ever opened on the host.

mod docker;
mod oci;
mod source;

use crate::error::{Error, Kind, Result};
use crate::image::ImageRecord;
use crate::pull::{LayerPull, Limits, Pull};
use crate::store::Store;
use jiff::Timestamp;
pub use source::Opened;
use source::{Member, Source};
pub(crate) use source::{decompressed, nameless_file};
use spec::Reference;
use spec::oci::Compression;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

const OP: &str = "load";

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
    ///
    /// An image with several names is returned once for each.
    pub fn load_path(&self, path: &Path, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
        self.load_opened(Opened::open(path)?, limits, now)
    }

    /// The same of what is open already.
    pub fn load_opened(&self, opened: Opened, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
        let source = Source::of(self, opened, limits).map_err(|error| self.told_of_full_disk(error))?;
        self.load(&source, limits, now)
    }

    /// Loads every image of an archive from a stream, such as standard input. The stream is spooled to the store's own file
    /// system, because its table of contents may come last.
    pub fn load_stream(&self, stream: impl Read, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
        let source = Source::spool(self, stream, limits).map_err(|error| self.told_of_full_disk(error))?;
        self.load(&source, limits, now)
    }

    fn load(&self, source: &Source, limits: Limits, now: Timestamp) -> Result<Vec<LoadedImage>> {
        let loaded = if source.has("version")? && source.has("manifest.json")? {
            oci::load_flat(self, source, limits, now)?
        } else if source.has("manifest.json")? {
            docker::load(self, source, limits, now)?
        } else if source.has("index.json")? {
            oci::load(self, source, limits, now)?
        } else {
            return Err(source.bad("neither manifest.json nor index.json is in it"));
        };
        match loaded.is_empty() {
            true => Err(source.bad("no image for this platform is in it")),
            false => Ok(loaded),
        }
    }
}

/// One entry for each name, or one with the ID.
fn report(image: &ImageRecord, names: &[Reference]) -> Vec<LoadedImage> {
    let loaded = |name: String| LoadedImage { name, image: image.clone() };
    match names {
        [] => vec![loaded(image.id.to_string())],
        names => names.iter().map(|name| loaded(name.to_string())).collect(),
    }
}

/// How a layer's bytes are wrapped, by their first ones.
fn sniff(first: &[u8]) -> Compression {
    match first {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// Unpacks a member that promises nothing but its diff ID.
fn unpack_member(pull: &Pull<'_>, source: &Source, member: Member, diff_id: &spec::Digest) -> Result<()> {
    let size = member.size();
    let mut bytes = BufReader::new(member);
    let first = bytes.fill_buf().map_err(|error| source.failed(error))?;
    match pull.local_layer(size, diff_id, sniff(first))? {
        LayerPull::Present => Ok(()),
        LayerPull::Stream(stream) => stream.run(bytes, &|_| ()),
    }
}

impl Source {
    fn bad(&self, why: &str) -> Error {
        Error::new(OP, self.name(), Kind::BadArchive(why.to_owned()))
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::new(OP, self.name(), Kind::from_io(error))
    }
}

#[cfg(test)]
mod tests;
