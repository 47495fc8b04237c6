//! Archives of every form, whole and hostile.

use super::*;
use crate::tar::testing::{Archive, Block};
use crate::testing::{Scratch, TestImage, TestLayer, as_root, gzip};
use serde_json::json;
use spec::oci::Compression;

fn open(scratch: &Scratch) -> Store {
    Store::open(&scratch.path().join("store")).unwrap()
}

fn load(store: &Store, archive: &[u8]) -> Result<Vec<String>> {
    let loaded = store.load_stream(archive, Limits::default(), Timestamp::UNIX_EPOCH)?;
    Ok(loaded.into_iter().map(|image| image.name).collect())
}

fn load_file(store: &Store, scratch: &Scratch, archive: &[u8]) -> Result<Vec<String>> {
    let path = scratch.path().join("archive");
    std::fs::write(&path, archive).unwrap();
    let loaded = store.load_path(&path, Limits::default(), Timestamp::UNIX_EPOCH)?;
    Ok(loaded.into_iter().map(|image| image.name).collect())
}

fn image() -> TestImage {
    let layers = ["below", "above"]
        .map(|text| TestLayer::new(&Archive::default().file("text", text.as_bytes()).end(), Compression::Gzip));
    TestImage::new(layers.into())
}

fn tar_of(layer: &TestLayer) -> Vec<u8> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&layer.bytes[..]).read_to_end(&mut tar).unwrap();
    tar
}

/// As `podman save` writes it: layers first, the second time as a link; the table last.
fn docker_archive(image: &TestImage, tags: serde_json::Value) -> Archive {
    let mut archive = Archive::default();
    let config = format!("{}.json", image.id().hex());
    archive.file("one/layer.tar", &tar_of(&image.layers[0]));
    archive.file("two.tar", &tar_of(&image.layers[1])).symlink("two/layer.tar", "../two.tar");
    archive.file(&config, &image.config);
    let table = json!([{"Config": config, "RepoTags": tags, "Layers": ["one/layer.tar", "two/layer.tar"]}]);
    archive.file("manifest.json", table.to_string().as_bytes());
    archive
}

fn oci_files(images: &[(&TestImage, Option<&str>)]) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("oci-layout".to_owned(), b"{\"imageLayoutVersion\":\"1.0.0\"}".to_vec())];
    let mut manifests = Vec::new();
    for (image, name) in images {
        let digest = crate::blob::digest_of(&image.manifest);
        let mut descriptor = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": image.manifest.len(),
        });
        if let Some(name) = name {
            descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        }
        manifests.push(descriptor);
        let blobs = image.layers.iter().map(|layer| &layer.bytes).chain([&image.manifest, &image.config]);
        files.extend(blobs.map(|b| (format!("blobs/sha256/{}", crate::blob::digest_of(b).hex()), b.clone())));
    }
    files.push(("index.json".into(), json!({"schemaVersion": 2, "manifests": manifests}).to_string().into_bytes()));
    files
}

fn oci_archive(images: &[(&TestImage, Option<&str>)]) -> Vec<u8> {
    let mut archive = Archive::default();
    for (path, bytes) in oci_files(images) {
        archive.file(&path, &bytes);
    }
    archive.end()
}

fn assert_loaded(store: &Store, image: &TestImage) {
    let record = store.image(&image.id()).unwrap();
    let lower = store.lower_dirs(&record.layers).unwrap();
    assert_eq!(std::fs::read(lower[0].join("text")).unwrap(), b"above");
    assert_eq!(std::fs::read(lower[1].join("text")).unwrap(), b"below");
    store.image_manifest(&record).unwrap();
}

#[test]
fn docker_archives_in_every_wrapping() {
    as_root("load::tests::docker_archives_in_every_wrapping", || {
        let image = image();
        let archive = docker_archive(&image, json!(["busybox:1.0", "quay.io/a/b:2", "localhost/c"])).end();
        let names = ["docker.io/library/busybox:1.0", "quay.io/a/b:2", "localhost/c:latest"];
        for bytes in [archive.clone(), gzip(&archive), zstd::encode_all(&archive[..], 1).unwrap()] {
            for from_file in [true, false] {
                let scratch = Scratch::new();
                let store = open(&scratch);
                let loaded = if from_file { load_file(&store, &scratch, &bytes) } else { load(&store, &bytes) };
                assert_eq!(loaded.unwrap(), names);
                assert_loaded(&store, &image);
                assert_eq!(store.find_image("busybox:1.0").unwrap().id, image.id());
                // Again: everything is there.
                assert_eq!(load(&store, &bytes).unwrap(), names);
                assert!(store.list(Path::new(crate::layout::TMP)).unwrap().is_empty());
            }
        }
        let scratch = Scratch::new();
        let store = open(&scratch);
        for none in [json!(null), json!([])] {
            assert_eq!(load(&store, &docker_archive(&image, none).end()).unwrap(), [image.id().to_string()]);
        }
    });
}

#[test]
fn oci_archives_and_directories() {
    as_root("load::tests::oci_archives_and_directories", || {
        let (one, two) = (image(), TestImage::small("two"));
        let images = [(&one, Some("team/web:1")), (&two, None)];
        let names = ["localhost/team/web:1".to_owned(), two.id().to_string()];
        let scratch = Scratch::new();
        let store = open(&scratch);
        assert_eq!(load(&store, &oci_archive(&images)).unwrap(), names);
        assert_loaded(&store, &one);
        assert_eq!(store.find_image("web:1").unwrap().manifest, crate::blob::digest_of(&one.manifest));

        let scratch = Scratch::new();
        let store = open(&scratch);
        let dir = scratch.path().join("layout");
        std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
        oci_files(&images).iter().for_each(|(path, bytes)| std::fs::write(dir.join(path), bytes).unwrap());
        let loaded = store.load_path(&dir, Limits::default(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(loaded.iter().map(|image| image.name.as_str()).collect::<Vec<_>>(), names);
        assert_loaded(&store, &one);
    });
}

#[test]
fn an_index_is_resolved_for_this_platform() {
    as_root("load::tests::an_index_is_resolved_for_this_platform", || {
        let (native, other) = (image(), TestImage::small("other"));
        let mut files = oci_files(&[(&native, None), (&other, None)]);
        files.pop();
        let entry = |image: &TestImage, os: &str, architecture: &str| {
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": crate::blob::digest_of(&image.manifest), "size": image.manifest.len(),
                "platform": {"os": os, "architecture": architecture},
            })
        };
        let platform = spec::Platform::native();
        let inner = json!({"schemaVersion": 2, "manifests": [
            entry(&other, "linux", "vax"), entry(&other, "unknown", "unknown"), entry(&native, "linux", &platform.architecture),
        ]});
        let inner = inner.to_string().into_bytes();
        let digest = crate::blob::digest_of(&inner);
        let outer = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": inner.len(),
            "annotations": {"io.containerd.image.name": "quay.io/a/b:1", "org.opencontainers.image.ref.name": "1"},
        }]});
        files.push((format!("blobs/sha256/{}", digest.hex()), inner));
        files.push(("index.json".into(), outer.to_string().into_bytes()));
        let mut archive = Archive::default();
        files.iter().for_each(|(path, bytes)| drop(archive.file(path, bytes).end()));
        let scratch = Scratch::new();
        let store = open(&scratch);
        assert_eq!(load(&store, &archive.end()).unwrap(), ["quay.io/a/b:1"]);
        assert_loaded(&store, &native);
        assert!(store.image(&other.id()).is_err());
    });
}

/// CVE-2025-11395 and its kind: links and paths in an archive that lead to files of the host.
#[test]
fn archives_cannot_read_or_write_the_host() {
    let image = image();
    let scratch = Scratch::new();
    let store = open(&scratch);
    let secret = scratch.path().join("secret.json");
    std::fs::write(&secret, &image.config).unwrap();
    let secret = secret.to_str().unwrap();
    let before = std::fs::read_dir(scratch.path()).unwrap().count();
    let table = |config: &str| json!([{"Config": config, "Layers": ["one/layer.tar", "two/layer.tar"]}]).to_string();
    for config in [secret, "../secret.json", "link", "hard", "/proc/self/environ", "loop", "directory"] {
        let mut archive = docker_archive(&image, json!([]));
        archive.symlink("link", secret).hardlink("hard", secret).symlink("loop", "loop").dir("directory");
        archive.file("../escaped", b"x").file("manifest.json", table(config).as_bytes());
        for result in [load(&store, &archive.end()), load_file(&store, &scratch, &archive.end())] {
            assert!(matches!(result.unwrap_err().kind, Kind::BadArchive(_)), "{config}");
        }
    }
    assert!(store.images().unwrap().items.is_empty());
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), before + 1);

    let dir = scratch.path().join("layout");
    std::fs::create_dir_all(dir.join("blobs/sha256")).unwrap();
    for (path, bytes) in oci_files(&[(&image, None)]) {
        std::fs::write(dir.join(path), bytes).unwrap();
    }
    let config = dir.join("blobs/sha256").join(image.id().hex());
    std::fs::remove_file(&config).unwrap();
    std::os::unix::fs::symlink(secret, &config).unwrap();
    assert!(store.load_path(&dir, Limits::default(), Timestamp::UNIX_EPOCH).is_err());
    // A FIFO must not hang it.
    std::fs::remove_file(&config).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &config, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(store.load_path(&dir, Limits::default(), Timestamp::UNIX_EPOCH).is_err());
}

#[test]
fn what_is_wrong_is_refused() {
    as_root("load::tests::what_is_wrong_is_refused", || {
        let scratch = Scratch::new();
        let store = open(&scratch);
        let image = image();
        let refused = |bytes: &[u8]| load(&store, bytes).unwrap_err().kind;
        assert!(matches!(refused(b""), Kind::BadArchive(_)));
        assert!(matches!(refused(&[7; 600]), Kind::BadArchive(_)));
        assert!(matches!(refused(&Archive::default().file("x", b"x").end()), Kind::BadArchive(_)));
        let good = docker_archive(&image, json!([])).end();
        assert!(matches!(refused(&good[..1500]), Kind::BadArchive(_)));
        let mut cut = gzip(&good);
        cut.truncate(cut.len() / 2);
        assert!(matches!(refused(&cut), Kind::Source(_)));
        // The config's layers, but other bytes.
        let mut archive = docker_archive(&image, json!([]));
        archive.file("one/layer.tar", &Archive::default().file("text", b"forged").end());
        assert!(matches!(refused(&archive.end()), Kind::DigestMismatch { .. }));
        let mut archive = docker_archive(&image, json!([]));
        archive.file("manifest.json", br#"[{"Config":"x","Layers":[]}]"#);
        assert!(matches!(refused(&archive.end()), Kind::BadArchive(_)));
        let mut archive = docker_archive(&image, json!([]));
        let table = json!([{"Config": format!("{}.json", image.id().hex()), "Layers": ["one/layer.tar"]}]);
        archive.file("manifest.json", table.to_string().as_bytes());
        assert!(matches!(refused(&archive.end()), Kind::BadArchive(_)));
        // A document without end.
        let mut archive = Archive::default();
        archive.add(&Block::new(b'0', b"manifest.json", 5 << 20), &vec![b' '; 5 << 20]);
        assert!(matches!(refused(&archive.end()), Kind::BadArchive(_)));
        let mut files = oci_files(&[(&image, None)]);
        files[1].1 = b"forged".to_vec();
        let mut archive = Archive::default();
        files.iter().for_each(|(path, bytes)| drop(archive.file(path, bytes).end()));
        assert!(matches!(refused(&archive.end()), Kind::SizeMismatch { .. }));
        let bomb = gzip(&vec![0; 64 << 10]);
        let error = store.load_stream(&bomb[..], Limits { layer_size: 1 << 10 }, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(matches!(error.kind, Kind::TooLarge { .. }));
        assert!(store.images().unwrap().items.is_empty());
        assert!(store.list(Path::new(crate::layout::TMP)).unwrap().is_empty());
    });
}
