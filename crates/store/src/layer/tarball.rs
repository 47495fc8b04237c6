//! An unpacked layer → its tar again, byte for byte: for pushing and saving it, and to check that it is whole.
//!
//! The frame holds everything but the files' content; read as an archive, it says which content belongs where.

use super::levels::open_in_tree;
use super::path;
use super::unpack::{Whiteouts, is_stored};
use crate::error::{At, Error, Kind, Result, What};
use crate::layout;
use crate::store::Store;
use crate::tar;
use rustix::fs::{FileType, Mode, OFlags};
use sha2::{Digest as _, Sha256};
use spec::Digest;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

const OP: &str = "read layer";
/// Bytes copied at a time.
const CHUNK: usize = 128 << 10;

impl Store {
    /// Writes a layer's tar, the bytes whose digest is `diff_id`, and returns their number.
    ///
    /// The digest is checked at the end: after an error, what was written is worth nothing. Must run where the files' owners
    /// are mapped. A layer whose archive had entries that replace one another cannot be made again (`Kind::BadArchive`).
    pub fn write_layer(&self, diff_id: &Digest, out: &mut dyn Write) -> Result<u64> {
        let fail = |kind| Error::new(OP, diff_id.to_string(), kind);
        let record = self.layer_record(diff_id)?;
        let record = record.ok_or_else(|| fail(Kind::NotFound(What::Layer)))?;
        if !record.exact {
            let why = "its archive had entries that replace one another, so it cannot be made again";
            return Err(fail(Kind::BadArchive(why.to_owned())));
        }
        let sink = RefCell::new(Sink { out, hash: Sha256::new(), total: 0 });
        self.rebuild(diff_id, &sink)?;
        let Sink { hash, total, .. } = sink.into_inner();
        let actual = Digest::from_bytes(hash.finalize().into());
        match actual == *diff_id {
            true => Ok(total),
            false => Err(fail(Kind::DigestMismatch { expected: *diff_id, actual })),
        }
    }

    /// Reads a whole layer and checks that it is what its diff ID says: the content of every file, and all that its archive
    /// says of it. Modes and owners on the disk are not compared.
    pub fn check_layer(&self, diff_id: &Digest) -> Result<()> {
        self.write_layer(diff_id, &mut io::sink()).map(drop)
    }

    fn rebuild(&self, diff_id: &Digest, sink: &RefCell<Sink<'_>>) -> Result<()> {
        let fail = |kind| Error::new(OP, diff_id.to_string(), kind);
        let frame = layout::within(&layout::layer(diff_id), layout::LAYER_FRAME);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(self.dir(), &frame, flags, Mode::empty()).at("open", &self.path(&frame))?;
        let bytes = zstd::stream::read::Decoder::new(File::from(opened)).at("read", &self.path(&frame))?;
        let diff = layout::layer_diff(diff_id);
        let top = rustix::fs::openat(self.dir(), &diff, flags | OFlags::DIRECTORY, Mode::empty())
            .at("open", &self.path(&diff))?;

        let mut keep = |bytes: &[u8]| sink.borrow_mut().write(bytes);
        let mut reader = tar::Reader::with_frame(BufReader::with_capacity(CHUNK, bytes), &mut keep);
        let mut entry = tar::Entry::default();
        let mut buffer = vec![0; CHUNK];
        let damaged = |error: tar::Error| fail(Kind::Corrupt(format!("its frame is damaged: {error}")));
        while reader.next(&mut entry).map_err(damaged)? {
            if !is_stored(&entry, Whiteouts::Overlay) {
                continue;
            }
            let segments = reader.supplied();
            if segments.iter().all(|segment| segment.length == 0) {
                continue;
            }
            let name = || String::from_utf8_lossy(&entry.path).into_owned();
            let gone = |why: &str| fail(Kind::Corrupt(format!("{:?}: {why}", name())));
            let file = open_file(&top, &entry.path).map_err(|errno| gone(&errno.to_string()))?;
            let file = file.ok_or_else(|| gone("is no regular file any more"))?;
            for segment in segments {
                copy(&file, segment, &mut buffer, sink).map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => gone("is shorter than it was"),
                    _ => fail(Kind::from_io(error)),
                })?;
            }
        }
        Ok(())
    }
}

/// Opens a layer's file as its archive names it.
fn open_file(top: &OwnedFd, path: &[u8]) -> rustix::io::Result<Option<File>> {
    let components = path::components(path).unwrap_or_default();
    let Some((name, parents)) = components.split_last() else { return Ok(None) };
    let parent = open_in_tree(top.as_fd(), parents)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&parent, *name, flags, Mode::empty())?;
    let is_file = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) == FileType::RegularFile;
    Ok(is_file.then(|| File::from(file)))
}

fn copy(file: &File, segment: tar::Segment, buffer: &mut [u8], sink: &RefCell<Sink<'_>>) -> io::Result<()> {
    let (mut at, end) = (segment.offset, segment.offset + segment.length);
    while at < end {
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        file.read_exact_at(&mut buffer[..length], at)?;
        sink.borrow_mut().write(&buffer[..length])?;
        at += length as u64;
    }
    Ok(())
}

/// Where the tar goes.
struct Sink<'o> {
    out: &'o mut dyn Write,
    hash: Sha256,
    total: u64,
}

impl Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.total += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::testing::{Archive, Block};
    use crate::testing::{Scratch, TestImage, TestLayer, as_root};
    use spec::oci::Compression;
    use std::path::Path;

    fn unpacked(store: &Store, tar: &[u8]) -> Digest {
        let image = TestImage::new(vec![TestLayer::new(tar, Compression::Gzip)]);
        image.pull(store, &[]).unwrap();
        image.layers[0].diff_id
    }

    #[test]
    fn a_layer_gives_its_tar_back() {
        as_root("layer::tarball::tests::a_layer_gives_its_tar_back", || {
            let scratch = Scratch::new();
            let store = Store::open(&scratch.path().join("store")).unwrap();
            let mut archive = Archive::default();
            archive.dir("./").dir("usr/lib").symlink("lib", "usr/lib").file("lib/through", &[1; 200_000]);
            archive.file(".wh.gone", b"content of a whiteout").file(".wh..wh.plnk/note", b"note");
            archive.add(Block::new(b'0', b"secret", 3).octal(100, 8, 0), b"key").hardlink("hard", "secret");
            archive.pax(&[("mtime", b"1.5"), ("comment", b"kept")]).file("empty", b"");
            archive
                .pax(&[("GNU.sparse.map", b"4096,3,9000,2"), ("GNU.sparse.size", b"10000")])
                .file("sparse", b"abcde");
            archive.add(Block::new(b'3', b"null", 0).octal(329, 8, 1), b"");
            let tar = [archive.end(), b"what follows the archive".to_vec()].concat();
            let diff_id = unpacked(&store, &tar);
            let mut again = Vec::new();
            assert_eq!(store.write_layer(&diff_id, &mut again).unwrap(), tar.len() as u64);
            assert!(again == tar);
        });
    }

    #[test]
    fn damage_to_a_layer_is_found_and_named() {
        as_root("layer::tarball::tests::damage_to_a_layer_is_found_and_named", || {
            let scratch = Scratch::new();
            let store = Store::open(&scratch.path().join("store")).unwrap();
            let tar = Archive::default().file("a/file", &[1; 5000]).end();
            let diff_id = unpacked(&store, &tar);
            let file = store.path(&layout::layer_diff(&diff_id)).join("a/file");
            let damage: [(&dyn Fn(&Path), &str); 5] = [
                (&|file| std::fs::write(file, [2; 5000]).unwrap(), "digest"),
                (&|file| std::fs::write(file, [1; 4000]).unwrap(), "\"a/file\": is shorter"),
                (&|file| std::fs::remove_file(file).unwrap(), "\"a/file\": No such file"),
                (&|file| std::fs::create_dir(file).unwrap(), "no regular file"),
                (
                    &|file| {
                        std::fs::write(file.parent().unwrap().parent().unwrap().parent().unwrap().join("frame"), "x")
                            .unwrap()
                    },
                    "frame",
                ),
            ];
            store.check_layer(&diff_id).unwrap();
            for (damage, words) in damage {
                damage(&file);
                let error = store.check_layer(&diff_id).unwrap_err().to_string();
                assert!(error.contains(words), "{error}");
            }
            let twice = Archive::default().file("f", b"1").file("f", b"2").end();
            let error = store.check_layer(&unpacked(&store, &twice)).unwrap_err();
            assert!(matches!(error.kind, Kind::BadArchive(_)));
        });
    }
}
