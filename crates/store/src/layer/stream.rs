//! Compressed bytes → checked tar → files, in one pass and bounded memory.
//!
//! ```text
//! calling thread                       "inflate"               "unpack"
//! read ─► partial, sha256 ──chunks──► decompress ──chunks──► sha256, limit ─► tar ─► files, frame
//! ```
//!
//! Decompressing takes most of the time, so it has a thread to itself.
//!
//! Memory: twice `DEPTH` chunks in flight, the decoder's window (32 KiB for gzip; zstd's own up to 128 MiB, which its encoder
//! chooses and is 8 MiB or less for every usual level), and one entry's metadata.

use super::unpack::{self, Unpacked, Whiteouts};
use crate::error::{Error, Kind, Result};
use crate::sink::Sink;
use crate::tar;
use sha2::{Digest as _, Sha256};
use spec::Digest;
use spec::oci::Compression;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
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
/// When several sides fail, the feeding side's error is the cause, unless it only found that nobody takes its bytes.
pub(crate) fn run(feed: &mut dyn Feed, compression: Compression, target: Target) -> Result<Streamed> {
    let spawn_error = |error| Error::new("unpack", "layer", Kind::from_io(error));
    let thread = |name: &str| std::thread::Builder::new().name(name.into());
    std::thread::scope(|scope| {
        let (fed, compressed) = pipe();
        let tar = match compression {
            Compression::None => compressed,
            _ => {
                let (decoded, tar) = pipe();
                let inflate = move || decode_side(compressed, compression, &decoded);
                thread("inflate").spawn_scoped(scope, inflate).map_err(spawn_error)?;
                tar
            }
        };
        let unpack = move || unpack_side(tar, target);
        let unpacker = thread("unpack").spawn_scoped(scope, unpack).map_err(spawn_error)?;
        let result = feed_side(feed, &fed);
        drop(fed);
        let unpacked = unpacker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        result.and(unpacked)
    })
}

/// The same for a plain tar that the calling thread makes.
pub(crate) fn run_made(make: impl FnOnce(&mut dyn Sink) -> Result<()>, target: Target) -> Result<Streamed> {
    let spawn_error = |error| Error::new("unpack", "layer", Kind::from_io(error));
    std::thread::scope(|scope| {
        let (fed, tar) = pipe();
        let unpack = move || unpack_side(tar, target);
        let unpacker =
            std::thread::Builder::new().name("unpack".into()).spawn_scoped(scope, unpack).map_err(spawn_error)?;
        let mut made = Made { chunk: fed.empty(), to: fed, lost: false };
        let result = make(&mut made);
        let lost = made.lost;
        drop(made);
        let unpacked = unpacker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where nobody took the bytes any more, the other side says why.
        if lost { unpacked } else { result.and(unpacked) }
    })
}

/// Bytes of a tar on their way into chunks; files are read into them.
struct Made {
    to: Pipe,
    chunk: Vec<u8>,
    lost: bool,
}

impl Made {
    fn send(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.chunk, self.to.empty());
        self.lost |= !self.to.send(Ok(chunk));
        if self.lost { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl Sink for Made {
    fn bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = bytes.len().min(CHUNK - self.chunk.len());
            self.chunk.extend_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            if self.chunk.len() == CHUNK {
                self.send()?;
            }
        }
        Ok(())
    }

    fn content(&mut self, file: BorrowedFd<'_>, size: u64) -> io::Result<u64> {
        let mut taken = 0;
        while taken < size {
            let most = usize::try_from(size - taken).unwrap_or(CHUNK).min(CHUNK - self.chunk.len());
            let length = self.chunk.len();
            self.chunk.resize(length + most, 0);
            let count = rustix::io::retry_on_intr(|| rustix::io::read(file, &mut self.chunk[length..]))?;
            self.chunk.truncate(length + count);
            if count == 0 {
                break;
            }
            taken += count as u64;
            if self.chunk.len() == CHUNK {
                self.send()?;
            }
        }
        Ok(taken)
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.chunk.is_empty() {
            self.send()?;
        }
        self.send()
    }
}

/// The sending end of the chunks.
struct Pipe {
    chunks: SyncSender<io::Result<Vec<u8>>>,
    empties: Receiver<Vec<u8>>,
}

fn pipe() -> (Pipe, Chunks) {
    let (chunks, received) = sync_channel(DEPTH);
    let (spent, empties) = channel();
    (Pipe { chunks, empties }, Chunks { received, spent, chunk: Vec::new(), at: 0, ended: false })
}

impl Pipe {
    fn empty(&self) -> Vec<u8> {
        let mut chunk = self.empties.try_recv().unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        chunk.clear();
        chunk
    }

    /// Hands a chunk on; an empty one is the end. False if nobody takes it: the other side has failed and says why.
    fn send(&self, chunk: io::Result<Vec<u8>>) -> bool {
        self.chunks.send(chunk).is_ok()
    }
}

fn feed_side(feed: &mut dyn Feed, to: &Pipe) -> Result<()> {
    loop {
        let mut chunk = to.empty();
        feed.next(&mut chunk)?;
        let end = chunk.is_empty();
        if !to.send(Ok(chunk)) || end {
            return Ok(());
        }
    }
}

fn decode_side(from: Chunks, compression: Compression, to: &Pipe) {
    let mut decoder = match decoder(from, compression) {
        Ok(decoder) => decoder,
        Err(error) => {
            // Nobody listens any more: then nobody wants to know.
            let _ = to.send(Err(error));
            return;
        }
    };
    loop {
        let mut chunk = to.empty();
        let filled = fill(&mut decoder, &mut chunk, CHUNK as u64);
        let more = filled.is_ok() && !chunk.is_empty();
        if !to.send(filled.map(|()| chunk)) || !more {
            return;
        }
    }
}

fn unpack_side(bytes: Chunks, target: Target) -> Result<Streamed> {
    let io = |error| Error::new("unpack", "layer", Kind::from_io(error));
    let mut tar = TarBytes::new(bytes, target.limit);
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
    received: Receiver<io::Result<Vec<u8>>>,
    spent: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl BufRead for Chunks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.chunk.len() && !self.ended {
            // Without an end, the feeding side has failed: this must not look like the end of the bytes.
            let next = self.received.recv().map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))??;
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

/// The tar's bytes on their way, hashed and counted, chunk by chunk.
struct TarBytes {
    chunks: Chunks,
    /// Bytes of the present chunk that were not consumed yet; all of them are hashed.
    left: usize,
    hash: Sha256,
    total: u64,
    limit: u64,
}

impl TarBytes {
    fn new(chunks: Chunks, limit: u64) -> Self {
        Self { chunks, left: 0, hash: Sha256::new(), total: 0, limit }
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

impl BufRead for TarBytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let chunk = self.chunks.fill_buf()?;
        if self.left == 0 {
            self.hash.update(chunk);
            self.left = chunk.len();
            self.total += chunk.len() as u64;
        }
        match self.total > self.limit {
            true => Err(io::Error::other("more bytes than allowed")),
            false => Ok(chunk),
        }
    }

    fn consume(&mut self, count: usize) {
        self.left -= count;
        self.chunks.consume(count);
    }
}

impl Read for TarBytes {
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
