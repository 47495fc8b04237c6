//! Writes the few tar headers that archives of images need: plain files with short names.

use super::BLOCK;

/// The longest name of a file in an archive of ours.
const NAME: usize = 100;
/// From this size on the number does not fit into octal digits.
const OCTAL_LIMIT: u64 = 1 << 33;

/// A ustar header of a read-only file, or nothing where the name is too long for one.
pub fn file_header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    if name.is_empty() || name.len() > NAME {
        return None;
    }
    let mut block = [0; BLOCK];
    put(&mut block, 0, name.as_bytes());
    put(&mut block, 100, b"0000444\x000000000\x000000000\x00");
    match size {
        ..OCTAL_LIMIT => put(&mut block, 124, format!("{size:011o}\0").as_bytes()),
        // GNU's and star's way: the highest bit, then a binary number.
        _ => {
            block[124] = 0x80;
            put(&mut block, 128, &size.to_be_bytes());
        }
    }
    put(&mut block, 136, b"00000000000\x00");
    block[156] = b'0';
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 148, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, 148, format!("{sum:06o}\0").as_bytes());
    Some(block)
}

/// How many zeros follow content of this size.
pub fn padding(size: u64) -> usize {
    usize::try_from(size.next_multiple_of(BLOCK as u64) - size).unwrap_or_default()
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::{Entry, Reader};

    #[test]
    fn headers_are_read_as_they_are_meant() {
        for size in [0, 5, OCTAL_LIMIT - 1, OCTAL_LIMIT, 1 << 40] {
            let header = file_header("blobs/sha256/abc", size).unwrap();
            let mut entry = Entry::default();
            assert!(Reader::new(&header[..]).next(&mut entry).unwrap());
            assert_eq!((entry.path.as_slice(), entry.size, entry.mode), (&b"blobs/sha256/abc"[..], size, 0o444));
        }
        assert!(file_header(&"x".repeat(101), 1).is_none());
        assert_eq!([0, 1, 511, 512].map(padding), [0, 511, 1, 0]);
    }
}
