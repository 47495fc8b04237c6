//! Getting an image in: layers one by one, several at a time, then the whole image at once.
//!
//! ```text
//! begin_pull ─► layer ─► Present | Stream ─► run ┐
//!            ─► layer ─► …                       ├─► commit: sync once, record, names
//! ```
//!
//! A layer is checked and complete when `run` returns, and found by other pulls from then on; an image appears in `commit`.

use crate::error::{Error, Kind, Result};
use crate::image::ImageRecord;
use crate::lock::{Guard, Wait};
use crate::store::Store;
use jiff::Timestamp;
use spec::oci::{Compression, Descriptor};
use spec::{Digest, Reference};
use std::io::Read;

/// Bounds on what one pull may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one layer's tar, and of one file's length. Against decompression bombs.
    pub layer_size: u64,
}

impl Default for Limits {
    /// 64 GiB for a layer.
    fn default() -> Self {
        Self { layer_size: 64 << 30 }
    }
}

/// A pull, load or commit under way. Threads may share it. What it finds or makes is not collected while it lives.
#[derive(Debug)]
pub struct Pull<'s> {
    store: &'s Store,
    limits: Limits,
    _lease: Guard,
}

/// What there is to do for a layer.
#[derive(Debug)]
pub enum LayerPull<'p> {
    /// Nothing: it is there.
    Present,
    /// Its bytes are wanted.
    Stream(LayerStream<'p>),
}

/// A layer whose bytes are wanted. Holds the layer's lock.
#[derive(Debug)]
pub struct LayerStream<'p> {
    pull: &'p Pull<'p>,
    resume_offset: u64,
}

/// What makes an image of layers.
#[derive(Debug, Clone)]
pub struct NewImage<'a> {
    /// The manifest, byte for byte.
    pub manifest: &'a [u8],
    /// The config, byte for byte; its digest is the image ID.
    pub config: &'a [u8],
    /// Full names that it gets, with registry; a missing tag means `latest`.
    pub names: &'a [Reference],
    /// Names with digest that it came under: the manifest's own, and that of the index it was chosen from.
    pub digests: &'a [Reference],
    /// When.
    pub now: Timestamp,
}

impl Store {
    /// Begins to get an image in.
    pub fn begin_pull(&self, limits: Limits) -> Result<Pull<'_>> {
        Ok(Pull { store: self, limits, _lease: self.lease()? })
    }
}

impl Pull<'_> {
    /// Whether an unpacked layer is there.
    pub fn has_layer(&self, diff_id: &Digest) -> Result<bool> {
        Ok(self.store.layer_record(diff_id)?.is_some())
    }

    /// Asks for a layer: the tar with digest `diff_id`, which the blob wraps in `compression`.
    ///
    /// Waits as long as `wait` says while another process gets the same blob, and then finds it present.
    pub fn layer(
        &self,
        blob: &Descriptor,
        diff_id: &Digest,
        compression: Compression,
        wait: Wait<'_>,
    ) -> Result<LayerPull<'_>> {
        let _ = (blob, compression, wait, self.limits);
        match self.has_layer(diff_id)? {
            true => Ok(LayerPull::Present),
            false => Ok(LayerPull::Stream(LayerStream { pull: self, resume_offset: 0 })),
        }
    }

    /// Makes the image visible: everything durable first, then its record, then its names.
    ///
    /// Checks that manifest, config and layers belong together and that every layer is there.
    pub fn commit(self, image: &NewImage<'_>) -> Result<ImageRecord> {
        let _ = image;
        Err(Error::new("commit image", "", Kind::UnsupportedMediaType(String::new())))
    }
}

impl LayerStream<'_> {
    /// How many of the blob's first bytes an earlier try left here; the reader given to `run` starts behind them.
    pub fn resume_offset(&self) -> u64 {
        self.resume_offset
    }

    /// Reads the blob's remaining bytes to their end, checks and unpacks them.
    ///
    /// `progress` gets the number of the blob's bytes taken so far, from time to time. Fails with `Kind::Source` when the
    /// reader does; then, and when the process is killed, the next try resumes. Any other failure starts anew at byte 0.
    pub fn run(self, rest: impl Read, progress: &dyn Fn(u64)) -> Result<()> {
        let _ = (rest, progress, self.pull);
        Err(Error::new("unpack layer", "", Kind::UnsupportedMediaType(String::new())))
    }
}
