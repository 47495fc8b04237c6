//! Writes tar headers: plain ones for the files of an image's archive, and whole entries, with a PAX header where ustar's fields are
//! too small.

use super::{BLOCK, Entry, Kind};

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
    Some(sealed(block))
}

/// The headers of one entry, whose content (of a file: `size` bytes, padded) follows. Sparse maps are not written.
///
/// Reading them gives the same entry, but for parts of a second.
pub fn entry_headers(entry: &Entry) -> Vec<u8> {
    let records = pax_records(entry);
    let mut bytes = Vec::with_capacity(2 * BLOCK);
    if !records.is_empty() {
        let mut header = block(b'x', b"PaxHeaders/entry", &[], records.len() as u64);
        octal(&mut header, 100, 8, 0o644);
        bytes.extend_from_slice(&sealed(header));
        bytes.extend_from_slice(&records);
        bytes.resize(bytes.len() + padding(records.len() as u64), 0);
    }
    let flag = match entry.kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::CharDevice => b'3',
        Kind::BlockDevice => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    };
    let size = if entry.kind == Kind::File { entry.size } else { 0 };
    let mut header = block(flag, &entry.path, &entry.link, size);
    octal(&mut header, 100, 8, u64::from(entry.mode & 0o7777));
    octal(&mut header, 108, 8, u64::from(entry.uid).min(OCTAL_ID - 1));
    octal(&mut header, 116, 8, u64::from(entry.gid).min(OCTAL_ID - 1));
    octal(&mut header, 136, 12, entry.mtime.seconds.try_into().unwrap_or(0).min(OCTAL_LIMIT - 1));
    octal(&mut header, 329, 8, u64::from(entry.device.0).min(OCTAL_ID - 1));
    octal(&mut header, 337, 8, u64::from(entry.device.1).min(OCTAL_ID - 1));
    bytes.extend_from_slice(&sealed(header));
    bytes
}

/// From here on an owner does not fit into octal digits.
const OCTAL_ID: u64 = 1 << 21;

/// What the fields of a header cannot hold.
fn pax_records(entry: &Entry) -> Vec<u8> {
    let mut records = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| records.extend(pax_record(key, value));
    let plain = |text: &[u8]| text.len() <= NAME && text.is_ascii();
    if !plain(&entry.path) {
        add(b"path", &entry.path);
    }
    if !plain(&entry.link) {
        add(b"linkpath", &entry.link);
    }
    if entry.kind == Kind::File && entry.size >= OCTAL_LIMIT {
        add(b"size", entry.size.to_string().as_bytes());
    }
    for (key, id) in [(&b"uid"[..], entry.uid), (b"gid", entry.gid)] {
        if u64::from(id) >= OCTAL_ID {
            add(key, id.to_string().as_bytes());
        }
    }
    if u64::try_from(entry.mtime.seconds).map_or(true, |seconds| seconds >= OCTAL_LIMIT) {
        add(b"mtime", entry.mtime.seconds.to_string().as_bytes());
    }
    for (name, value) in &entry.xattrs {
        add(&[b"SCHILY.xattr.", name.as_slice()].concat(), value);
    }
    records
}

/// `LENGTH key=value`, where the length counts its own digits too.
fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let body = key.len() + value.len() + 3;
    let mut length = body + 1;
    while length != body + length.to_string().len() {
        length = body + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// A header without its sum; of names as much as there is room for.
fn block(flag: u8, path: &[u8], link: &[u8], size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    put(&mut block, 0, &path[..path.len().min(NAME)]);
    put(&mut block, 157, &link[..link.len().min(NAME)]);
    octal(&mut block, 124, 12, size.min(OCTAL_LIMIT - 1));
    block[156] = flag;
    put(&mut block, 257, b"ustar\x0000");
    block
}

fn octal(block: &mut [u8; BLOCK], at: usize, width: usize, number: u64) {
    put(block, at, format!("{number:0width$o}\0", width = width - 1).as_bytes());
}

fn sealed(mut block: [u8; BLOCK]) -> [u8; BLOCK] {
    put(&mut block, 148, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, 148, format!("{sum:06o}\0").as_bytes());
    block
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
        let time = |seconds| crate::tar::Time { seconds, nanoseconds: 0 };
        let long = |byte: u8| vec![byte; 300];
        for entry in [
            Entry { path: b"a".to_vec(), mode: 0o4755, uid: 7, gid: 8, mtime: time(1), ..Entry::default() },
            Entry { path: long(b'p'), kind: Kind::Symlink, link: long(b'l'), mtime: time(-5), ..Entry::default() },
            Entry { path: "ä\n".into(), uid: u32::MAX - 1, gid: 1 << 21, mtime: time(1 << 40), ..Entry::default() },
            Entry { path: b"d/".to_vec(), kind: Kind::Directory, mode: 0o1777, ..Entry::default() },
            Entry { path: b"h".to_vec(), kind: Kind::HardLink, link: b"a".to_vec(), ..Entry::default() },
            Entry { path: b"n".to_vec(), kind: Kind::CharDevice, device: (1, 3), ..Entry::default() },
            Entry { path: b"big".to_vec(), size: 1 << 40, ..Entry::default() },
            Entry { path: b"x".to_vec(), xattrs: vec![(b"user.a".to_vec(), vec![0, 10, 61])], ..Entry::default() },
        ] {
            let bytes = entry_headers(&entry);
            assert_eq!(bytes.len() % BLOCK, 0);
            let mut found = Entry::default();
            assert!(Reader::new(&bytes[..]).next(&mut found).unwrap());
            assert_eq!(found, entry);
        }
        assert!(file_header(&"x".repeat(101), 1).is_none());
        assert_eq!([0, 1, 511, 512].map(padding), [0, 511, 1, 0]);
    }
}
