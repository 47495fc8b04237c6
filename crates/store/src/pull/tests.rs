//! Pulls: checked, resumed, shared, killed, out of space.

use super::*;
use crate::container::{ContainerId, ImageUse};
use crate::gc::{Collected, Partials};
use crate::tar::testing::Archive;
use crate::testing::{Scratch, TestImage, TestLayer, as_root, child, child_on_tmpfs, gzip};
use crate::{Access, ContainerRecord};
use jiff::Timestamp;
use std::io;
use std::time::{Duration, Instant};

const NAME: &str = "pull::tests";
const STORE: &str = "STORE_TEST_ROOT";

fn open(scratch: &Scratch) -> Store {
    Store::open(&scratch.path().join("store")).unwrap()
}

fn names(store: &Store, relative: &str) -> Vec<String> {
    let mut names = store.list(Path::new(relative)).unwrap();
    names.sort();
    names
}

/// Nothing half made is left, and nothing is visible that should not be.
fn assert_clean(store: &Store) {
    store.sweep().unwrap();
    for relative in [layout::TMP, layout::TRASH] {
        assert!(names(store, relative).is_empty(), "{relative}: {:?}", names(store, relative));
    }
}

fn fetch(store: &Store, layer: &TestLayer) -> Result<()> {
    layer.fetch(&store.begin_pull(Limits::default()).unwrap())
}

/// Reads some bytes, then fails like a network.
struct Cut<'a>(&'a [u8]);

impl Read for Cut<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            count => Ok(count),
        }
    }
}

/// Tries a layer whose connection breaks after `count` bytes; returns where the try began.
fn fetch_cut(store: &Store, layer: &TestLayer, count: usize) -> usize {
    let pull = store.begin_pull(Limits::default()).unwrap();
    match pull.layer(&layer.blob, &layer.diff_id, layer.compression, Wait::NONE).unwrap() {
        LayerPull::Present => panic!("present"),
        LayerPull::Stream(stream) => {
            let offset = stream.resume_offset() as usize;
            let error = stream.run(Cut(&layer.bytes[offset..offset.max(count)]), &|_| ()).unwrap_err();
            assert!(matches!(error.kind, Kind::Source(_)), "{error}");
            offset
        }
    }
}

#[test]
fn an_image_comes_in_whole() {
    as_root(&format!("{NAME}::an_image_comes_in_whole"), || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let below = Archive::default().dir("./").file("a", b"below").file("b", b"below").end();
        let above = Archive::default().file("a", b"above").file(".wh.b", b"").end();
        let layers = [(&below, Compression::Gzip), (&above, Compression::Zstd), (&vec![0; 1024], Compression::None)];
        let image = TestImage::new(layers.map(|(tar, compression)| TestLayer::new(tar, compression)).into());
        let record = image.pull(&store, &["docker.io/library/web", "localhost/web:1"]).unwrap();
        assert_eq!(record, store.find_image("web").unwrap());
        // As podman counts: the tars, the config, and the manifest under its two names.
        let tars = below.len() + above.len() + 1024;
        let documents = image.config.len() + 2 * image.manifest.len();
        assert_eq!((record.id, record.size), (image.id(), (tars + documents) as u64));
        assert_eq!(
            record.names.iter().map(|n| n.to_string()).collect::<Vec<_>>(),
            ["docker.io/library/web:latest", "localhost/web:1"]
        );
        assert_eq!(record.digests.len(), 2);
        assert_eq!(store.image_manifest(&record).unwrap(), image.manifest);
        assert_eq!(store.image_config(&record).unwrap().config.cmd.unwrap(), ["run"]);
        let lower = store.lower_dirs(&record.layers).unwrap();
        assert_eq!(std::fs::read(lower[1].join("a")).unwrap(), b"above");
        assert_eq!(std::fs::read(lower[2].join("a")).unwrap(), b"below");
        assert_eq!(std::fs::read_dir(&lower[0]).unwrap().count(), 0);
        assert_clean(&store);
        assert!(names(&store, layout::LAYERS_PARTIAL).is_empty());

        let pull = store.begin_pull(Limits::default()).unwrap();
        for layer in &image.layers {
            let again = pull.layer(&layer.blob, &layer.diff_id, layer.compression, Wait::NONE).unwrap();
            assert!(matches!(again, LayerPull::Present));
        }
        assert_eq!(image.commit(pull, &[]).unwrap(), record);
    });
}

#[test]
fn bytes_that_are_not_what_was_promised_stay_invisible() {
    as_root(&format!("{NAME}::bytes_that_are_not_what_was_promised_stay_invisible"), || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let tar = Archive::default().file("f", &[7; 3000]).end();
        let other = Archive::default().file("f", &[8; 3000]).end();
        let good = || TestLayer::new(&tar, Compression::Gzip);
        let with = |change: &dyn Fn(&mut TestLayer)| {
            let mut layer = good();
            change(&mut layer);
            fetch(&store, &layer).unwrap_err().kind
        };
        let wrong_digest = with(&|layer| layer.blob.digest = layer.diff_id);
        assert!(matches!(wrong_digest, Kind::DigestMismatch { .. }));
        assert!(matches!(with(&|l| l.blob.size += 1), Kind::SizeMismatch { .. }));
        // Too long: one byte too many is read, not all.
        assert!(matches!(with(&|l| l.blob.size -= 1), Kind::SizeMismatch { .. }));
        assert!(matches!(with(&|l| l.bytes.truncate(l.bytes.len() - 1)), Kind::SizeMismatch { .. }));
        let wrong_diff = with(&|l| *l = TestLayer { diff_id: good().diff_id, ..TestLayer::new(&other, l.compression) });
        assert!(matches!(wrong_diff, Kind::DigestMismatch { expected, .. } if expected == good().diff_id));
        for compression in [Compression::None, Compression::Zstd] {
            assert!(matches!(with(&|l| l.compression = compression), Kind::BadArchive(_)));
        }
        let bytes_of = |bytes: Vec<u8>| TestLayer::of_bytes(bytes, "tar+gzip", good().diff_id, Compression::Gzip);
        let mut flipped = good().bytes;
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let cut = good().bytes[..good().bytes.len() - 4].to_vec();
        let trailing = [good().bytes, b"trailing".to_vec()].concat();
        for bytes in [flipped, cut, trailing, Vec::new(), b"garbage".to_vec()] {
            let error = fetch(&store, &bytes_of(bytes)).unwrap_err();
            assert!(matches!(error.kind, Kind::BadArchive(_) | Kind::DigestMismatch { .. }), "{error}");
        }
        assert!(names(&store, layout::LAYERS).is_empty());
        assert!(matches!(store.begin_pull(Limits::default()).unwrap().has_layer(&good().diff_id), Ok(false)));
        assert_clean(&store);
        fetch(&store, &good()).unwrap();
    });
}

#[test]
fn all_forms_of_compression_are_read() {
    as_root(&format!("{NAME}::all_forms_of_compression_are_read"), || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let tar = |name: &str| Archive::default().file(name, &[7; 300_000]).end();
        let halves = |tar: &[u8]| (tar[..700].to_vec(), tar[700..].to_vec());
        let gz = tar("gz");
        let members = [gzip(&halves(&gz).0), gzip(&halves(&gz).1), gzip(b"")].concat();
        let zst = tar("zst");
        let encode = |bytes: &[u8]| zstd::encode_all(bytes, 19).unwrap();
        // A skippable frame, as zstd:chunked appends its table of contents.
        let frames =
            [encode(&halves(&zst).0), b"\x50\x2a\x4d\x18\x04\0\0\0toc!".to_vec(), encode(&halves(&zst).1)].concat();
        for (tar, bytes, kind, compression) in
            [(gz, members, "tar+gzip", Compression::Gzip), (zst, frames, "tar+zstd", Compression::Zstd)]
        {
            let layer = TestLayer::of_bytes(bytes, kind, crate::blob::digest_of(&tar), compression);
            fetch(&store, &layer).unwrap();
        }
        assert_eq!(names(&store, layout::LAYERS).len(), 2);
    });
}

#[test]
fn bombs_end_at_the_limit() {
    as_root(&format!("{NAME}::bombs_end_at_the_limit"), || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let zeros = Archive::default().file("zeros", &vec![0; 4 << 20]).end();
        // A small one inside nothing but padding, too: every byte of the tar counts.
        let padding = [Archive::default().file("f", b"").end(), vec![0; 4 << 20]].concat();
        for tar in [zeros, padding] {
            for compression in [Compression::Gzip, Compression::Zstd] {
                let layer = TestLayer::new(&tar, compression);
                assert!(layer.bytes.len() < 1 << 20);
                let pull = store.begin_pull(Limits { layer_size: 1 << 20 }).unwrap();
                let error = layer.fetch(&pull).unwrap_err();
                assert!(matches!(error.kind, Kind::TooLarge { limit: 0x10_0000 }), "{error}");
            }
        }
        assert_clean(&store);
    });
}

#[test]
fn an_interrupted_layer_goes_on_where_it_was() {
    as_root(&format!("{NAME}::an_interrupted_layer_goes_on_where_it_was"), || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let layer = TestLayer::large(1, 20, Compression::Gzip);
        assert_eq!(fetch_cut(&store, &layer, 700_001), 0);
        assert_eq!(fetch_cut(&store, &layer, 1_234_567), 700_001);
        // Nothing more came: nothing is lost.
        assert_eq!(fetch_cut(&store, &layer, 0), 1_234_567);
        assert_clean(&store);
        assert!(!store.gc(Partials::Keep).unwrap().deferred);
        let pull = store.begin_pull(Limits::default()).unwrap();
        let LayerPull::Stream(stream) = pull.layer(&layer.blob, &layer.diff_id, layer.compression, Wait::NONE).unwrap()
        else {
            panic!("present")
        };
        assert_eq!(stream.resume_offset(), 1_234_567);
        let taken = Cell::new((u64::MAX, 0));
        let progress = |count| taken.set((taken.get().0.min(count), count));
        stream.run(&layer.bytes[1_234_567..], &progress).unwrap();
        assert_eq!(taken.get().1, layer.blob.size);
        assert!(pull.has_layer(&layer.diff_id).unwrap());
        assert!(names(&store, layout::LAYERS_PARTIAL).is_empty());
    });
}

#[test]
fn a_kept_part_that_is_wrong_is_not_kept_again() {
    as_root(&format!("{NAME}::a_kept_part_that_is_wrong_is_not_kept_again"), || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let layer = TestLayer::large(2, 20, Compression::None);
        // What a power cut makes of a file that was not synced; and one that is longer than the blob.
        let damage: [&dyn Fn(&mut Vec<u8>); 3] =
            [&|bytes| bytes[400_000..500_000].fill(0), &|bytes| bytes.fill(0), &|bytes| bytes.resize(3_000_000, 0)];
        for damage in damage {
            assert_eq!(fetch_cut(&store, &layer, 900_000), 0);
            let path = store.path(&layout::partial(&layer.blob.digest));
            let mut bytes = std::fs::read(&path).unwrap();
            damage(&mut bytes);
            let too_long = bytes.len() as u64 > layer.blob.size;
            std::fs::write(&path, bytes).unwrap();
            let first = fetch(&store, &layer);
            assert_eq!(first.is_ok(), too_long, "{first:?}");
            fetch(&store, &layer).unwrap();
            assert!(store.to_trash(&layout::layer(&layer.diff_id)).unwrap().is_some());
        }
    });
}

#[test]
fn the_second_pull_waits_for_the_first_and_names_it() {
    as_root("pull::tests::the_second_pull_waits_for_the_first_and_names_it", || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let layer = TestLayer::large(3, 10, Compression::Gzip);
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (go, may_go) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let (store, layer) = (&store, &layer);
            let first = scope.spawn(move || {
                let pull = store.begin_pull(Limits::default()).unwrap();
                let found = pull.layer(&layer.blob, &layer.diff_id, layer.compression, Wait::NONE).unwrap();
                let LayerPull::Stream(stream) = found else { panic!("present") };
                begun.send(()).unwrap();
                may_go.recv().unwrap();
                stream.run(&layer.bytes[..], &|_| ()).unwrap();
            });
            has_begun.recv().unwrap();
            let pull = store.begin_pull(Limits::default()).unwrap();
            let refused = pull.layer(&layer.blob, &layer.diff_id, layer.compression, Wait::NONE).unwrap_err();
            let Kind::Locked { holder: Some(holder) } = refused.kind else { panic!("{refused}") };
            assert_eq!(holder.pid, std::process::id());
            let told = Cell::new(0);
            let tell = |holder: Option<&crate::Holder>| {
                told.set(holder.map_or(0, |holder| holder.pid));
                go.send(()).unwrap();
            };
            let wait = Wait::forever().telling(&tell);
            let second = pull.layer(&layer.blob, &layer.diff_id, layer.compression, wait).unwrap();
            assert!(matches!(second, LayerPull::Present));
            assert_eq!(told.get(), std::process::id());
            first.join().unwrap();
        });
    });
}

/// Run in child processes by the tests below: pulls one image into the store named by the environment.
#[test]
fn pull_as_child() {
    let Some(root) = std::env::var_os(STORE) else { return };
    let store = Store::open(Path::new(&root)).unwrap();
    store.sweep().unwrap();
    let layers = (10..13).map(|seed| TestLayer::large(seed, 8, Compression::Gzip)).collect();
    let image = TestImage::new(layers);
    println!("begin");
    image.pull(&store, &["localhost/shared:1"]).unwrap();
    println!("end");
}

#[test]
fn processes_that_pull_the_same_image_share_it() {
    as_root("pull::tests::processes_that_pull_the_same_image_share_it", || {
        let scratch = Scratch::new();
        let root = scratch.path().join("store");
        let children: Vec<_> = (0..4)
            .map(|_| child(&format!("{NAME}::pull_as_child"), STORE, &root).stdout(std::process::Stdio::null()).spawn())
            .collect();
        for child in children {
            assert!(child.unwrap().wait().unwrap().success());
        }
        let store = open(&scratch);
        assert_eq!(names(&store, layout::LAYERS).len(), 3);
        assert_eq!(store.find_image("shared:1").unwrap().layers.len(), 3);
        assert_clean(&store);
    });
}

#[test]
fn a_pull_killed_at_any_moment_leaves_nothing_to_repair() {
    use std::io::BufRead;
    as_root(&format!("{NAME}::a_pull_killed_at_any_moment_leaves_nothing_to_repair"), || {
        let scratch = Scratch::new();
        let root = scratch.path().join("store");
        let mut survived = 0;
        let mut delay = Duration::from_micros(500);
        while survived < 2 {
            let mut command = child(&format!("{NAME}::pull_as_child"), STORE, &root);
            let mut process = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
            let mut lines = io::BufReader::new(process.stdout.take().unwrap()).lines();
            while !lines.next().unwrap().unwrap().contains("begin") {}
            // Not to wait for something, but to kill at ever later moments until the pull is quicker.
            std::thread::sleep(delay);
            process.kill().unwrap();
            process.wait().unwrap();
            delay = delay * 8 / 5;
            let store = open(&scratch);
            match store.find_image("shared:1") {
                Ok(image) => {
                    survived += 1;
                    store.lower_dirs(&image.layers).unwrap();
                    store.image_config(&image).unwrap();
                }
                Err(error) => assert!(error.is_not_found(), "{error}"),
            }
            // Whatever is visible is whole.
            for name in names(&store, layout::LAYERS) {
                let diff = store.path(&layout::layer_diff(&Digest::parse_hex(&name).unwrap()));
                let seed = std::fs::read_dir(&diff).unwrap().next().unwrap().unwrap().path();
                assert_eq!(std::fs::read_dir(seed).unwrap().count(), 8);
            }
        }
        let last = child(&format!("{NAME}::pull_as_child"), STORE, &root).output().unwrap();
        assert!(last.status.success());
        let store = open(&scratch);
        assert_clean(&store);
        assert_eq!(store.gc(Partials::Discard).unwrap().layers, 0);
        assert!(names(&store, layout::LAYERS_PARTIAL).is_empty());
    });
}

#[test]
fn layers_of_an_earlier_boot_count_only_if_an_image_names_them() {
    as_root("pull::tests::layers_of_an_earlier_boot_count_only_if_an_image_names_them", || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let image = TestImage::small("x");
        let diff_id = image.layers[0].diff_id;
        let mark = store.path(&layout::within(&layout::layer(&diff_id), layout::LAYER_UNSYNCED));
        let age = || {
            let _ = std::fs::remove_file(&mark);
            std::os::unix::fs::symlink("00000000-0000-0000-0000-000000000000", &mark).unwrap();
        };
        fetch(&store, &image.layers[0]).unwrap();
        assert_eq!(store.layer_presence(&diff_id).unwrap(), Presence::Unsynced);
        age();
        assert_eq!(store.layer_presence(&diff_id).unwrap(), Presence::Absent);
        assert!(names(&store, layout::LAYERS).is_empty());
        // What a power cut makes of a record that was not synced.
        fetch(&store, &image.layers[0]).unwrap();
        std::fs::write(store.path(&layout::within(&layout::layer(&diff_id), layout::LAYER_RECORD)), "").unwrap();
        assert_eq!(store.layer_presence(&diff_id).unwrap(), Presence::Absent);
        image.pull(&store, &[]).unwrap();
        assert_eq!(store.layer_presence(&diff_id).unwrap(), Presence::Durable);
        age();
        assert_eq!(store.layer_presence(&diff_id).unwrap(), Presence::Durable);
        assert!(!mark.is_symlink());
    });
}

#[test]
fn documents_that_do_not_belong_together_are_refused() {
    as_root("pull::tests::documents_that_do_not_belong_together_are_refused", || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let commit = |image: &TestImage| {
            let pull = store.begin_pull(Limits::default()).unwrap();
            image.layers.iter().for_each(|layer| layer.fetch(&pull).unwrap());
            image.commit(pull, &["localhost/x"]).unwrap_err().kind
        };
        let mut image = TestImage::small("x");
        image.config.push(b' ');
        assert!(matches!(commit(&image), Kind::DigestMismatch { .. }));
        let mut image = TestImage::small("x");
        image.manifest = b"{}".to_vec();
        assert!(matches!(commit(&image), Kind::Corrupt(_)));
        let change = |from: &str, to: &str| {
            let mut image = TestImage::small("x");
            image.manifest = String::from_utf8(image.manifest).unwrap().replace(from, to).into_bytes();
            commit(&image)
        };
        assert!(matches!(change("layer.v1.tar+gzip", "layer.v1.tar+rot13"), Kind::UnsupportedMediaType(_)));
        let mut image = TestImage::small("x");
        image.layers.push(TestLayer::large(1, 1, Compression::None));
        image = TestImage::with_config(image.layers, image.config);
        assert!(matches!(commit(&image), Kind::Corrupt(_)));
        let image = TestImage::small("never fetched");
        let pull = store.begin_pull(Limits::default()).unwrap();
        assert!(matches!(image.commit(pull, &[]).unwrap_err().kind, Kind::NotFound(What::Layer)));
        let image = TestImage::small("x");
        let pull = store.begin_pull(Limits::default()).unwrap();
        assert!(matches!(image.commit(pull, &["short-name"]).unwrap_err().kind, Kind::InvalidName(_)));
        assert!(store.images().unwrap().items.is_empty());
    });
}

#[test]
fn collection_takes_what_nobody_needs_and_nothing_else() {
    as_root("pull::tests::collection_takes_what_nobody_needs_and_nothing_else", || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let (kept, gone, used) = (TestImage::small("kept"), TestImage::small("gone"), TestImage::small("used"));
        for (image, name) in [(&kept, "localhost/kept"), (&gone, "localhost/gone"), (&used, "localhost/used")] {
            image.pull(&store, &[name]).unwrap();
        }
        let used_record = store.find_image("used").unwrap();
        let container = ContainerRecord {
            id: ContainerId::random(),
            name: "c".into(),
            created: Timestamp::UNIX_EPOCH,
            image: Some(ImageUse {
                id: used_record.id,
                name: "localhost/used:latest".into(),
                manifest: Some(used_record.manifest),
                layers: used_record.layers,
                root: used_record.root,
            }),
            spec: Default::default(),
            ids: None,
            create_command: Vec::new(),
            volumes: Vec::new(),
            mounted: Vec::new(),
            auto_remove: false,
            creator: None,
            unit: None,
            initialized: false,
        };
        store.create_container(&container, Durability::Volatile).unwrap();
        assert_eq!(store.gc(Partials::Discard).unwrap(), Collected::default());
        store.remove_image("gone", crate::Removal::Careful).unwrap();
        let refused = store.remove_image("used", crate::Removal::AllNames).unwrap_err();
        assert!(matches!(refused.kind, Kind::InUse { by } if by == [container.id.to_string()]));
        // A record that vanished from outside still leaves the container its layers.
        std::fs::remove_file(store.path(&layout::image(&used.id()))).unwrap();

        let pull = store.begin_pull(Limits::default()).unwrap();
        assert!(store.gc(Partials::Discard).unwrap().deferred);
        // A pull that finds a layer keeps it.
        assert!(pull.has_layer(&gone.layers[0].diff_id).unwrap());
        gone.commit(pull, &["localhost/gone"]).unwrap();
        assert_eq!(store.gc(Partials::Discard).unwrap().layers, 0);
        store.remove_image("gone", crate::Removal::Careful).unwrap();
        let collected = store.gc(Partials::Discard).unwrap();
        assert_eq!(collected, Collected { layers: 1, blobs: 2, bytes: 4, deferred: false });
        assert_eq!(names(&store, layout::LAYERS).len(), 2);
        store.lower_dirs(&container.image.unwrap().layers).unwrap();
        std::fs::write(store.path(&layout::image(&kept.id())), "{").unwrap();
        assert!(matches!(store.gc(Partials::Discard).unwrap_err().kind, Kind::Corrupt(_)));
        assert_eq!(names(&store, layout::LAYERS).len(), 2);
    });
}

#[test]
fn a_lock_outlives_neither_guard_nor_file() {
    let scratch = Scratch::new();
    let store = open(&scratch);
    let path = Path::new("locks/test");
    let first = store.lock(path, Access::Shared, Wait::NONE).unwrap();
    let second = store.lock(path, Access::Shared, Wait::NONE).unwrap();
    assert!(store.try_lock(path, Access::Exclusive).unwrap().is_none());
    drop((first, second));
    let first = store.lock(path, Access::Exclusive, Wait::NONE).unwrap();
    let start = Instant::now();
    let refused = store.lock(path, Access::Shared, Wait::at_most(Duration::from_millis(30))).unwrap_err();
    assert!(matches!(refused.kind, Kind::Locked { holder: Some(_) }) && start.elapsed() >= Duration::from_millis(30));
    // Removed while held: the next one locks the new file at once.
    std::fs::remove_file(store.path(path)).unwrap();
    let second = store.lock(path, Access::Exclusive, Wait::NONE).unwrap();
    drop(first);
    assert!(store.try_lock(path, Access::Exclusive).unwrap().is_none());
    drop(second);
    // Whoever reads is named too.
    let _shared = store.lock(Path::new("locks/other"), Access::Shared, Wait::NONE).unwrap();
    let refused = store.lock(Path::new("locks/other"), Access::Exclusive, Wait::NONE).unwrap_err();
    assert!(matches!(refused.kind, Kind::Locked { holder: Some(holder) } if holder.pid == std::process::id()));
}

/// Run in a child process on a small file system.
#[test]
fn full_disk_as_child() {
    let Some(root) = std::env::var_os("STORE_TEST_FULL") else { return };
    let store = Store::open(&Path::new(&root).join("store")).unwrap();
    let small = TestImage::small("small");
    small.pull(&store, &["localhost/small", "localhost/same"]).unwrap();
    let other = TestImage::small("other");
    other.pull(&store, &["localhost/other"]).unwrap();
    let container = crate::container::tests::container("web");
    store.create_container(&container, Durability::Durable).unwrap();
    let volume = crate::VolumeRecord::local("data", Timestamp::UNIX_EPOCH);
    store.create_volume(&volume, Durability::Durable).unwrap();

    // More than there is room for: an error that says so, and nothing of it visible.
    let large = TestImage::new(vec![TestLayer::large(1, 120, Compression::None)]);
    for _ in 0..2 {
        let error = large.pull(&store, &["localhost/large"]).unwrap_err();
        assert!(matches!(error.kind, Kind::NoSpace(_)), "{error}");
    }
    assert!(store.find_image("large").unwrap_err().is_not_found());
    assert_eq!(names(&store, layout::LAYERS).len(), 2);
    let archive = Archive::default().file("large", &vec![1; 12 << 20]).end();
    let error = store.load_stream(&archive[..], Limits::default(), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(matches!(error.kind, Kind::NoSpace(_)), "{error}");

    // Somebody else takes the last byte. What exists is found, and can be removed.
    let mut filler = File::create(Path::new(&root).join("filler")).unwrap();
    while filler.write_all(&[1; 512]).is_ok() {}
    store.find_image("small").unwrap();
    store.find_container("web").unwrap();
    let error = store.create_container(&crate::container::tests::container("two"), Durability::Durable).unwrap_err();
    assert!(matches!(error.kind, Kind::NoSpace(_)), "{error}");
    assert!(matches!(store.remove_image("small", crate::Removal::Careful).unwrap(), crate::Removed::Untagged(_)));
    store.remove_image("other", crate::Removal::Careful).unwrap();
    store.remove_container(&container.id).unwrap();
    store.remove_volume("data").unwrap();
    let collected = store.gc(Partials::Discard).unwrap();
    assert_eq!(collected.layers, 1);
    drop(filler);
    std::fs::remove_file(Path::new(&root).join("filler")).unwrap();

    // There is room again, also for the next removal.
    TestImage::new(vec![TestLayer::large(2, 10, Compression::None)]).pull(&store, &["localhost/new"]).unwrap();
    assert_clean(&store);
    assert!(store.exists(Path::new(layout::RESERVE)).unwrap());
    println!("all of it");
}

#[test]
fn a_full_disk_stops_pulls_but_no_removals() {
    as_root(&format!("{NAME}::a_full_disk_stops_pulls_but_no_removals"), || {
        let scratch = Scratch::new();
        let name = format!("{NAME}::full_disk_as_child");
        let mut child = child_on_tmpfs(&name, "STORE_TEST_FULL", scratch.path(), 10 << 20);
        let output = match child.output() {
            Ok(output) => output,
            Err(error) => return println!("skipped: unshare: {error}"),
        };
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if errors.contains("unshare:") || errors.contains("mount:") {
            return println!("skipped: {errors}");
        }
        assert!(text.contains("all of it"), "{text}{errors}");
    });
}
