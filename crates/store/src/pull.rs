//! Getting an image in: layers one by one, several at a time, then the whole image at once.
//!
//! ```text
//! begin_pull ─► layer ─► Present | Stream ─► run ┐
//!            ─► layer ─► …                       ├─► commit: sync once, record, names
//! ```
//!
//! A layer is checked and complete when `run` returns, and found by other pulls from then on; an image appears in `commit`.
//!
//! While a layer streams, its compressed bytes are kept beside it, so that a killed or cut off pull goes on where it was.

use crate::error::{At, Error, Kind, Result, What};
use crate::layer::stream::{self, Feed, Streamed, Target};
use crate::layer::{LayerRecord, Presence};
use crate::layout;
use crate::lock::{Access, Guard, Wait};
use crate::record::{self, Durability};
use crate::sink::Sink;
use crate::state::boot_id;
use crate::store::Store;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use spec::Digest;
use spec::oci::{Compression, Descriptor};
use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

pub use crate::commit::NewImage;

/// Blobs smaller than this are not kept for resuming: fetching them again costs no more than keeping them.
const KEEP_FROM: u64 = 256 << 10;

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
    pub(crate) store: &'s Store,
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
    store: &'p Store,
    limits: Limits,
    /// Digest and size of the compressed bytes; the digest is not known before when an archive does not say it.
    digest: Option<Digest>,
    size: u64,
    diff_id: Digest,
    compression: Compression,
    partial: Option<Partial>,
    _lock: Option<Guard>,
}

/// The compressed bytes that an earlier try left, and this one adds to.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
    file: File,
    length: u64,
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
        Ok(self.store.layer_presence(diff_id)? != Presence::Absent)
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
        if self.has_layer(diff_id)? {
            return Ok(LayerPull::Present);
        }
        let lock = self.store.lock(&layout::partial_lock(&blob.digest), Access::Exclusive, wait)?;
        if self.has_layer(diff_id)? {
            return Ok(LayerPull::Present);
        }
        let partial = match blob.size >= KEEP_FROM {
            true => Some(self.store.open_partial(blob)?),
            false => None,
        };
        Ok(LayerPull::Stream(LayerStream {
            store: self.store,
            limits: self.limits,
            digest: Some(blob.digest),
            size: blob.size,
            diff_id: *diff_id,
            compression,
            partial,
            _lock: Some(lock),
        }))
    }

    /// As `layer`, for bytes that are at hand and promise no digest of their own; `size` counts them.
    pub(crate) fn local_layer(&self, size: u64, diff_id: &Digest, compression: Compression) -> Result<LayerPull<'_>> {
        if self.has_layer(diff_id)? {
            return Ok(LayerPull::Present);
        }
        Ok(LayerPull::Stream(LayerStream {
            store: self.store,
            limits: self.limits,
            digest: None,
            size,
            diff_id: *diff_id,
            compression,
            partial: None,
            _lock: None,
        }))
    }
}

impl Store {
    fn open_partial(&self, blob: &Descriptor) -> Result<Partial> {
        let path = layout::partial(&blob.digest);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(
            rustix::fs::openat(self.dir(), &path, flags, Mode::from_raw_mode(0o600)).at("open", &self.path(&path))?,
        );
        let mut length = file.metadata().at("look at", &self.path(&path))?.len();
        if length > blob.size {
            file.set_len(0).at("empty", &self.path(&path))?;
            length = 0;
        }
        Ok(Partial { path, file, length })
    }
}

impl LayerStream<'_> {
    /// How many of the blob's first bytes an earlier try left here; the reader given to `run` starts behind them.
    pub fn resume_offset(&self) -> u64 {
        self.partial.as_ref().map_or(0, |partial| partial.length)
    }

    /// Reads the blob's remaining bytes to their end, checks and unpacks them.
    ///
    /// `progress` gets the number of the blob's bytes taken so far, from time to time. Fails with `Kind::Source` when the
    /// reader does; then, when the process is killed and when the disk is full, the next try resumes. After any other
    /// failure it starts anew at byte 0.
    pub fn run(mut self, rest: impl Read, progress: &dyn Fn(u64)) -> Result<()> {
        let tmp = layout::tmp(&record::random_name());
        let result = self.unpack(&tmp, rest, progress).and_then(|streamed| self.store.publish_layer(&tmp, &streamed));
        if result.is_err() {
            let _ = self.store.discard(&tmp);
        }
        let keep = match &result {
            Ok(()) => false,
            Err(error) => matches!(error.kind, Kind::Source(_) | Kind::NoSpace(_) | Kind::Io(_)),
        };
        if let (Some(partial), false) = (&self.partial, keep) {
            let _ = rustix::fs::unlinkat(self.store.dir(), &partial.path, AtFlags::empty());
        }
        if let (Some(digest), Ok(())) = (&self.digest, &result) {
            let _ = rustix::fs::unlinkat(self.store.dir(), layout::partial_lock(digest), AtFlags::empty());
        }
        result.map_err(|error| self.store.told_of_full_disk(error))
    }

    fn unpack(&mut self, tmp: &Path, rest: impl Read, progress: &dyn Fn(u64)) -> Result<Streamed> {
        let target = self.store.new_layer(tmp, self.limits)?;
        let compression = self.compression;
        let streamed = stream::run(&mut BlobFeed::new(self, rest, progress)?, compression, target)?;
        if streamed.diff_id != self.diff_id {
            let kind = Kind::DigestMismatch { expected: self.diff_id, actual: streamed.diff_id };
            return Err(Error::new("unpack", "layer", kind));
        }
        Ok(streamed)
    }
}

impl Pull<'_> {
    /// Takes in a layer whose plain tar `make` writes, and of which nothing is known before. Must run where the files' owners are
    /// mapped.
    pub fn made_layer(&self, make: impl FnOnce(&mut dyn Sink) -> Result<()>) -> Result<Digest> {
        let tmp = layout::tmp(&record::random_name());
        let target = self.store.new_layer(&tmp, self.limits);
        let made = target.and_then(|target| stream::run_made(make, target)).and_then(|streamed| {
            let presence = self.store.layer_presence(&streamed.diff_id)?;
            match presence {
                Presence::Absent => self.store.publish_layer(&tmp, &streamed)?,
                Presence::Unsynced | Presence::Durable => self.store.discard(&tmp)?,
            }
            Ok(streamed.diff_id)
        });
        if made.is_err() {
            let _ = self.store.discard(&tmp);
        }
        made.map_err(|error| self.store.told_of_full_disk(error))
    }
}

impl Store {
    /// Makes the directory of a layer that is on its way.
    fn new_layer(&self, tmp: &Path, limits: Limits) -> Result<Target> {
        let store = self;
        let path = store.path(tmp);
        let diff = layout::within(tmp, layout::LAYER_DIFF);
        rustix::fs::mkdirat(store.dir(), tmp, Mode::from_raw_mode(0o700)).at("create", &path)?;
        rustix::fs::mkdirat(store.dir(), &diff, Mode::from_raw_mode(0o755)).at("create", &path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let diff = rustix::fs::openat(store.dir(), &diff, flags, Mode::empty()).at("open", &path)?;
        rustix::fs::fchmod(&diff, Mode::from_raw_mode(0o755)).at("create", &path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let frame = rustix::fs::openat(
            store.dir(),
            layout::within(tmp, layout::LAYER_FRAME),
            flags,
            Mode::from_raw_mode(0o600),
        )
        .at("create", &path)?;
        Ok(Target { diff, frame: File::from(frame), limit: limits.layer_size })
    }

    /// Puts the complete layer in its place.
    fn publish_layer(&self, tmp: &Path, streamed: &Streamed) -> Result<()> {
        let store = self;
        let path = store.path(tmp);
        let exact = !streamed.unpacked.replaced;
        if !exact {
            rustix::fs::unlinkat(store.dir(), layout::within(tmp, layout::LAYER_FRAME), AtFlags::empty())
                .at("remove", &path)?;
        }
        let record = LayerRecord {
            diff_id: streamed.diff_id,
            tar_size: streamed.tar_size,
            size: streamed.unpacked.size,
            entries: streamed.unpacked.entries,
            root: streamed.unpacked.root,
            devices: streamed.unpacked.devices,
            exact,
        };
        let bytes = serde_json::to_vec(&record)
            .map_err(|error| Error::new("unpack", "layer", Kind::Corrupt(error.to_string())))?;
        record::create_at(store.dir(), &layout::within(tmp, layout::LAYER_RECORD), &bytes, Durability::Volatile)
            .at("write", &path)?;
        rustix::fs::symlinkat(boot_id(), store.dir(), layout::within(tmp, layout::LAYER_UNSYNCED))
            .at("write", &path)?;
        let to = layout::layer(&streamed.diff_id);
        match rustix::fs::renameat_with(store.dir(), tmp, store.dir(), &to, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            // The same tar came from a blob with another digest meanwhile.
            Err(Errno::EXIST) => store.discard(tmp),
            Err(errno) => Err(Error::at("create", &store.path(&to), errno)),
        }
    }
}

/// Gives the blob's bytes: first what was kept, then the rest, keeping it; and checks them at the end.
struct BlobFeed<'a, R> {
    rest: R,
    kept: Option<&'a mut Partial>,
    /// Bytes still to come from what was kept.
    replay: u64,
    taken: u64,
    hash: Option<Sha256>,
    digest: Option<Digest>,
    size: u64,
    progress: &'a dyn Fn(u64),
    path: PathBuf,
    store: &'a Store,
    told: Cell<u64>,
}

impl<'a, R: Read> BlobFeed<'a, R> {
    fn new(layer: &'a mut LayerStream<'_>, rest: R, progress: &'a dyn Fn(u64)) -> Result<Self> {
        let store = layer.store;
        let path = layer.partial.as_ref().map(|partial| store.path(&partial.path)).unwrap_or_default();
        if let Some(partial) = &mut layer.partial {
            partial.file.rewind().at("rewind", &path)?;
        }
        Ok(Self {
            rest,
            replay: layer.partial.as_ref().map_or(0, |partial| partial.length),
            kept: layer.partial.as_mut(),
            taken: 0,
            hash: layer.digest.map(|_| Sha256::new()),
            digest: layer.digest,
            size: layer.size,
            progress,
            path,
            store,
            told: Cell::new(0),
        })
    }

    /// Adds bytes to what is kept. If the disk is full, the layer itself needs the space more.
    fn keep(&mut self, chunk: &[u8]) {
        let Some(partial) = &mut self.kept else { return };
        if partial.file.write_all(chunk).is_err() {
            let _ = partial.file.set_len(0);
            let _ = rustix::fs::unlinkat(self.store.dir(), &partial.path, AtFlags::empty());
            self.kept = None;
        }
    }

    fn finish(&mut self) -> Result<()> {
        let wrong = |kind| Err(Error::new("fetch", "layer", kind));
        if self.taken != self.size {
            return wrong(Kind::SizeMismatch { expected: self.size, actual: self.taken });
        }
        if let (Some(hash), Some(expected)) = (self.hash.take(), self.digest) {
            let actual = Digest::from_bytes(hash.finalize().into());
            if actual != expected {
                return wrong(Kind::DigestMismatch { expected, actual });
            }
        }
        Ok(())
    }
}

impl<R: Read> Feed for BlobFeed<'_, R> {
    fn next(&mut self, chunk: &mut Vec<u8>) -> Result<()> {
        if let (Some(partial), true) = (&mut self.kept, self.replay > 0) {
            stream::fill(&mut partial.file, chunk, self.replay).at("read", &self.path)?;
            if chunk.is_empty() {
                let gone = std::io::ErrorKind::UnexpectedEof;
                return Err(Error::at("read", &self.path, std::io::Error::from(gone)));
            }
            self.replay -= chunk.len() as u64;
        } else {
            // One byte more than is due shows a blob that is too long.
            let due = (self.size - self.taken).saturating_add(1);
            let filled = stream::fill(&mut self.rest, chunk, due);
            // Also what came before an error: the next try goes on behind it.
            self.keep(chunk);
            filled.map_err(|error| Error::new("fetch", "layer", Kind::Source(error)))?;
        }
        self.taken += chunk.len() as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(chunk.as_slice());
        }
        if chunk.is_empty() || self.taken > self.size {
            self.finish()?;
        }
        if self.told.replace(self.taken) != self.taken {
            (self.progress)(self.taken);
        }
        Ok(())
    }
}

/// For errors: a layer that should be there.
pub(crate) fn missing_layer(diff_id: &Digest) -> Error {
    Error::not_found("commit image", What::Layer, diff_id.to_string())
}

#[cfg(test)]
mod tests;
