//! Where sparse files have content.
//!
//! Four formats: GNU's old one (descriptors in and behind the header), and PAX 0.0, 0.1 (in records) and 1.0 (text before
//! the content).

use super::header::{self, Why};

/// A run of content in a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// From the file's beginning.
    pub offset: u64,
    /// In bytes.
    pub length: u64,
}

/// Offsets and lengths by turns.
pub(super) fn pairs(numbers: &[u64]) -> Result<Vec<Segment>, Why> {
    if numbers.len() % 2 != 0 {
        return Err("a sparse map with half an entry");
    }
    Ok(numbers.chunks_exact(2).map(|pair| Segment { offset: pair[0], length: pair[1] }).collect())
}

/// Appends the descriptors (24 bytes each: offset, length) of an old GNU header or extension block, to the first empty one.
pub(super) fn descriptors(bytes: &[u8], map: &mut Vec<Segment>) -> Result<(), Why> {
    for descriptor in bytes.chunks_exact(24) {
        if descriptor[0] == 0 {
            break;
        }
        let number = |bytes| header::number(bytes).and_then(|n| u64::try_from(n).ok());
        let (Some(offset), Some(length)) = (number(&descriptor[..12]), number(&descriptor[12..])) else {
            return Err("a sparse map that is no numbers");
        };
        map.push(Segment { offset, length });
    }
    Ok(())
}

/// A map of format 1.0 that comes line by line: the number of entries, then offsets and lengths.
#[derive(Debug, Default)]
pub(super) struct Lines {
    expected: Option<u64>,
    numbers: Vec<u64>,
    line: Vec<u8>,
}

impl Lines {
    /// Takes one block; true when the map is complete. What is left of the block is padding.
    pub(super) fn take(&mut self, block: &[u8]) -> Result<bool, Why> {
        for byte in block {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() > 20 {
                    return Err("a sparse map that is no numbers");
                }
                continue;
            }
            let number = header::decimal(&self.line).ok_or("a sparse map that is no numbers")?;
            self.line.clear();
            match self.expected {
                None => self.expected = Some(number.checked_mul(2).ok_or("a sparse map out of range")?),
                Some(_) => self.numbers.push(number),
            }
            if self.is_complete() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_complete(&self) -> bool {
        self.expected == Some(self.numbers.len() as u64)
    }

    pub(super) fn into_map(self) -> Result<Vec<Segment>, Why> {
        pairs(&self.numbers)
    }
}

/// Checks that segments are in order, apart, within the file, and exactly the `stored` bytes of content.
pub(super) fn check(map: &[Segment], size: u64, stored: u64) -> Result<(), Why> {
    let mut end = 0;
    let mut total: u64 = 0;
    for segment in map {
        let next = segment.offset.checked_add(segment.length).ok_or("a sparse map out of range")?;
        if segment.offset < end || next > size {
            return Err("a sparse map out of order");
        }
        end = next;
        total += segment.length;
    }
    if total == stored { Ok(()) } else { Err("a sparse map that does not fit its content") }
}
