//! Layers that try to reach outside, and every kind of entry.

use super::*;
use crate::tar::testing::{Archive, Block};
use crate::testing::{Scratch, as_root, tree};
use proptest::prelude::*;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

const NAME: &str = "layer::unpack::tests";

/// A directory to unpack into, between things that must not change.
struct Victim {
    scratch: Scratch,
    before: Vec<String>,
}

impl Victim {
    fn new() -> Self {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path().join("diff")).unwrap();
        std::fs::create_dir(scratch.path().join("outside")).unwrap();
        std::fs::write(scratch.path().join("outside/canary"), "canary").unwrap();
        std::fs::write(scratch.path().join("canary"), "canary").unwrap();
        let before = Self::outside(scratch.path());
        Self { scratch, before }
    }

    fn outside(path: &Path) -> Vec<String> {
        tree(path).into_iter().filter(|line| !line.starts_with("diff")).collect()
    }

    fn diff(&self) -> PathBuf {
        self.scratch.path().join("diff")
    }

    fn unpack_as(&self, archive: &Archive, whiteouts: Whiteouts) -> Result<Unpacked> {
        let bytes = archive.end();
        let top = OwnedFd::from(std::fs::File::open(self.diff()).unwrap());
        unpack(&mut tar::Reader::new(&bytes[..]), top, whiteouts, 1 << 30)
    }

    fn unpack(&self, archive: &Archive) -> Result<Unpacked> {
        let result = self.unpack_as(archive, Whiteouts::Overlay);
        assert_eq!(Self::outside(self.scratch.path()), self.before, "something outside changed");
        result
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.diff().join(path)).unwrap()
    }

    fn xattr(&self, path: &str, name: &str) -> Option<Vec<u8>> {
        let mut value = vec![0; 256];
        let length = rustix::fs::lgetxattr(self.diff().join(path), name, value.as_mut_slice()).ok()?;
        value.truncate(length);
        Some(value)
    }

    fn is_whiteout(&self, path: &str) -> bool {
        let meta = std::fs::symlink_metadata(self.diff().join(path)).unwrap();
        FileType::from_raw_mode(meta.mode()) == FileType::CharacterDevice && meta.rdev() == 0
    }

    fn is_opaque(&self, path: &str) -> bool {
        self.xattr(path, "user.overlay.opaque").as_deref() == Some(b"y")
    }
}

fn refusal(result: Result<Unpacked>) -> String {
    match result {
        Err(Error { kind: Kind::BadArchive(why), .. }) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn entries_become_what_they_say() {
    as_root(&format!("{NAME}::entries_become_what_they_say"), || {
        rustix::process::umask(Mode::from_raw_mode(0o077));
        let victim = Victim::new();
        let mut archive = Archive::default();
        let mut top = Block::new(b'5', b"./", 0);
        archive.add(top.octal(100, 8, 0o711).octal(108, 8, 7).octal(136, 12, 90), b"");
        let mut dir = Block::new(b'5', b"./d/", 0);
        archive.add(dir.octal(100, 8, 0o2775).octal(108, 8, 1).octal(116, 8, 2).octal(136, 12, 100), b"");
        let mut setuid = Block::new(b'0', b"./d/su", 2);
        archive.add(setuid.octal(100, 8, 0o4755).octal(108, 8, 33), b"su");
        archive.file("./d/root", b"r");
        let mut fifo = Block::new(b'6', b"./d/pipe", 0);
        archive.add(fifo.octal(100, 8, 0o666).octal(108, 8, 5).octal(136, 12, 44), b"");
        let mut link = Block::new(b'2', b"./d/link", 0);
        archive.add(link.link(b"/etc/passwd").octal(116, 8, 9).octal(136, 12, 50), b"");
        archive.hardlink("hard", "./d/su").hardlink("soft", "d/link");
        archive.pax(&[("mtime", b"1.5")]).file("d/half", b"");
        archive.file("implied/dir/f", b"x");
        let done = victim.unpack(&archive).unwrap();
        let implied = std::fs::metadata(victim.diff().join("implied")).unwrap().mtime();
        assert_eq!(
            tree(&victim.diff()),
            [
                "d d2775 1:2 0 100".to_owned(),
                "d/half -644 0:0 0 1".to_owned(),
                "d/link l777 0:9 0 50 -> /etc/passwd".to_owned(),
                "d/pipe p666 5:0 0 44".to_owned(),
                "d/root -644 0:0 1 1".to_owned(),
                "d/su -4755 33:0 2 1".to_owned(),
                "hard -4755 33:0 2 1".to_owned(),
                format!("implied d755 0:0 0 {implied}"),
                format!("implied/dir d755 0:0 0 {implied}"),
                "implied/dir/f -644 0:0 1 1".to_owned(),
                "soft l777 0:9 0 50 -> /etc/passwd".to_owned(),
            ]
        );
        let top = std::fs::metadata(victim.diff()).unwrap();
        assert_eq!((top.mode() & 0o7777, top.uid(), top.mtime()), (0o711, 7, 90));
        assert_eq!(std::fs::metadata(victim.diff().join("d/half")).unwrap().mtime_nsec(), 500_000_000);
        let inode = |path: &str| std::fs::symlink_metadata(victim.diff().join(path)).unwrap().ino();
        assert_eq!((inode("hard"), inode("soft")), (inode("d/su"), inode("d/link")));
        let root = Some(RootAttributes { mode: 0o711, uid: 7, gid: 0 });
        assert_eq!(done, Unpacked { entries: 10, size: 4, devices: 0, root, replaced: false });
    });
}

#[test]
fn paths_that_lead_outside_are_refused_and_change_nothing() {
    as_root(&format!("{NAME}::paths_that_lead_outside_are_refused_and_change_nothing"), || {
        for path in ["../canary", "a/../../canary", "./../outside/canary", "../diff2", "/../canary", ".."] {
            for kind in 0..5 {
                let victim = Victim::new();
                let mut archive = Archive::default();
                archive.file("x", b"x");
                match kind {
                    0 => archive.file(path, b"bad"),
                    1 => archive.dir(path),
                    2 => archive.symlink(path, "x"),
                    3 => archive.hardlink(path, "x"),
                    _ => archive.pax(&[("path", path.as_bytes())]).file("x", b"bad"),
                };
                assert!(refusal(victim.unpack(&archive)).contains("outside"), "{path}");
            }
        }
        // Absolute paths are paths of the image.
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.file("/etc/passwd", b"image's").file("a/../b", b"b");
        victim.unpack(&archive).unwrap();
        assert_eq!((victim.text("etc/passwd"), victim.text("b")), ("image's".into(), "b".into()));
    });
}

#[test]
fn symlinks_never_lead_outside() {
    as_root(&format!("{NAME}::symlinks_never_lead_outside"), || {
        for target in ["/", "..", "../outside", "../../../../../../../..", "/proc/self/cwd", "/proc/self/root"] {
            let victim = Victim::new();
            let absolute = victim.scratch.path().join("outside");
            for target in [target, absolute.to_str().unwrap()] {
                for entry in ["link/canary", "link/outside/canary", "link/new", "link/../canary"] {
                    let mut archive = Archive::default();
                    archive.symlink("link", target).file(entry, b"bad");
                    // Refused, or written inside: `unpack` checks that nothing outside changed.
                    let _ = victim.unpack(&archive);
                    let mut archive = Archive::default();
                    archive.symlink("link", target).dir("link/").file(entry, b"bad");
                    let _ = victim.unpack(&archive);
                    let mut archive = Archive::default();
                    archive.symlink("link", target).file("link", b"through");
                    victim.unpack(&archive).unwrap();
                    assert_eq!(victim.text("link"), "through");
                    let mut archive = Archive::default();
                    archive.symlink("link", target).file("link/.wh.canary", b"").file("link/.wh..wh..opq", b"");
                    let _ = victim.unpack(&archive);
                    let mut archive = Archive::default();
                    archive.symlink("link", target).hardlink("stolen", entry);
                    let _ = victim.unpack(&archive);
                    if let Ok(stolen) = std::fs::read_to_string(victim.diff().join("stolen")) {
                        assert_eq!(stolen, "bad", "a file from outside was linked");
                    }
                }
            }
        }
    });
}

#[test]
fn symlinks_inside_are_followed_as_in_the_image() {
    as_root(&format!("{NAME}::symlinks_inside_are_followed_as_in_the_image"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.dir("usr/lib").symlink("lib", "usr/lib").symlink("abs", "/usr/lib").symlink("up", "../../usr");
        archive.file("lib/a", b"a").file("abs/b", b"b").file("up/lib/sub/c", b"c").hardlink("lib/d", "abs/a");
        archive.symlink("loop", "loop2").symlink("loop2", "loop");
        victim.unpack(&archive).unwrap();
        assert_eq!(["a", "b", "sub/c", "d"].map(|name| victim.text(&format!("usr/lib/{name}"))), ["a", "b", "c", "a"]);
        let mut archive = Archive::default();
        archive.file("loop/x", b"");
        assert!(refusal(victim.unpack(&archive)).contains("cannot be made"));
        // A link that an entry replaces is not followed any more, also when its directory is held open.
        let mut archive = Archive::default();
        archive.file("lib/e", b"e").dir("lib/").file("lib/f", b"f");
        victim.unpack(&archive).unwrap();
        assert!(std::fs::symlink_metadata(victim.diff().join("lib")).unwrap().is_dir());
        assert_eq!((victim.text("usr/lib/e"), victim.text("lib/f")), ("e".into(), "f".into()));
        // Nor is a directory that is held open under another name after it was replaced.
        let mut archive = Archive::default();
        archive.symlink("s", "t/u").dir("t/u/v").file("s/v/x", b"1").file("t", b"file").file("s/v/y", b"2");
        assert!(victim.unpack(&archive).is_err());
        assert_eq!(victim.text("t"), "file");
    });
}

#[test]
fn hard_links_stay_inside() {
    as_root(&format!("{NAME}::hard_links_stay_inside"), || {
        for target in ["../canary", "/etc/passwd", "missing", "d", "link", "link/canary", "/", "."] {
            let victim = Victim::new();
            let mut archive = Archive::default();
            archive.dir("d").symlink("link", "../outside").hardlink("h", target);
            let result = victim.unpack(&archive);
            if target == "link" {
                // The symlink itself, not what it leads to.
                result.unwrap();
                assert_eq!(std::fs::read_link(victim.diff().join("h")).unwrap(), Path::new("../outside"));
            } else {
                assert!(refusal(result).contains("hard link"), "{target}");
                assert!(!victim.diff().join("h").exists());
            }
        }
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive
            .file("f", b"self")
            .hardlink("f", "f")
            .file("g", b"old")
            .hardlink("g", "./f")
            .dir("h")
            .hardlink("h", "f");
        victim.unpack(&archive).unwrap();
        assert_eq!(["f", "g", "h"].map(|name| victim.text(name)), ["self", "self", "self"]);
    });
}

#[test]
fn later_entries_replace_earlier_ones() {
    as_root(&format!("{NAME}::later_entries_replace_earlier_ones"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.file("f", b"long long").file("f", b"short").file("to-dir", b"x").dir("to-dir/").file("to-dir/in", b"y");
        archive.dir("to-file/").file("to-file/deep/in", b"x").file("to-file", b"file");
        archive.dir("kept/").file("kept/in", b"in");
        let mut again = Block::new(b'5', b"kept/", 0);
        archive.add(again.octal(100, 8, 0o700).octal(136, 12, 77), b"").file("kept/more", b"more");
        archive.symlink("s", "a").symlink("s", "b").hardlink("h", "f").file("h", b"apart");
        let done = victim.unpack(&archive).unwrap();
        assert!(done.replaced);
        assert_eq!(
            ["f", "to-dir/in", "to-file", "kept/in", "h"].map(|name| victim.text(name)),
            ["short", "y", "file", "in", "apart"]
        );
        let kept = std::fs::metadata(victim.diff().join("kept")).unwrap();
        assert_eq!((kept.mode() & 0o7777, kept.mtime()), (0o700, 77));
        assert_eq!(std::fs::read_link(victim.diff().join("s")).unwrap(), Path::new("b"));
        assert!(refusal(victim.unpack(Archive::default().file("f/below", b""))).contains("cannot be made"));
        // A link to a name that was replaced keeps its own file.
        let mut archive = Archive::default();
        archive.file("q", b"1").hardlink("r", "q").file("q", b"2");
        victim.unpack(&archive).unwrap();
        assert_eq!((victim.text("q"), victim.text("r")), ("2".into(), "1".into()));
    });
}

#[test]
fn whiteouts_hide_what_lies_below_and_nothing_else() {
    as_root(&format!("{NAME}::whiteouts_hide_what_lies_below_and_nothing_else"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.file(".wh.gone", b"").file("d/.wh.gone", b"content").dir("o/").file("o/.wh..wh..opq", b"");
        archive.file("implied/.wh..wh..opq", b"").file("o/own", b"own");
        // With what the layer itself brings, in either order.
        archive.file("own", b"own").file(".wh.own", b"").dir("own-dir/").file(".wh.own-dir", b"");
        archive.file(".wh.back", b"").file("back", b"back").file(".wh.back-dir", b"").dir("back-dir/");
        archive.file(".wh.below", b"").file("below/f", b"f");
        archive.file(".wh..wh.plnk/1.2", b"").file(".wh..wh.aufs", b"");
        victim.unpack(&archive).unwrap();
        assert!(!tree(&victim.diff()).iter().any(|line| line.contains(".wh.")));
        assert!(victim.is_whiteout("gone") && victim.is_whiteout("d/gone"));
        assert!(victim.is_opaque("o") && victim.is_opaque("implied"));
        assert_eq!(["o/own", "own", "back", "below/f"].map(|name| victim.text(name)), ["own", "own", "back", "f"]);
        assert!(["own-dir", "back-dir", "below"].iter().all(|name| victim.is_opaque(name)));
        assert!(!victim.is_opaque("d"));
        for name in [".wh.", ".wh..", ".wh...", "d/.wh..", ".wh./x", ".wh.d/x", ".wh..wh..opq/x"] {
            let victim = Victim::new();
            assert!(refusal(victim.unpack(Archive::default().file(name, b""))).contains("whiteout"), "{name}");
            assert_eq!(tree(&victim.diff()).iter().filter(|line| !line.starts_with("d ")).count(), 0, "{name}");
        }
    });
}

#[test]
fn an_opaque_mark_on_a_symlink_stays_inside() {
    as_root(&format!("{NAME}::an_opaque_mark_on_a_symlink_stays_inside"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.symlink("link", "../outside").file("link/.wh..wh..opq", b"");
        assert!(victim.unpack(&archive).is_err());
        let mut value = [0; 8];
        let outside = victim.scratch.path().join("outside");
        assert!(rustix::fs::getxattr(outside, "user.overlay.opaque", value.as_mut_slice()).is_err());
    });
}

#[test]
fn plain_archives_have_no_whiteouts() {
    as_root(&format!("{NAME}::plain_archives_have_no_whiteouts"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.file(".wh.x", b"1").file("d/.wh..wh..opq", b"2").file(".wh.d/x", b"3");
        victim.unpack_as(&archive, Whiteouts::Plain).unwrap();
        assert_eq!([".wh.x", "d/.wh..wh..opq", ".wh.d/x"].map(|name| victim.text(name)), ["1", "2", "3"]);
    });
}

#[test]
fn attributes_that_steer_the_overlay_or_the_host_are_dropped() {
    as_root(&format!("{NAME}::attributes_that_steer_the_overlay_or_the_host_are_dropped"), || {
        let victim = Victim::new();
        // Version 2, effective, cap_net_bind_service.
        let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let hostile: [(&str, &[u8]); 8] = [
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
            ("SCHILY.xattr.user.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.user.overlay.metacopy", b""),
            ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.security.selinux", b"system_u:object_r:etc_t:s0\0"),
            ("SCHILY.xattr.security.capability", capability),
            ("SCHILY.xattr.user.kept", b"kept"),
        ];
        let mut archive = Archive::default();
        let mut file = Block::new(b'0', b"f", 1);
        archive.pax(&hostile).add(file.octal(100, 8, 0o444).octal(108, 8, 5), b"x");
        archive.pax(&hostile[..6]).dir("d/").pax(&hostile).symlink("s", "f");
        let libarchive = [("LIBARCHIVE.xattr.user%2Eoverlay%2Eopaque", &b"eQ=="[..])];
        archive.pax(&libarchive).dir("e/");
        victim.unpack(&archive).unwrap();
        assert_eq!(victim.xattr("f", "user.kept").as_deref(), Some(&b"kept"[..]));
        let kept = victim.xattr("f", "security.capability").unwrap();
        assert_eq!(kept[4..20], capability[4..20]);
        for path in ["f", "d", "s", "e"] {
            for name in ["opaque", "redirect", "metacopy"] {
                for space in ["user", "trusted"] {
                    assert_eq!(victim.xattr(path, &format!("{space}.overlay.{name}")), None, "{path} {space} {name}");
                }
            }
            assert_ne!(victim.xattr(path, "security.selinux").as_deref(), Some(hostile[5].1));
        }
    });
}

#[test]
fn devices_are_left_out() {
    as_root(&format!("{NAME}::devices_are_left_out"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.add(Block::new(b'3', b"dev/null", 0).octal(329, 8, 1).octal(337, 8, 3), b"");
        archive.add(Block::new(b'4', b"dev/sda", 0).octal(329, 8, 8), b"");
        // A whiteout by another name.
        archive.add(&Block::new(b'3', b"etc", 0), b"").file("after", b"x");
        let done = victim.unpack(&archive).unwrap();
        assert_eq!((done.devices, tree(&victim.diff()).len()), (3, 1));
    });
}

#[test]
fn sparse_files_keep_their_holes() {
    as_root(&format!("{NAME}::sparse_files_keep_their_holes"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.pax(&[("GNU.sparse.map", b"4194304,5"), ("GNU.sparse.size", b"67108864")]).file("f", b"hello");
        archive.pax(&[("GNU.sparse.map", b"0,0"), ("GNU.sparse.size", b"1048576")]).file("hole", b"");
        let done = victim.unpack(&archive).unwrap();
        let meta = std::fs::metadata(victim.diff().join("f")).unwrap();
        assert_eq!((meta.len(), done.size), (64 << 20, 5));
        assert!(meta.blocks() < 1024, "{} blocks", meta.blocks());
        let content = std::fs::read(victim.diff().join("f")).unwrap();
        assert_eq!(&content[4 << 20..(4 << 20) + 6], b"hello\0");
        assert_eq!(std::fs::metadata(victim.diff().join("hole")).unwrap().len(), 1 << 20);
        let mut archive = Archive::default();
        archive.pax(&[("GNU.sparse.map", b"0,1"), ("GNU.sparse.size", b"8000000000000000000")]).file("f", b"x");
        assert!(matches!(victim.unpack(&archive).unwrap_err().kind, Kind::TooLarge { .. }));
    });
}

#[test]
fn an_owner_without_a_place_is_named() {
    as_root(&format!("{NAME}::an_owner_without_a_place_is_named"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.pax(&[("uid", b"4000000000")]).file("etc/f", b"");
        match victim.unpack(&archive) {
            // Real root may give files to anybody.
            Ok(_) => assert_eq!(std::fs::metadata(victim.diff().join("etc/f")).unwrap().uid(), 4_000_000_000),
            Err(error) => {
                assert!(matches!(error.kind, Kind::UnmappedId { uid: 4_000_000_000, gid: 0 }));
                let text = "unpack \"etc/f\": owner 4000000000:0 is outside the range of mapped IDs";
                assert_eq!(error.to_string(), text);
            }
        }
    });
}

#[test]
fn names_too_long_or_too_deep_are_refused() {
    as_root(&format!("{NAME}::names_too_long_or_too_deep_are_refused"), || {
        let victim = Victim::new();
        let long = "n".repeat(300);
        let result = victim.unpack(Archive::default().pax(&[("path", long.as_bytes())]).file("x", b""));
        assert!(refusal(result).contains("too long"));
        let deep = "d/".repeat(2000);
        let result = victim.unpack(Archive::default().pax(&[("path", deep.as_bytes())]).file("x", b""));
        assert!(refusal(result).contains("deep"));
        let deep = "d/".repeat(200) + "f";
        victim.unpack(Archive::default().pax(&[("path", deep.as_bytes())]).file("x", b"deep")).unwrap();
        assert_eq!(victim.text(&deep), "deep");
    });
}

#[test]
fn directories_have_their_times_in_the_end() {
    as_root(&format!("{NAME}::directories_have_their_times_in_the_end"), || {
        let victim = Victim::new();
        let mut archive = Archive::default();
        archive.dir("a/").dir("a/b/").file("a/b/1", b"").dir("c/").file("c/2", b"").file("a/b/3", b"").file("a/4", b"");
        // Come back after others, also to remove.
        archive.file("a/b/1", b"again").file("c/.wh.x", b"").hardlink("a/5", "c/2").symlink("a/b/6", "x");
        victim.unpack(&archive).unwrap();
        for path in ["a", "a/b", "c"] {
            assert_eq!(std::fs::metadata(victim.diff().join(path)).unwrap().mtime(), 1, "{path}");
        }
    });
}

fn any_path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("a"),
        Just("b"),
        Just("c"),
        Just("."),
        Just(".."),
        Just(""),
        Just(".wh.a"),
        Just(".wh..wh..opq"),
        Just("outside"),
        Just("canary"),
    ];
    proptest::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
}

fn any_target() -> impl Strategy<Value = String> {
    prop_oneof![
        any_path(),
        Just("/".into()),
        Just("/proc/self/root".into()),
        any_path().prop_map(|path| format!("/{path}"))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Any sequence of entries with any paths: nothing outside changes, and nothing of the outside comes in.
    #[test]
    fn no_archive_reaches_outside(entries in proptest::collection::vec((0u8..5, any_path(), any_target()), 1..14)) {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: not root");
            return Ok(());
        }
        let victim = Victim::new();
        let mut archive = Archive::default();
        for (kind, path, target) in &entries {
            match kind {
                0 => archive.file(path, b"image"),
                1 => archive.dir(path),
                2 => archive.symlink(path, target),
                3 => archive.hardlink(path, target),
                _ => archive.pax(&[("path", path.as_bytes()), ("GNU.sparse.map", b"1,1"), ("GNU.sparse.size", b"3")]).file("x", b"y"),
            };
        }
        let _ = victim.unpack(&archive);
        let mut todo = vec![victim.diff()];
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    todo.push(entry.path());
                } else if kind.is_file() {
                    prop_assert!(std::fs::read(entry.path()).unwrap() != b"canary");
                }
            }
        }
    }
}
