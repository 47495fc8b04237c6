//! What is saved is loaded again: the same image, from every form.

use super::*;
use crate::pull::Limits;
use crate::tar::testing::Archive;
use crate::testing::{Scratch, TestImage, TestLayer, as_root};
use jiff::Timestamp;
use rustix::fs::{CWD, Mode, OFlags};
use spec::oci::Compression;

fn image(words: &[&str]) -> TestImage {
    let layer = |word: &&str| TestLayer::new(&Archive::default().file(word, &[7; 3000]).end(), Compression::Gzip);
    TestImage::new(words.iter().map(layer).collect())
}

fn name(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

fn loaded(scratch: &Scratch, bytes: &[u8]) -> Vec<(String, Digest)> {
    let other = Store::open(&scratch.path().join(format!("other{}", bytes.len()))).unwrap();
    let loaded = other.load_stream(bytes, Limits::default(), Timestamp::UNIX_EPOCH).unwrap();
    loaded.into_iter().map(|one| (one.name, one.image.id)).collect()
}

#[test]
fn an_archive_gives_the_same_images_again() {
    as_root("save::tests::an_archive_gives_the_same_images_again", || {
        let scratch = Scratch::new();
        let store = Store::open(&scratch.path().join("store")).unwrap();
        let one = image(&["a", "b"]).pull(&store, &["localhost/one:1"]).unwrap();
        let two = image(&["a", "c"]).pull(&store, &["localhost/two:2"]).unwrap();
        let images = [
            SavedImage { image: &one, names: vec![name("localhost/one:1"), name("localhost/more:9")] },
            SavedImage { image: &two, names: vec![name("localhost/two:2")] },
        ];
        let wanted = vec![
            ("localhost/one:1".to_owned(), one.id),
            ("localhost/more:9".to_owned(), one.id),
            ("localhost/two:2".to_owned(), two.id),
        ];
        for format in [ArchiveFormat::Docker, ArchiveFormat::Oci(LayerForm::Plain), ArchiveFormat::Oci(LayerForm::Gzip)]
        {
            let mut bytes = Vec::new();
            store.save_archive(&images, format, &mut bytes).unwrap();
            assert_eq!(loaded(&scratch, &bytes), wanted, "{format:?}");
        }
        let nameless = [SavedImage { image: &one, names: Vec::new() }];
        let mut bytes = Vec::new();
        store.save_archive(&nameless, ArchiveFormat::Docker, &mut bytes).unwrap();
        assert_eq!(loaded(&scratch, &bytes), [(one.id.to_string(), one.id)]);
    });
}

#[test]
fn a_directory_gives_the_same_image_and_keeps_others() {
    as_root("save::tests::a_directory_gives_the_same_image_and_keeps_others", || {
        let scratch = Scratch::new();
        let store = Store::open(&scratch.path().join("store")).unwrap();
        let one = image(&["a", "b"]).pull(&store, &[]).unwrap();
        let two = image(&["c"]).pull(&store, &[]).unwrap();
        let save = |image: &ImageRecord, names: &[&str], format, directory: &str| {
            let path = scratch.path().join(directory);
            std::fs::create_dir_all(&path).unwrap();
            let dir = rustix::fs::openat(CWD, &path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
            let names = names.iter().map(|text| name(text)).collect();
            store.save_directory(&SavedImage { image, names }, format, std::os::fd::AsFd::as_fd(&dir)).unwrap();
            let other = Store::open(&scratch.path().join(format!("of-{directory}"))).unwrap();
            let loaded = other.load_path(&path, Limits::default(), Timestamp::UNIX_EPOCH).unwrap();
            loaded.into_iter().map(|one| (one.name, one.image.id)).collect::<Vec<_>>()
        };
        for (form, directory) in [(LayerForm::Plain, "plain"), (LayerForm::Gzip, "gzip")] {
            let format = DirectoryFormat::Docker(form);
            assert_eq!(save(&one, &["localhost/x:1"], format, directory), [(one.id.to_string(), one.id)]);
        }
        let format = DirectoryFormat::Oci(LayerForm::Gzip);
        let a = ("localhost/a:1".to_owned(), one.id);
        assert_eq!(save(&one, &["localhost/a:1"], format, "oci"), std::slice::from_ref(&a));
        assert_eq!(save(&two, &["localhost/b:1"], format, "oci"), [a, ("localhost/b:1".to_owned(), two.id)]);
        let moved = ("localhost/a:1".to_owned(), two.id);
        assert_eq!(save(&two, &["localhost/a:1"], format, "oci"), [("localhost/b:1".to_owned(), two.id), moved]);
    });
}

#[test]
fn what_cannot_be_written_says_so_and_names_the_part() {
    as_root("save::tests::what_cannot_be_written_says_so_and_names_the_part", || {
        let scratch = Scratch::new();
        let store = Store::open(&scratch.path().join("store")).unwrap();
        let one = image(&["a"]).pull(&store, &[]).unwrap();
        let images = [SavedImage { image: &one, names: Vec::new() }];
        let mut full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        for format in [ArchiveFormat::Docker, ArchiveFormat::Oci(LayerForm::Gzip)] {
            let error = store.save_archive(&images, format, &mut full).unwrap_err();
            assert!(matches!(error.kind, Kind::NoSpace(_)), "{error}");
        }
        let file = store.path(&crate::layout::layer_diff(&one.layers[0])).join("a");
        std::fs::write(file, [8; 3000]).unwrap();
        let error = store.save_archive(&images, ArchiveFormat::Docker, &mut Vec::new()).unwrap_err();
        assert!(matches!(error.kind, Kind::DigestMismatch { .. }), "{error}");
    });
}
