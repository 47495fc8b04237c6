//! One image layer: a tar stream written entry by entry, the same bytes for the same entries.
//!
//! Nothing is checked or cleaned: paths with `..`, links out of the tree and broken entries are what
//! tests of hostile images need. Format: ustar with pax records, pax(1) of POSIX.1-2017.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression as Level, GzBuilder};

use crate::digest;

/// Time stamp of every entry that names no other: 2025-01-01.
const MTIME: u64 = 1_735_689_600;
const BLOCK: usize = 512;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file and its content.
    File(Vec<u8>),
    /// A directory.
    Directory,
    /// A symbolic link and its target.
    Symlink(Vec<u8>),
    /// A further name of the entry with that path.
    Hardlink(Vec<u8>),
    /// A character device: major, minor.
    Character(u32, u32),
    /// A block device: major, minor.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path, usually without a leading slash.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Permission bits, with set-user-ID and the like.
    pub mode: u32,
    /// Owner, by number.
    pub uid: u64,
    /// Group, by number.
    pub gid: u64,
    /// Seconds since 1970.
    pub mtime: u64,
    /// Extended attributes: name, value.
    pub xattrs: Vec<(String, Vec<u8>)>,
}

impl Entry {
    /// An entry of root's, with the mode that is usual for its kind.
    pub fn new(path: impl AsRef<[u8]>, kind: Kind) -> Entry {
        let mode = match kind {
            Kind::Directory => 0o755,
            Kind::Symlink(_) => 0o777,
            _ => 0o644,
        };
        let path = path.as_ref().to_vec();
        Entry { path, kind, mode, uid: 0, gid: 0, mtime: MTIME, xattrs: Vec::new() }
    }

    /// The same with other permission bits.
    pub fn mode(self, mode: u32) -> Entry {
        Entry { mode, ..self }
    }

    /// The same with another owner.
    pub fn owner(self, uid: u64, gid: u64) -> Entry {
        Entry { uid, gid, ..self }
    }

    /// The same with one more extended attribute.
    pub fn xattr(mut self, name: &str, value: &[u8]) -> Entry {
        self.xattrs.push((name.to_owned(), value.to_vec()));
        self
    }
}

/// How a layer's blob is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, as registries hold most layers.
    #[default]
    Gzip,
    /// Zstandard.
    Zstd,
}

/// A layer in the making.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    tar: Vec<u8>,
    /// How its blob is compressed.
    pub compression: Compression,
}

impl Layer {
    /// A layer without entries.
    pub fn new() -> Layer {
        Layer::default()
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: &Entry) -> &mut Layer {
        let records = pax_records(entry);
        if !records.is_empty() {
            self.put(&header(b"pax", b'x', 0o644, &[], records.len(), entry), &records);
        }
        let content: &[u8] = match &entry.kind {
            Kind::File(content) => content,
            _ => &[],
        };
        let (flag, link) = flag_and_link(&entry.kind);
        self.put(&header(&entry.path, flag, entry.mode, link, content.len(), entry), content)
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> &mut Layer {
        self.add(&Entry::new(path, Kind::File(content.as_ref().to_vec())).mode(mode))
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: &str) -> &mut Layer {
        self.add(&Entry::new(path, Kind::Directory))
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) -> &mut Layer {
        self.add(&Entry::new(path, Kind::Symlink(target.into())))
    }

    /// Adds bytes that need not be an entry at all.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Layer {
        self.tar.extend_from_slice(bytes);
        self
    }

    /// Adds a directory's content below `prefix` (`""` or `"usr/"`) in sorted order; extended
    /// attributes and times are left out. `wanted` sees each path inside the layer.
    pub fn tree(&mut self, root: &Path, prefix: &str, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
        self.walk(root, prefix, wanted, &mut HashMap::new())
    }

    /// Bytes so far, uncompressed.
    pub fn size(&self) -> usize {
        self.tar.len()
    }

    /// The tar stream, with its end.
    pub fn tar(&self) -> Vec<u8> {
        let mut tar = self.tar.clone();
        tar.resize(tar.len() + 2 * BLOCK, 0);
        tar
    }

    /// Digest of the uncompressed stream: the layer's diff id.
    pub fn diff_id(&self) -> String {
        digest::sha256(&self.tar())
    }

    /// The layer as a registry holds it.
    pub fn blob(&self) -> Result<Vec<u8>> {
        let tar = self.tar();
        match self.compression {
            Compression::None => Ok(tar),
            Compression::Zstd => zstd::encode_all(&tar[..], 3).context("compress a layer"),
            Compression::Gzip => {
                let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Level::new(6));
                gzip.write_all(&tar).and_then(|()| gzip.finish()).context("compress a layer")
            }
        }
    }

    fn walk(
        &mut self,
        dir: &Path,
        prefix: &str,
        wanted: &dyn Fn(&str) -> bool,
        seen: &mut HashMap<(u64, u64), String>,
    ) -> Result<()> {
        let entries = fs::read_dir(dir).with_context(|| format!("list {dir:?}"))?;
        let mut paths = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<Vec<_>>>()
            .with_context(|| format!("list {dir:?}"))?;
        paths.sort();
        for path in paths {
            let inside = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if !wanted(&inside) {
                continue;
            }
            if let Some(entry) = entry_of(&path, &inside, seen)? {
                self.add(&entry);
            }
            if path.is_dir() && !path.is_symlink() {
                self.walk(&path, &format!("{inside}/"), wanted, seen)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, header: &[u8; BLOCK], content: &[u8]) -> &mut Layer {
        self.tar.extend_from_slice(header);
        self.tar.extend_from_slice(content);
        self.tar.resize(self.tar.len().next_multiple_of(BLOCK), 0);
        self
    }
}

/// A file of this machine as an entry; sockets have none.
fn entry_of(path: &Path, inside: &str, seen: &mut HashMap<(u64, u64), String>) -> Result<Option<Entry>> {
    let meta = fs::symlink_metadata(path).with_context(|| format!("stat {path:?}"))?;
    let kind = meta.file_type();
    let (major, minor) = (rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()));
    let kind = if kind.is_dir() {
        Kind::Directory
    } else if kind.is_symlink() {
        let target = fs::read_link(path).with_context(|| format!("read link {path:?}"))?;
        Kind::Symlink(target.as_os_str().as_bytes().to_vec())
    } else if kind.is_file() {
        match seen.get(&(meta.dev(), meta.ino())) {
            Some(first) if meta.nlink() > 1 => Kind::Hardlink(first.clone().into()),
            _ => {
                seen.insert((meta.dev(), meta.ino()), inside.to_owned());
                Kind::File(fs::read(path).with_context(|| format!("read {path:?}"))?)
            }
        }
    } else if kind.is_char_device() {
        Kind::Character(major, minor)
    } else if kind.is_block_device() {
        Kind::Block(major, minor)
    } else if kind.is_fifo() {
        Kind::Fifo
    } else {
        return Ok(None);
    };
    let entry = Entry::new(inside, kind).mode(meta.mode() & 0o7777);
    Ok(Some(entry.owner(meta.uid().into(), meta.gid().into())))
}

fn flag_and_link(kind: &Kind) -> (u8, &[u8]) {
    match kind {
        Kind::File(_) => (b'0', &[]),
        Kind::Hardlink(target) => (b'1', target),
        Kind::Symlink(target) => (b'2', target),
        Kind::Character(..) => (b'3', &[]),
        Kind::Block(..) => (b'4', &[]),
        Kind::Directory => (b'5', &[]),
        Kind::Fifo => (b'6', &[]),
    }
}

/// One ustar header; what does not fit is cut, and stands in the pax records before it.
fn header(path: &[u8], flag: u8, mode: u32, link: &[u8], size: usize, entry: &Entry) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let (major, minor) = match entry.kind {
        Kind::Character(major, minor) | Kind::Block(major, minor) => (major, minor),
        _ => (0, 0),
    };
    text(&mut block[0..100], path);
    octal(&mut block[100..108], mode.into());
    octal(&mut block[108..116], entry.uid.min(0o7_777_777));
    octal(&mut block[116..124], entry.gid.min(0o7_777_777));
    octal(&mut block[124..136], size as u64);
    octal(&mut block[136..148], entry.mtime);
    block[156] = flag;
    text(&mut block[157..257], link);
    text(&mut block[257..265], b"ustar\x0000");
    octal(&mut block[329..337], major.into());
    octal(&mut block[337..345], minor.into());
    block[148..156].fill(b' ');
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    octal(&mut block[148..155], sum);
    block
}

fn pax_records(entry: &Entry) -> Vec<u8> {
    let mut records = Vec::new();
    let (_, link) = flag_and_link(&entry.kind);
    if entry.path.len() > 100 {
        records.extend(pax_record("path", &entry.path));
    }
    if link.len() > 100 {
        records.extend(pax_record("linkpath", link));
    }
    for (key, id) in [("uid", entry.uid), ("gid", entry.gid)] {
        if id > 0o7_777_777 {
            records.extend(pax_record(key, id.to_string().as_bytes()));
        }
    }
    for (name, value) in &entry.xattrs {
        records.extend(pax_record(&format!("SCHILY.xattr.{name}"), value));
    }
    records
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

fn text(field: &mut [u8], bytes: &[u8]) {
    let size = bytes.len().min(field.len());
    field[..size].copy_from_slice(&bytes[..size]);
}

fn octal(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    text(field, format!("{value:0digits$o}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn listed(layer: &Layer) -> String {
        let mut tar = Command::new("tar")
            .args(["--list", "--verbose", "--numeric-owner", "--utc", "--file=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tar.stdin.take().unwrap().write_all(&layer.tar()).unwrap();
        String::from_utf8(tar.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn tar_reads_every_kind() {
        let mut layer = Layer::new();
        let long = "d/".repeat(80) + "file";
        layer.directory("bin").file("bin/sh", "#!", 0o4755).symlink("sh", "bin/sh");
        layer.add(&Entry::new("hard", Kind::Hardlink("bin/sh".into())).mode(0o755));
        layer.add(&Entry::new("null", Kind::Character(1, 3)).owner(3_000_000, 7));
        layer.add(&Entry::new("pipe", Kind::Fifo)).file(&long, "", 0o600);
        let want = [
            "drwxr-xr-x 0/0               0 2025-01-01 00:00 bin",
            "-rwsr-xr-x 0/0               2 2025-01-01 00:00 bin/sh",
            "lrwxrwxrwx 0/0               0 2025-01-01 00:00 sh -> bin/sh",
            "hrwxr-xr-x 0/0               0 2025-01-01 00:00 hard link to bin/sh",
            "crw-r--r-- 3000000/7       1,3 2025-01-01 00:00 null",
            "prw-r--r-- 0/0               0 2025-01-01 00:00 pipe",
            &format!("-rw------- 0/0               0 2025-01-01 00:00 {long}"),
        ];
        assert_eq!(listed(&layer).lines().collect::<Vec<_>>(), want);
    }

    #[test]
    fn pax_lengths_count_themselves() {
        for size in [0, 1, 80, 84, 85, 86, 87, 88, 89, 90, 980, 990, 9990] {
            let record = pax_record("path", &vec![b'x'; size]);
            let text = String::from_utf8(record.clone()).unwrap();
            assert_eq!(text.split(' ').next().unwrap().parse::<usize>().unwrap(), record.len());
        }
    }

    #[test]
    fn the_same_entries_are_the_same_bytes() {
        let make = |compression| {
            let mut layer = Layer { compression, ..Layer::new() };
            layer.file("a", vec![7; 5000], 0o644);
            layer.blob().unwrap()
        };
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            assert_eq!(make(compression), make(compression));
        }
        assert!(make(Compression::Gzip).len() < make(Compression::None).len());
    }
}
