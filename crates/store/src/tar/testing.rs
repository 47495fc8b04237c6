//! Makes archives for tests: any header, honest or not.

use super::BLOCK;

/// An archive in the making.
#[derive(Default)]
pub(crate) struct Archive(Vec<u8>);

/// A header in the making, with every field open to abuse.
pub(crate) struct Block(pub(crate) [u8; BLOCK]);

impl Block {
    /// A ustar header: mode 0644, owner 0:0, time 1.
    pub(crate) fn new(flag: u8, path: &[u8], size: u64) -> Self {
        let mut block = Self([0; BLOCK]);
        block.put(0, &path[..path.len().min(100)]);
        block.octal(100, 8, 0o644).octal(108, 8, 0).octal(116, 8, 0).octal(124, 12, size).octal(136, 12, 1);
        block.0[156] = flag;
        block.put(257, b"ustar\x0000");
        block
    }

    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn octal(&mut self, at: usize, width: usize, number: u64) -> &mut Self {
        let text = format!("{number:0width$o}\0", width = width - 1);
        self.put(at, text.as_bytes())
    }

    pub(crate) fn link(&mut self, target: &[u8]) -> &mut Self {
        self.put(157, target)
    }

    pub(crate) fn gnu(&mut self) -> &mut Self {
        self.put(257, b"ustar  \0")
    }

    /// With the checksum filled in.
    pub(crate) fn sealed(&self) -> [u8; BLOCK] {
        let mut block = self.0;
        block[148..156].fill(b' ');
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }
}

impl Archive {
    /// Adds a header and content, padded.
    pub(crate) fn add(&mut self, block: &Block, content: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&block.sealed());
        self.raw(content)
    }

    /// Adds bytes, padded to the block.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        self
    }

    pub(crate) fn file(&mut self, path: &str, content: &[u8]) -> &mut Self {
        self.add(&Block::new(b'0', path.as_bytes(), content.len() as u64), content)
    }

    pub(crate) fn dir(&mut self, path: &str) -> &mut Self {
        let mut block = Block::new(b'5', path.as_bytes(), 0);
        self.add(block.octal(100, 8, 0o755), b"")
    }

    pub(crate) fn symlink(&mut self, path: &str, target: &str) -> &mut Self {
        self.add(Block::new(b'2', path.as_bytes(), 0).link(target.as_bytes()), b"")
    }

    pub(crate) fn hardlink(&mut self, path: &str, target: &str) -> &mut Self {
        self.add(Block::new(b'1', path.as_bytes(), 0).link(target.as_bytes()), b"")
    }

    /// Adds a PAX header for the next entry.
    pub(crate) fn pax(&mut self, records: &[(&str, &[u8])]) -> &mut Self {
        let bytes = records.iter().flat_map(|(key, value)| pax_record(key, value)).collect::<Vec<_>>();
        self.add(&Block::new(b'x', b"PaxHeaders/x", bytes.len() as u64), &bytes)
    }

    /// The archive with its two zero blocks.
    pub(crate) fn end(&self) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.resize(bytes.len() + 2 * BLOCK, 0);
        bytes
    }

    /// Without them.
    pub(crate) fn open_end(&self) -> Vec<u8> {
        self.0.clone()
    }
}

pub(crate) fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let body = key.len() + value.len() + 3;
    let mut length = body + 1;
    while length != body + length.to_string().len() {
        length = body + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}
