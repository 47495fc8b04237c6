//! Compressed bytes → checked tar → files, in one pass and bounded memory.
//!
//! ```text
//! calling thread                     second thread
//! read ─► partial, sha256 ─► chunks ─► decompress ─► sha256, limit ─► tar ─► files, frame
//! ```
//!
//! Memory: `DEPTH` chunks in flight, the decoder's window (32 KiB for gzip; zstd's own up to 128 MiB, which its encoder
//! chooses and is 8 MiB or less for every usual level), and one entry's metadata.

use super::unpack::{self, Unpacked, Whiteouts};
use crate::error::{Error, Kind, Result};
use crate::tar;
use sha2::{Digest as _, Sha256};
use spec::Digest;
use spec::oci::Compression;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Bytes of one chunk.
const CHUNK: usize = 64 << 10;
/// Chunks that wait between the threads.
const DEPTH: usize = 8;
/// The largest zstd window that is accepted, as a power of two: what zstd's own programs accept without being asked.
const ZSTD_WINDOW: u32 = 27;
/// zstd level of the frame: it is mostly zeros and repeats itself.
const FRAME_LEVEL: i32 = 1;

/// Where a layer goes.
pub(crate) struct Target {
    /// The empty directory for its files.
    pub(crate) diff: OwnedFd,
    /// The empty file for its frame.
    pub(crate) frame: File,
    /// Most bytes of the tar, and of one file.
    pub(crate) limit: u64,
}

/// A layer that was unpacked.
pub(crate) struct Streamed {
    /// sha256 of the tar.
    pub(crate) diff_id: Digest,
    /// Bytes of the tar.
    pub(crate) tar_size: u64,
    pub(crate) unpacked: Unpacked,
}

/// Something that gives the compressed bytes, chunk by chunk, on the calling thread.
///
/// It reports what is wrong with the bytes as a whole, such as their digest, as an error at the end.
pub(crate) trait Feed {
    /// Fills the buffer with the next bytes; leaves it empty at the end.
    fn next(&mut self, chunk: &mut Vec<u8>) -> Result<()>;
}

/// Runs the whole pass.
///
/// When both sides fail, the feeding side's error is the cause, unless it only found that nobody takes its bytes.
pub(crate) fn run(feed: &mut dyn Feed, compression: Compression, target: Target) -> Result<Streamed> {
    let (chunks, received) = sync_channel(DEPTH);
    let (spent, empties) = channel();
    std::thread::scope(|scope| {
        let unpacker = std::thread::Builder::new()
            .name("unpack".into())
            .spawn_scoped(scope, move || unpack_side(Chunks::new(received, spent), compression, target))
            .map_err(|error| Error::new("unpack", "layer", Kind::from_io(error)))?;
        let fed = feed_side(feed, &chunks, &empties);
        drop(chunks);
        let unpacked = unpacker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match fed {
            Ok(()) => unpacked,
            Err(error) => Err(error),
        }
    })
}

fn feed_side(feed: &mut dyn Feed, chunks: &SyncSender<Vec<u8>>, empties: &Receiver<Vec<u8>>) -> Result<()> {
    loop {
        let mut chunk = empties.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        chunk.clear();
        feed.next(&mut chunk)?;
        let end = chunk.is_empty();
        // If nobody takes it, the other side has failed and says why.
        if chunks.send(chunk).is_err() || end {
            return Ok(());
        }
    }
}

fn unpack_side(chunks: Chunks, compression: Compression, target: Target) -> Result<Streamed> {
    let io = |error| Error::new("unpack", "layer", Kind::from_io(error));
    let mut tar = TarBytes::new(decoder(chunks, compression).map_err(io)?, target.limit);
    let mut frame = zstd::stream::write::Encoder::new(target.frame, FRAME_LEVEL).map_err(io)?;
    let mut frame_error = None;
    let mut keep = |bytes: &[u8]| {
        frame.write_all(bytes).map_err(|error| {
            let kind = error.kind();
            frame_error = Some(error);
            kind.into()
        })
    };
    let mut reader = tar::Reader::with_frame(&mut tar, &mut keep);
    let unpacked = unpack::unpack(&mut reader, target.diff, Whiteouts::Overlay, target.limit);
    drop(reader);
    let unpacked = match unpacked {
        Ok(unpacked) => unpacked,
        Err(error) => return Err(tar.explain(error, frame_error)),
    };
    frame.finish().map_err(io)?;
    let tar_size = tar.total;
    Ok(Streamed { diff_id: tar.digest(), tar_size, unpacked })
}

fn decoder(chunks: Chunks, compression: Compression) -> io::Result<Box<dyn Read>> {
    Ok(match compression {
        Compression::None => Box::new(chunks),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(chunks)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(chunks)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
    })
}

/// The receiving end of the chunks, as a reader.
struct Chunks {
    received: Receiver<Vec<u8>>,
    spent: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Chunks {
    fn new(received: Receiver<Vec<u8>>, spent: Sender<Vec<u8>>) -> Self {
        Self { received, spent, chunk: Vec::new(), at: 0, ended: false }
    }
}

impl BufRead for Chunks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.chunk.len() && !self.ended {
            // Without an end, the feeding side has failed: this must not look like the end of the bytes.
            let next = self.received.recv().map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))?;
            self.ended = next.is_empty();
            let _ = self.spent.send(std::mem::replace(&mut self.chunk, next));
            self.at = 0;
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// The tar's bytes on their way, hashed and counted.
pub(crate) struct TarBytes<R> {
    inner: R,
    buffer: Box<[u8]>,
    at: usize,
    filled: usize,
    hash: Sha256,
    total: u64,
    limit: u64,
}

impl<R: Read> TarBytes<R> {
    pub(crate) fn new(inner: R, limit: u64) -> Self {
        let buffer = vec![0; CHUNK].into_boxed_slice();
        Self { inner, buffer, at: 0, filled: 0, hash: Sha256::new(), total: 0, limit }
    }

    fn digest(self) -> Digest {
        Digest::from_bytes(self.hash.finalize().into())
    }

    /// Gives a failed read its true cause.
    fn explain(&self, error: Error, frame_error: Option<io::Error>) -> Error {
        let Error { op, subject, kind } = error;
        let kind = match (kind, frame_error) {
            (Kind::Source(_), Some(frame)) => Kind::from_io(frame),
            (Kind::Source(_), None) if self.total > self.limit => Kind::TooLarge { limit: self.limit },
            (Kind::Source(error), None) => Kind::BadArchive(format!("the compressed bytes are damaged: {error}")),
            (kind, _) => kind,
        };
        Error { op, subject, kind }
    }
}

impl<R: Read> BufRead for TarBytes<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.filled {
            (self.at, self.filled) = (0, 0);
            // Decoders return little at a time; whole buffers make fewer, larger writes and hashes.
            while self.filled < self.buffer.len() {
                match self.inner.read(&mut self.buffer[self.filled..]) {
                    Ok(0) => break,
                    Ok(count) => self.filled += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            self.hash.update(&self.buffer[..self.filled]);
            self.total += self.filled as u64;
            if self.total > self.limit {
                return Err(io::Error::other("more bytes than allowed"));
            }
        }
        Ok(&self.buffer[self.at..self.filled])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

impl<R: Read> Read for TarBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// Reads bytes into an empty chunk until it is full or the input ends.
pub(crate) fn fill(input: &mut impl Read, chunk: &mut Vec<u8>, limit: u64) -> io::Result<()> {
    let limit = usize::try_from(limit).unwrap_or(CHUNK).min(CHUNK);
    input.take(limit as u64).read_to_end(chunk).map(drop)
}
