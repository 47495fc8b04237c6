//! The sequence of blocks → entries and their content.

use super::header::{Header, Why, until_nul};
use super::pax::{Overrides, SparseMap};
use super::sparse::{self, Lines, Segment};
use super::{BLOCK, Entry, Error, Kind, META_LIMIT, PATH_LIMIT, Result, Time};
use std::io::{self, BufRead, Seek};

/// Extended headers in a row before an entry; four kinds exist.
const EXTENDED_LIMIT: u32 = 16;

/// Takes what lies between the contents of entries.
type Frame<'f> = &'f mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Reads entries one after the other. Memory: one entry's metadata, at most about 3 MiB.
pub struct Reader<'f, R> {
    input: R,
    frame: Option<Frame<'f>>,
    /// Bytes taken from the input.
    offset: u64,
    /// Content of the present entry that was not read yet, and the padding behind it.
    content: u64,
    padding: u64,
    /// Where the content goes; for ordinary files one segment.
    segments: Vec<Segment>,
}

/// What extended headers said so far.
#[derive(Default)]
struct Extended {
    pax: Option<Overrides>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    count: u32,
    bytes: u64,
}

impl<'f, R: BufRead> Reader<'f, R> {
    /// Reads an archive.
    pub fn new(input: R) -> Self {
        Self { input, frame: None, offset: 0, content: 0, padding: 0, segments: Vec::new() }
    }

    /// Reads an archive, and gives everything but the content that `content` hands out to `frame`, in order.
    ///
    /// The frame is itself readable by such a reader if `supplied` is called where `content` was.
    pub fn with_frame(input: R, frame: Frame<'f>) -> Self {
        Self { frame: Some(frame), ..Self::new(input) }
    }

    /// Goes on to the next entry; false at the end of the archive.
    ///
    /// Content of the entry before that was not read is skipped. At the end, the rest of the input is read too.
    pub fn next(&mut self, entry: &mut Entry) -> Result<bool> {
        self.skip_content()?;
        let mut extended = Extended::default();
        let mut block = [0; BLOCK];
        loop {
            let at = self.offset;
            if !self.read_header(&mut block)? {
                if extended.count > 0 {
                    return Err(malformed(at, "an extended header without an entry"));
                }
                self.drain()?;
                return Ok(false);
            }
            let wrong = |why| malformed(at, why);
            let header = Header::parse(&block).map_err(wrong)?;
            let size = header.size().map_err(wrong)?;
            match header.type_flag() {
                b'x' | b'g' | b'L' | b'K' => self.read_extended(&header, at, size, &mut extended)?,
                _ => {
                    self.finish(&header, at, size, extended, entry)?;
                    return Ok(true);
                }
            }
        }
    }

    /// Bytes of the archive read so far: where the present entry's content begins.
    pub fn position(&self) -> u64 {
        self.offset
    }

    /// Bytes of content in the archive for the present entry, not yet read: for sparse files, without holes.
    pub fn stored_size(&self) -> u64 {
        self.content
    }

    /// Hands out the content of the present entry in pieces: offset in the file, bytes.
    ///
    /// A sparse file's holes are not handed out. The pieces come in order.
    pub fn content<E: From<Error>>(
        &mut self,
        mut take: impl FnMut(u64, &[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let segments = std::mem::take(&mut self.segments);
        for segment in segments {
            let mut at = segment.offset;
            let mut left = segment.length;
            while left > 0 {
                let buffer = self.input.fill_buf().map_err(Error::from)?;
                let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                if count == 0 {
                    return Err(malformed(self.offset, "the archive ends within a file").into());
                }
                take(at, &buffer[..count])?;
                self.input.consume(count);
                self.offset += count as u64;
                self.content -= count as u64;
                at += count as u64;
                left -= count as u64;
            }
        }
        Ok(())
    }

    /// When reading a frame: the present entry's content is not in the input. Returns where it lies in the file.
    pub fn supplied(&mut self) -> Vec<Segment> {
        self.content = 0;
        std::mem::take(&mut self.segments)
    }

    /// Reads the next header block; false at the end: two zero blocks, or no more input.
    fn read_header(&mut self, block: &mut [u8; BLOCK]) -> Result<bool> {
        if !self.read_block(block)? {
            return Ok(false);
        }
        if block.iter().any(|byte| *byte != 0) {
            return Ok(true);
        }
        let at = self.offset;
        if self.read_block(block)? && block.iter().any(|byte| *byte != 0) {
            return Err(malformed(at, "a zero block between entries"));
        }
        Ok(false)
    }

    fn read_extended(&mut self, header: &Header<'_>, at: u64, size: u64, extended: &mut Extended) -> Result<()> {
        let wrong = |why| malformed(at, why);
        extended.count += 1;
        extended.bytes = extended.bytes.saturating_add(size);
        if extended.count > EXTENDED_LIMIT || extended.bytes > META_LIMIT {
            return Err(wrong("extended headers that are too large"));
        }
        let bytes = self.read_meta(size)?;
        match header.type_flag() {
            b'x' => extended.pax = Some(Overrides::parse(&bytes).map_err(wrong)?),
            // Defaults for all that follows, such as the comment of `git archive`. Nobody's images mean anything by
            // them, and Go does not apply them either; like Go, they end what was said before them.
            b'g' => {
                Overrides::parse(&bytes).map_err(wrong)?;
                *extended = Extended::default();
            }
            b'L' => extended.long_name = Some(until_nul(&bytes).to_vec()),
            _ => extended.long_link = Some(until_nul(&bytes).to_vec()),
        }
        Ok(())
    }

    /// Makes the entry of a header and what was said before it.
    fn finish(
        &mut self,
        header: &Header<'_>,
        at: u64,
        size: u64,
        mut extended: Extended,
        entry: &mut Entry,
    ) -> Result<()> {
        let wrong = |why| malformed(at, why);
        entry.clear();
        fields(header, entry).map_err(wrong)?;
        let mut stored = size;
        if let Some(pax) = &mut extended.pax {
            pax.apply(entry).map_err(wrong)?;
            stored = pax.size.unwrap_or(size);
        }
        if let Some(name) = extended.long_name.filter(|name| !name.is_empty()) {
            entry.path = name;
        }
        if let Some(link) = extended.long_link.filter(|link| !link.is_empty()) {
            entry.link = link;
        }
        entry.kind = kind(header.type_flag(), &entry.path).ok_or_else(|| wrong("an entry of an unknown type"))?;
        if entry.kind != Kind::File {
            // Whatever the size says: these have no content.
            stored = 0;
        }
        if stored > i64::MAX as u64 {
            return Err(wrong("a size out of range"));
        }
        entry.size = stored;
        (self.content, self.padding) = (stored, stored.next_multiple_of(BLOCK as u64) - stored);
        self.segments = vec![Segment { offset: 0, length: stored }];
        self.read_sparse(header, at, extended.pax.as_mut(), entry)?;
        check_entry(entry).map_err(wrong)
    }

    /// Reads the map of a sparse file, if it is one.
    fn read_sparse(
        &mut self,
        header: &Header<'_>,
        at: u64,
        pax: Option<&mut Overrides>,
        entry: &mut Entry,
    ) -> Result<()> {
        let wrong = |why| malformed(at, why);
        let (map, size) = if header.type_flag() == b'S' {
            let (inline, more, size) = header.gnu_sparse().map_err(wrong)?;
            (self.read_descriptors(at, inline, more)?, size)
        } else {
            let Some(pax) = pax else { return Ok(()) };
            let Some(map) = pax.sparse.map().map_err(wrong)? else { return Ok(()) };
            if entry.kind != Kind::File {
                return Err(wrong("a sparse entry that is no file"));
            }
            if let Some(name) = pax.sparse.name.take() {
                entry.path = name;
            }
            let size = pax.sparse.size.unwrap_or(entry.size);
            match map {
                SparseMap::Here(map) => (map, size),
                SparseMap::BeforeContent => (self.read_lines(at)?, size),
            }
        };
        sparse::check(&map, size, self.content).map_err(wrong)?;
        entry.size = size;
        self.segments.clone_from(&map);
        entry.sparse = Some(map);
        Ok(())
    }

    /// Old GNU format: descriptors in the header, and in blocks of 21 behind it.
    fn read_descriptors(&mut self, at: u64, inline: &[u8], mut more: bool) -> Result<Vec<Segment>> {
        let wrong = |why| malformed(at, why);
        let mut map = Vec::new();
        sparse::descriptors(inline, &mut map).map_err(wrong)?;
        let mut bytes = 0;
        while more {
            let mut block = [0; BLOCK];
            bytes += BLOCK as u64;
            if bytes > META_LIMIT || !self.read_block(&mut block)? {
                return Err(wrong("a sparse map that does not end"));
            }
            sparse::descriptors(&block[..504], &mut map).map_err(wrong)?;
            more = block[504] != 0;
        }
        Ok(map)
    }

    /// Format 1.0: blocks of text that count as content.
    fn read_lines(&mut self, at: u64) -> Result<Vec<Segment>> {
        let wrong = |why| malformed(at, why);
        let mut lines = Lines::default();
        let mut bytes = 0;
        loop {
            let mut block = [0; BLOCK];
            bytes += BLOCK as u64;
            if bytes > META_LIMIT || bytes > self.content {
                return Err(wrong("a sparse map that does not end"));
            }
            if !self.read_block(&mut block)? {
                return Err(wrong("the archive ends within a sparse map"));
            }
            if lines.take(&block).map_err(wrong)? {
                break;
            }
        }
        self.content -= bytes;
        lines.into_map().map_err(wrong)
    }

    fn skip_content(&mut self) -> Result<()> {
        let content = std::mem::take(&mut self.content);
        let padding = std::mem::take(&mut self.padding);
        // Go, too, lets the padding of the last entry be cut off.
        self.skip(content, "the archive ends within a file")?;
        match self.skip(padding, "") {
            Err(Error::Malformed { .. }) => Ok(()),
            other => other,
        }
    }

    fn skip(&mut self, mut left: u64, why: Why) -> Result<()> {
        while left > 0 {
            let count = self.pass(usize::try_from(left).unwrap_or(usize::MAX))?;
            if count == 0 {
                return Err(malformed(self.offset, why));
            }
            left -= count as u64;
        }
        Ok(())
    }

    /// Reads the input to its end: what follows the archive still counts in its digest.
    fn drain(&mut self) -> Result<()> {
        while self.pass(usize::MAX)? > 0 {}
        Ok(())
    }

    /// Hands at most `limit` bytes to the frame; returns how many, 0 at the end of the input.
    fn pass(&mut self, limit: usize) -> Result<usize> {
        let buffer = self.input.fill_buf()?;
        let count = buffer.len().min(limit);
        if let Some(frame) = &mut self.frame {
            frame(&buffer[..count])?;
        }
        self.input.consume(count);
        self.offset += count as u64;
        Ok(count)
    }

    /// Reads metadata of known size with its padding; the size has been checked against the limit.
    fn read_meta(&mut self, size: u64) -> Result<Vec<u8>> {
        let at = self.offset;
        let mut bytes = Vec::with_capacity(size as usize);
        let mut block = [0; BLOCK];
        while (bytes.len() as u64) < size {
            if !self.read_block(&mut block)? {
                return Err(malformed(at, "the archive ends within an extended header"));
            }
            let count = BLOCK.min(size as usize - bytes.len());
            bytes.extend_from_slice(&block[..count]);
        }
        Ok(bytes)
    }

    /// Reads one block; false if the input has ended before it.
    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool> {
        let mut filled = 0;
        while filled < BLOCK {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return match filled {
                    0 => Ok(false),
                    _ => Err(malformed(self.offset, "the archive ends within a block")),
                };
            }
            let count = buffer.len().min(BLOCK - filled);
            block[filled..filled + count].copy_from_slice(&buffer[..count]);
            self.input.consume(count);
            self.offset += count as u64;
            filled += count;
        }
        if let Some(frame) = &mut self.frame {
            frame(block)?;
        }
        Ok(true)
    }
}

impl<R: BufRead + Seek> Reader<'_, R> {
    /// Skips the present entry's content without reading it. There must be no frame.
    pub fn seek_past_content(&mut self) -> Result<()> {
        let content = std::mem::take(&mut self.content);
        self.segments.clear();
        self.input.seek_relative(i64::try_from(content).map_err(|_| malformed(self.offset, "a size out of range"))?)?;
        self.offset += content;
        Ok(())
    }
}

fn malformed(offset: u64, why: Why) -> Error {
    Error::Malformed { offset, why }
}

/// The header's own fields.
fn fields(header: &Header<'_>, entry: &mut Entry) -> std::result::Result<(), Why> {
    // -1 is the kernel's "leave as it is".
    let id = |id: i64| u32::try_from(id).ok().filter(|id| *id != u32::MAX).ok_or("an owner out of range");
    header.path_into(&mut entry.path);
    entry.link.extend_from_slice(header.link());
    entry.mode = header.mode()?;
    entry.uid = id(header.uid()?)?;
    entry.gid = id(header.gid()?)?;
    entry.mtime = Time { seconds: header.mtime()?, nanoseconds: 0 };
    entry.device = match header.type_flag() {
        b'3' | b'4' => header.device()?,
        _ => (0, 0),
    };
    Ok(())
}

fn kind(flag: u8, path: &[u8]) -> Option<Kind> {
    Some(match flag {
        // Before ustar, a directory was a file whose name ends in a slash.
        0 if path.ends_with(b"/") => Kind::Directory,
        0 | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        _ => return None,
    })
}

fn check_entry(entry: &Entry) -> std::result::Result<(), Why> {
    if entry.path.is_empty() {
        return Err("an entry without a name");
    }
    if entry.path.len() > PATH_LIMIT || entry.link.len() > PATH_LIMIT {
        return Err("a name longer than 4096 bytes");
    }
    if matches!(entry.kind, Kind::Symlink | Kind::HardLink) && entry.link.is_empty() {
        return Err("a link to nothing");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
