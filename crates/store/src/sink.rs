//! Where an archive goes: headers as bytes, files by descriptor, so that the kernel may move them.

use rustix::io::Errno;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;

/// Bytes that are read at a time.
const PIECE: usize = 128 << 10;
/// Bytes of headers and small files that are written at once.
const GATHERED: usize = 256 << 10;
/// Files smaller than this are read with what is around them: a call to the kernel for each would cost more.
const SMALL: u64 = 32 << 10;
/// Most bytes that the kernel is asked to move at once.
const MOST: usize = 1 << 30;

/// Takes an archive.
pub trait Sink {
    /// Takes bytes.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Takes `size` bytes from where `file` stands; how many there were, which may be fewer.
    fn content(&mut self, file: BorrowedFd<'_>, size: u64) -> io::Result<u64>;

    /// Hands on what is left.
    fn finish(&mut self) -> io::Result<()>;
}

/// Into anything that takes bytes.
impl<W: Write> Sink for W {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn content(&mut self, file: BorrowedFd<'_>, size: u64) -> io::Result<u64> {
        let mut buffer = vec![0; usize::try_from(size).unwrap_or(PIECE).min(PIECE)];
        let mut taken = 0;
        while taken < size {
            let most = usize::try_from(size - taken).unwrap_or(usize::MAX).min(buffer.len());
            match rustix::io::retry_on_intr(|| rustix::io::read(file, &mut buffer[..most]))? {
                0 => break,
                count => {
                    self.write_all(&buffer[..count])?;
                    taken += count as u64;
                }
            }
        }
        Ok(taken)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// Into a file, a pipe or a socket: large files are moved by the kernel.
#[derive(Debug)]
pub struct Direct<'f> {
    out: BorrowedFd<'f>,
    gathered: Vec<u8>,
}

impl<'f> Direct<'f> {
    /// Writes to `out` from where it stands.
    pub fn new(out: BorrowedFd<'f>) -> Self {
        Self { out, gathered: Vec::with_capacity(GATHERED) }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let mut rest = self.gathered.as_slice();
        while !rest.is_empty() {
            let count = rustix::io::retry_on_intr(|| rustix::io::write(self.out, rest))?;
            rest = &rest[count..];
        }
        self.gathered.clear();
        Ok(())
    }

    /// What the kernel moves; the rest, where it moves nothing, is left to be read.
    fn moved(&mut self, file: BorrowedFd<'_>, size: u64) -> io::Result<u64> {
        let mut taken = 0;
        while taken < size {
            let most = usize::try_from(size - taken).unwrap_or(usize::MAX).min(MOST);
            match rustix::io::retry_on_intr(|| rustix::fs::sendfile(self.out, file, None, most)) {
                Ok(0) => break,
                Ok(count) => taken += count as u64,
                // A file system or an output (opened to append) that cannot.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(taken)
    }
}

impl Sink for Direct<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.gathered.len() + bytes.len() > GATHERED {
            self.hand_on()?;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    fn content(&mut self, file: BorrowedFd<'_>, size: u64) -> io::Result<u64> {
        let mut taken = 0;
        if size >= SMALL {
            self.hand_on()?;
            taken = self.moved(file, size)?;
        }
        let mut buffer = [0; SMALL as usize];
        while taken < size {
            let most = usize::try_from(size - taken).unwrap_or(usize::MAX).min(buffer.len());
            match rustix::io::retry_on_intr(|| rustix::io::read(file, &mut buffer[..most]))? {
                0 => break,
                count => {
                    self.bytes(&buffer[..count])?;
                    taken += count as u64;
                }
            }
        }
        Ok(taken)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.hand_on()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::SeekFrom;
    use std::io::Read;
    use std::os::fd::AsFd;

    /// What a file's content becomes between two headers, whatever takes it.
    fn taken(content: &[u8], out: &mut dyn Sink) -> u64 {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        rustix::fs::seek(&file, SeekFrom::Start(0)).unwrap();
        out.bytes(b"before").unwrap();
        let taken = out.content(file.as_fd(), content.len() as u64 + 5).unwrap();
        out.bytes(b"after").unwrap();
        out.finish().unwrap();
        taken
    }

    #[test]
    fn files_and_pipes_get_the_same_bytes() {
        for length in [0, 10, SMALL as usize - 1, 3_000_000] {
            let content: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let expected = [&b"before"[..], &content, b"after"].concat();
            let mut plain = Vec::new();
            assert_eq!(taken(&content, &mut plain), length as u64);
            assert!(plain == expected, "{length}");
            let mut file = tempfile::tempfile().unwrap();
            assert_eq!(taken(&content, &mut Direct::new(file.as_fd())), length as u64);
            let mut found = Vec::new();
            rustix::fs::seek(&file, SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut found).unwrap();
            assert!(found == expected, "file, {length}");
            let (reads, writes) = rustix::pipe::pipe().unwrap();
            let reader = std::thread::spawn(move || {
                let mut found = Vec::new();
                std::fs::File::from(reads).read_to_end(&mut found).unwrap();
                found
            });
            assert_eq!(taken(&content, &mut Direct::new(writes.as_fd())), length as u64);
            drop(writes);
            assert!(reader.join().unwrap() == expected, "pipe, {length}");
        }
    }

    #[test]
    fn an_output_that_is_only_appended_to_gets_everything() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        let out = std::fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
        taken(&[7; 100_000], &mut Direct::new(out.as_fd()));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 100_011);
    }
}
