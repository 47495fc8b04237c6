//! Dialects of tar.

use super::*;
use crate::tar::testing::{Archive, Block};
use proptest::prelude::*;

type Read = (Entry, Vec<u8>);

/// All entries, each with its content laid out as in the file.
fn read(bytes: &[u8]) -> Result<Vec<Read>> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::new();
    let mut entry = Entry::default();
    while reader.next(&mut entry)? {
        let mut content = vec![0; entry.size.min(1 << 20) as usize];
        reader.content(|at, piece| {
            content[at as usize..at as usize + piece.len()].copy_from_slice(piece);
            Ok::<(), Error>(())
        })?;
        all.push((entry.clone(), content));
    }
    Ok(all)
}

fn paths(read: &[Read]) -> Vec<String> {
    read.iter().map(|(entry, _)| String::from_utf8_lossy(&entry.path).into_owned()).collect()
}

fn why(bytes: &[u8]) -> &'static str {
    match read(bytes) {
        Err(Error::Malformed { why, .. }) => why,
        other => panic!("accepted: {other:?}"),
    }
}

#[test]
fn the_kinds_of_entries_are_told_apart() {
    let mut archive = Archive::default();
    archive.dir("d/").file("d/f", b"hello").symlink("s", "d/f").hardlink("h", "d/f");
    archive.add(&Block::new(b'6', b"p", 0), b"");
    archive.add(Block::new(b'3', b"null", 0).octal(329, 8, 1).octal(337, 8, 3), b"");
    archive.add(&Block::new(0, b"old/", 0), b"").add(&Block::new(0, b"older", 1), b"x");
    let read = read(&archive.end()).unwrap();
    let kinds: Vec<_> = read.iter().map(|(entry, _)| entry.kind).collect();
    use Kind::*;
    assert_eq!(kinds, [Directory, File, Symlink, HardLink, Fifo, CharDevice, Directory, File]);
    assert_eq!(
        (read[1].1.as_slice(), read[2].0.link.as_slice(), read[5].0.device),
        (&b"hello"[..], &b"d/f"[..], (1, 3))
    );
}

#[test]
fn sizes_of_entries_without_content_do_not_move_the_next() {
    // The classic desynchronisation: a link whose size says that content follows.
    for flag in *b"123456" {
        let mut archive = Archive::default();
        archive.add(Block::new(flag, b"l", 1024).link(b"t"), b"").file("after", b"x");
        assert_eq!(paths(&read(&archive.end()).unwrap()), ["l", "after"], "{}", char::from(flag));
    }
}

#[test]
fn a_pax_size_moves_the_next_header() {
    let mut archive = Archive::default();
    // Header says 0, PAX says 600: the content is 600 bytes.
    archive.pax(&[("size", b"600")]).add(&Block::new(b'0', b"f", 0), &[7; 600]).file("after", b"");
    let read = read(&archive.end()).unwrap();
    assert_eq!(paths(&read), ["f", "after"]);
    assert_eq!(read[0].1, [7; 600]);
}

#[test]
fn long_names_and_numbers_of_gnu() {
    let long = "x/".repeat(120) + "end";
    let mut archive = Archive::default();
    archive.add(Block::new(b'L', b"././@LongLink", long.len() as u64 + 1).gnu(), format!("{long}\0").as_bytes());
    archive.add(Block::new(b'K', b"././@LongLink", 3).gnu(), b"to\0");
    let mut block = Block::new(b'2', b"short", 0);
    block.gnu().put(108, b"\x80\0\0\0\0\x0f\x42\x40").put(136, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    archive.add(&block, b"");
    let read = read(&archive.end()).unwrap();
    assert_eq!(paths(&read), [long]);
    let entry = &read[0].0;
    assert_eq!((entry.link.as_slice(), entry.uid, entry.mtime.seconds), (&b"to"[..], 1_000_000, -1));
}

#[test]
fn prefixes_depend_on_the_dialect() {
    let prefixed = |magic: &[u8], tail: &[u8]| {
        let mut block = Block::new(b'0', b"name", 0);
        block.put(257, magic).put(345, b"pre/fix").put(508, tail);
        let mut archive = Archive::default();
        archive.add(&block, b"");
        paths(&read(&archive.end()).unwrap()).remove(0)
    };
    assert_eq!(prefixed(b"ustar\x0000", b""), "pre/fix/name");
    assert_eq!(prefixed(b"ustar\x0000", b"tar\0"), "pre/fix/name");
    assert_eq!(prefixed(b"\0\0\0\0\0\0\0\0", b""), "name");
    // Old Go put the prefix where GNU has times.
    assert_eq!(prefixed(b"ustar  \0", b""), "pre/fix/name");
}

#[test]
fn pax_says_more_than_the_header() {
    let mut archive = Archive::default();
    let global = crate::tar::testing::pax_record("comment", b"0123abcd");
    archive.add(&Block::new(b'g', b"pax_global_header", global.len() as u64), &global);
    archive.pax(&[
        ("path", "\u{fc}/f".as_bytes()),
        ("uid", b"4000000000"),
        ("gid", b""),
        ("mtime", b"12.25"),
        ("SCHILY.xattr.user.a", b"1"),
        ("SCHILY.xattr.user.empty", b""),
        ("LIBARCHIVE.xattr.user.b", b"Mg=="),
        ("SCHILY.xattr.user.a", b"2\0\n="),
    ]);
    archive.file("short", b"");
    let (entry, _) = read(&archive.end()).unwrap().remove(0);
    assert_eq!(entry.path, "\u{fc}/f".as_bytes());
    assert_eq!((entry.uid, entry.gid), (4_000_000_000, 0));
    assert_eq!(entry.mtime, Time { seconds: 12, nanoseconds: 250_000_000 });
    let xattrs = [("user.a", &b"2\0\n="[..]), ("user.empty", b""), ("user.b", b"2")];
    assert_eq!(entry.xattrs, xattrs.map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec())));
}

#[test]
fn the_four_sparse_formats_mean_the_same_file() {
    let content = [vec![1; 512], vec![2; 100]].concat();
    let mut expected = vec![0; 10_000];
    expected[1024..1536].fill(1);
    expected[9_000..9_100].fill(2);

    let mut gnu = Block::new(b'S', b"f", 612);
    gnu.gnu().octal(386, 12, 1024).octal(398, 12, 512).octal(410, 12, 9000).octal(422, 12, 100).octal(483, 12, 10_000);
    let mut old = Archive::default();
    old.add(&gnu, &content);

    // The second segment in an extension block.
    let mut extended = Block::new(b'S', b"f", 612);
    extended.gnu().octal(386, 12, 1024).octal(398, 12, 512).octal(483, 12, 10_000).put(482, b"\x01");
    let mut more = [0; BLOCK];
    more[..12].copy_from_slice(b"00000021450\0");
    more[12..24].copy_from_slice(b"00000000144\0");
    let mut chained = Archive::default();
    chained.add(&extended, &more).raw(&content);

    let mut v00 = Archive::default();
    v00.pax(&[
        ("GNU.sparse.size", b"10000"),
        ("GNU.sparse.numblocks", b"2"),
        ("GNU.sparse.offset", b"1024"),
        ("GNU.sparse.numbytes", b"512"),
        ("GNU.sparse.offset", b"9000"),
        ("GNU.sparse.numbytes", b"100"),
    ]);
    v00.file("f", &content);

    let mut v01 = Archive::default();
    v01.pax(&[("GNU.sparse.name", b"f"), ("GNU.sparse.size", b"10000"), ("GNU.sparse.map", b"1024,512,9000,100")]);
    v01.file("GNUSparseFile.1/f", &content);

    let mut map = b"2\n1024\n512\n9000\n100\n".to_vec();
    map.resize(BLOCK, 0);
    let mut v10 = Archive::default();
    let stored = (map.len() + content.len()).to_string();
    v10.pax(&[
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.name", b"f"),
        ("GNU.sparse.realsize", b"10000"),
        // Says what the header's own field says: must not bring back the map's bytes.
        ("size", stored.as_bytes()),
    ]);
    v10.file("GNUSparseFile.1/f", &[map, content.clone()].concat());

    for (name, mut archive) in [("old", old), ("chained", chained), ("0.0", v00), ("0.1", v01), ("1.0", v10)] {
        archive.file("after", b"x");
        let read = read(&archive.end()).unwrap();
        assert_eq!(paths(&read), ["f", "after"], "{name}");
        assert_eq!(read[0].0.size, 10_000, "{name}");
        assert!(read[0].1 == expected, "{name}");
        assert_eq!(read[0].0.sparse.as_ref().map(Vec::len), Some(2), "{name}");
    }
}

#[test]
fn hostile_sparse_maps_are_refused() {
    let with = |map: &str, size: &str, content: &[u8]| {
        let mut archive = Archive::default();
        archive.pax(&[("GNU.sparse.map", map.as_bytes()), ("GNU.sparse.size", size.as_bytes())]).file("f", content);
        archive.end()
    };
    assert!(read(&with("0,1,5,1", "6", b"ab")).is_ok());
    for (map, size) in [
        ("5,1,0,1", "6"),                                   // backwards
        ("0,2,1,1", "6"),                                   // overlapping
        ("0,1,5,1", "5"),                                   // beyond the end
        ("0,1", "6"),                                       // content left over
        ("0,3", "6"),                                       // content missing
        ("0,1,2", "6"),                                     // half an entry
        ("18446744073709551615,2", "18446744073709551615"), // overflow
        ("0,18446744073709551615,1,3", "6"),
    ] {
        assert!(read(&with(map, size, b"ab")).is_err(), "{map} {size}");
    }
    let mut endless = Archive::default();
    endless.pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0")]);
    endless.file("f", &[b"99999999\n".to_vec(), b"1\n".repeat(600_000)].concat());
    assert!(why(&endless.end()).contains("does not end"));
}

#[test]
fn what_is_malformed_is_refused() {
    let mut bad = Block::new(b'0', b"f", 0).sealed();
    bad[0] = b'g';
    assert_eq!(why(&bad), "wrong checksum");
    assert_eq!(why(&[1; BLOCK]), "the checksum is no number");
    let one = |block: &Block| {
        let mut archive = Archive::default();
        archive.add(block, b"");
        archive.end()
    };
    assert_eq!(why(&one(&Block::new(b'0', b"", 0))), "an entry without a name");
    assert_eq!(why(&one(&Block::new(b'2', b"s", 0))), "a link to nothing");
    assert_eq!(why(&one(&Block::new(b'Z', b"f", 0))), "an entry of an unknown type");
    assert_eq!(why(&one(Block::new(b'0', b"f", 0).put(124, b"\xff\xff\xff\xff"))), "the size is no number");
    assert_eq!(why(&one(Block::new(b'0', b"f", 0).put(108, &[0xff; 8]))), "an owner out of range");
    assert_eq!(why(&one(&Block::new(b'x', b"h", 2 << 20))), "extended headers that are too large");
    let mut gap = Archive::default();
    gap.file("a", b"").raw(&[0; BLOCK]).file("b", b"");
    assert_eq!(why(&gap.end()), "a zero block between entries");
    let mut alone = Archive::default();
    alone.pax(&[("path", b"f")]);
    assert_eq!(why(&alone.end()), "an extended header without an entry");
    let mut nul = Archive::default();
    nul.pax(&[("path", b"f\0/../x")]).file("f", b"");
    assert_eq!(why(&nul.end()), "a PAX name holds NUL");
    let mut endless = Archive::default();
    for _ in 0..40 {
        endless.pax(&[("path", b"f")]);
    }
    assert_eq!(why(&endless.end()), "extended headers that are too large");
    let mut long = Archive::default();
    long.pax(&[("path", &[b'a'; 5000])]).file("f", b"");
    assert_eq!(why(&long.end()), "a name longer than 4096 bytes");
}

#[test]
fn an_archive_may_end_without_its_zero_blocks_but_not_within_an_entry() {
    let mut archive = Archive::default();
    archive.file("a", &[1; 700]).file("b", &[2; 3]);
    let bytes = archive.open_end();
    assert_eq!(paths(&read(&bytes).unwrap()), ["a", "b"]);
    // The last padding may be cut off, as Go allows.
    assert!(read(&bytes[..bytes.len() - 500]).is_ok());
    assert_eq!(why(&bytes[..bytes.len() - 510]), "the archive ends within a file");
    assert_eq!(why(&bytes[..1100]), "the archive ends within a file");
    assert_eq!(why(&bytes[..100]), "the archive ends within a block");
}

#[test]
fn frame_and_contents_give_the_archive_back() {
    let mut archive = Archive::default();
    archive.dir("d/").file("d/f", &[3; 1000]).pax(&[("mtime", b"1.5")]).file("skipped", &[4; 10]);
    let mut map = b"1\n8\n5\n".to_vec();
    map.resize(BLOCK, 0);
    archive.pax(&[("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"20")]);
    archive.file("sparse", &[&map[..], b"holes"].concat());
    let bytes = [archive.end(), b"what follows".to_vec()].concat();

    let mut frame = Vec::new();
    let mut contents = Vec::new();
    let mut keep = |piece: &[u8]| {
        frame.extend_from_slice(piece);
        Ok(())
    };
    let mut reader = Reader::with_frame(&bytes[..], &mut keep);
    let mut entry = Entry::default();
    while reader.next(&mut entry).unwrap() {
        if entry.path != b"skipped" {
            let mut content = Vec::new();
            reader
                .content(|_, piece| {
                    content.extend_from_slice(piece);
                    Ok::<(), Error>(())
                })
                .unwrap();
            contents.push(content);
        }
    }
    assert!(frame.len() < bytes.len() - 1000);

    let rebuilt = std::cell::RefCell::new(Vec::new());
    let mut out = |piece: &[u8]| {
        rebuilt.borrow_mut().extend_from_slice(piece);
        Ok(())
    };
    let mut contents = contents.into_iter();
    let mut reader = Reader::with_frame(&frame[..], &mut out);
    while reader.next(&mut entry).unwrap() {
        if entry.path != b"skipped" {
            let segments = reader.supplied();
            let content = contents.next().unwrap();
            assert_eq!(segments.iter().map(|segment| segment.length).sum::<u64>(), content.len() as u64);
            rebuilt.borrow_mut().extend_from_slice(&content);
        }
    }
    drop(reader);
    assert!(rebuilt.into_inner() == bytes);
}

/// What GNU tar writes in its three formats is read as it was.
#[test]
fn archives_of_gnu_tar() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("in");
    let deep = root.join("a".repeat(90)).join("b".repeat(90)).join("c".repeat(90));
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("file"), b"deep").unwrap();
    std::os::unix::fs::symlink("d".repeat(200), root.join("link")).unwrap();
    let sparse = std::fs::File::create(root.join("sparse")).unwrap();
    std::os::unix::fs::FileExt::write_at(&sparse, b"end", 3 << 20).unwrap();
    drop(sparse);
    std::fs::hard_link(root.join("sparse"), root.join("zz-hard")).unwrap();
    for options in [
        &["--format=gnu", "--sparse"][..],
        &["--format=pax", "--sparse", "--sparse-version=0.0"],
        &["--format=pax", "--sparse", "--sparse-version=0.1"],
        &["--format=pax", "--sparse", "--sparse-version=1.0"],
        &["--format=gnu"],
        &["--format=pax"],
    ] {
        let mut tar = std::process::Command::new("tar");
        tar.args(options).args(["--sort=name", "-C"]).arg(&root).args(["-cf", "-", "."]);
        let Ok(output) = tar.output() else {
            println!("skipped: no tar program");
            return;
        };
        assert!(output.status.success());
        let mut reader = Reader::new(&output.stdout[..]);
        let mut entry = Entry::default();
        let mut seen = 0;
        while reader.next(&mut entry).unwrap() {
            let path = String::from_utf8(entry.path.clone()).unwrap();
            let mut last = (0, Vec::new());
            let mut content = |at, piece: &[u8]| {
                last = (at, piece.to_vec());
                Ok::<(), Error>(())
            };
            reader.content(&mut content).unwrap();
            match path.rsplit('/').next().unwrap() {
                "file" => assert_eq!((last.1.as_slice(), path.len()), (&b"deep"[..], 90 * 3 + 9)),
                "link" => assert_eq!(entry.link, "d".repeat(200).as_bytes()),
                "sparse" => {
                    assert_eq!(entry.size, (3 << 20) + 3);
                    assert!(last.1.ends_with(b"end"));
                    assert_eq!(last.0 + last.1.len() as u64, entry.size);
                }
                "zz-hard" => assert_eq!((entry.kind, entry.link.as_slice()), (Kind::HardLink, &b"./sparse"[..])),
                _ => continue,
            }
            seen += 1;
        }
        assert_eq!(seen, 4, "{options:?}");
    }
}

proptest! {
    /// Any bytes: no panic, and the entries never claim more content than there is.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let _ = crate::tar::scan(&bytes);
    }

    /// A good archive with some bytes changed and the checksums mended, so that the damage is reached.
    #[test]
    fn damaged_archives_are_read_or_refused(changes in proptest::collection::vec((0usize..8192, any::<u8>()), 1..12), cut in 0usize..8192) {
        let mut archive = Archive::default();
        archive.dir("d/").pax(&[("path", b"d/long"), ("GNU.sparse.map", b"0,1"), ("GNU.sparse.size", b"9")]).file("d/f", b"x");
        archive.add(Block::new(b'L', b"l", 5).gnu(), b"name\0").file("n", &[5; 600]);
        let mut gnu = Block::new(b'S', b"s", 1);
        archive.add(gnu.gnu().octal(386, 12, 1).octal(398, 12, 1).octal(483, 12, 2), b"y");
        let mut bytes = archive.end();
        for (at, byte) in changes {
            let length = bytes.len();
            bytes[at % length] = byte;
            let block = at % length / BLOCK * BLOCK;
            let sealed = Block(bytes[block..block + BLOCK].try_into().unwrap()).sealed();
            bytes[block..block + BLOCK].copy_from_slice(&sealed);
        }
        let cut = bytes.len() - cut % bytes.len();
        let _ = crate::tar::scan(&bytes[..cut]);
    }
}
