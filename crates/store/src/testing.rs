//! What the tests of this crate share: running a test where it has the rights it needs, and looking at trees.

use crate::blob::digest_of;
use crate::tar::testing::Archive;
use crate::{ImageRecord, LayerPull, Limits, NewImage, Pull, Store, Wait};
use jiff::Timestamp;
use spec::oci::{Compression, Descriptor};
use spec::{Digest, Reference};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the process that runs a test inside a user namespace, or as a victim of a kill.
const INSIDE: &str = "STORE_TEST_INSIDE";

/// Runs a test as real root, if we are, and as root of a user namespace with subordinate IDs.
///
/// `name` is the test's full path. Where neither is possible it is skipped with the reason.
pub(crate) fn as_root(name: &str, body: impl Fn()) {
    if std::env::var_os(INSIDE).is_some() {
        body();
        return;
    }
    if rustix::process::geteuid().is_root() {
        body();
    } else {
        println!("skipped as real root: not root");
    }
    match in_namespace(name) {
        Err(reason) => println!("skipped in a user namespace: {reason}"),
        Ok((mut command, _dir)) => {
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && text.contains("1 passed"), "in a user namespace: {text}{errors}");
        }
    }
}

/// The command that runs one test of this program as root of a user namespace with 65,536 IDs, and its directory.
fn in_namespace(name: &str) -> Result<(Command, tempfile::TempDir), String> {
    let user = plain_user()?;
    let unshare = |script: &str| {
        let mut command = match &user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--", "unshare"]);
                command
            }
            None => Command::new("unshare"),
        };
        command.args(["--user", "--map-root-user", "--map-auto", "--", "sh", "-c", script]);
        command
    };
    let probe = unshare("true").output().map_err(|error| format!("unshare: {error}"))?;
    if !probe.status.success() {
        return Err(String::from_utf8_lossy(&probe.stderr).trim().to_owned());
    }
    let dir = tempfile::tempdir().unwrap();
    let open_to_all = || std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(dir.path(), open_to_all()).unwrap();
    let program = dir.path().join("program");
    std::fs::copy("/proc/self/exe", &program).unwrap();
    std::fs::set_permissions(&program, open_to_all()).unwrap();
    // What the test leaves belongs to IDs that only the namespace may delete.
    let mut command = unshare("\"$0\" --exact \"$1\" --nocapture; s=$?; rm -rf \"$TMPDIR\"/.tmp*; exit $s");
    command.arg(&program).arg(name).env(INSIDE, "1").env("TMPDIR", dir.path()).current_dir(dir.path());
    Ok((command, dir))
}

/// As root, a user with subordinate IDs; `None` when we are a plain user already.
fn plain_user() -> Result<Option<String>, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let subuid = std::fs::read_to_string("/etc/subuid").map_err(|error| format!("/etc/subuid: {error}"))?;
    let users = subuid.lines().filter_map(|line| line.split(':').next()).filter(|user| *user != "root");
    let exists = |user: &&str| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success());
    users.map(str::trim).find(exists).map(|user| Some(user.to_owned())).ok_or("no user with subordinate IDs".into())
}

/// Runs another test of this program as a child process, which finds `value` in the environment variable `key`.
pub(crate) fn child(name: &str, key: &str, value: &Path) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", name, "--nocapture"]).env(key, value).env(INSIDE, "1");
    command
}

/// As `child`, on a tmpfs of `size` bytes mounted at `dir` for the child alone. The caller has the rights of root.
pub(crate) fn child_on_tmpfs(name: &str, key: &str, dir: &Path, size: u64) -> Command {
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=\"$3\" none \"$2\" && exec \"$0\" --exact \"$1\" --nocapture";
    command.args(["--mount", "--", "sh", "-c", script]);
    command.arg(std::env::current_exe().unwrap()).arg(name).arg(dir).arg(size.to_string());
    command.env(key, dir).env(INSIDE, "1");
    command
}

/// A temporary directory whose trees can be deleted whatever modes they have.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// One line for each file below `root`, sorted: kind, mode, owner, size, seconds, path, target.
pub(crate) fn tree(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(relative) = todo.pop() {
        for entry in std::fs::read_dir(root.join(&relative)).unwrap() {
            let entry = entry.unwrap();
            let path = relative.join(entry.file_name());
            let meta = std::fs::symlink_metadata(root.join(&path)).unwrap();
            let kind = meta.file_type();
            let (letter, size) = if kind.is_dir() {
                todo.push(path.clone());
                ('d', 0)
            } else if kind.is_symlink() {
                ('l', 0)
            } else if kind.is_file() {
                ('-', meta.size())
            } else {
                use std::os::unix::fs::FileTypeExt;
                (if kind.is_fifo() { 'p' } else { 'c' }, 0)
            };
            let target =
                std::fs::read_link(root.join(&path)).map(|t| format!(" -> {}", t.display())).unwrap_or_default();
            lines.push(format!(
                "{} {letter}{:o} {}:{} {size} {}{target}",
                path.display(),
                meta.mode() & 0o7777,
                meta.uid(),
                meta.gid(),
                meta.mtime(),
            ));
        }
    }
    lines.sort();
    lines
}

/// A layer as a registry has it.
pub(crate) struct TestLayer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) blob: Descriptor,
    pub(crate) diff_id: Digest,
    pub(crate) compression: Compression,
}

impl TestLayer {
    pub(crate) fn new(tar: &[u8], compression: Compression) -> Self {
        let (kind, bytes) = match compression {
            Compression::None => ("tar", tar.to_vec()),
            Compression::Gzip => ("tar+gzip", gzip(tar)),
            Compression::Zstd => ("tar+zstd", zstd::encode_all(tar, 3).unwrap()),
        };
        Self::of_bytes(bytes, kind, digest_of(tar), compression)
    }

    pub(crate) fn of_bytes(bytes: Vec<u8>, kind: &str, diff_id: Digest, compression: Compression) -> Self {
        let blob = Descriptor {
            media_type: format!("application/vnd.oci.image.layer.v1.{kind}"),
            digest: digest_of(&bytes),
            size: bytes.len() as u64,
            platform: None,
            annotations: Default::default(),
        };
        Self { bytes, blob, diff_id, compression }
    }

    /// A layer of incompressible files: `count` of 100 kB each, other ones for each seed.
    pub(crate) fn large(seed: u64, count: u64, compression: Compression) -> Self {
        let mut archive = Archive::default();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for number in 0..count {
            let content: Vec<u8> = (0..12_500)
                .flat_map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state.to_le_bytes()
                })
                .collect();
            archive.file(&format!("{seed}/{number}"), &content);
        }
        Self::new(&archive.end(), compression)
    }

    pub(crate) fn fetch(&self, pull: &Pull<'_>) -> crate::Result<()> {
        match pull.layer(&self.blob, &self.diff_id, self.compression, Wait::forever())? {
            LayerPull::Present => Ok(()),
            LayerPull::Stream(stream) => {
                let offset = stream.resume_offset() as usize;
                stream.run(&self.bytes[offset..], &|_| ())
            }
        }
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An image as a registry has it.
pub(crate) struct TestImage {
    pub(crate) layers: Vec<TestLayer>,
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

impl TestImage {
    pub(crate) fn new(layers: Vec<TestLayer>) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id).collect();
        let config = serde_json::json!({
            "os": "linux", "architecture": "amd64", "created": "2026-01-02T03:04:05Z",
            "config": {"Cmd": ["run"]}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        Self::with_config(layers, serde_json::to_vec(&config).unwrap())
    }

    pub(crate) fn with_config(layers: Vec<TestLayer>, config: Vec<u8>) -> Self {
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest_of(&config),
                "size": config.len(),
            },
            "layers": layers.iter().map(|layer| &layer.blob).collect::<Vec<_>>(),
        });
        Self { layers, config, manifest: serde_json::to_vec(&manifest).unwrap() }
    }

    /// One small layer, another one for each text.
    pub(crate) fn small(text: &str) -> Self {
        let tar = Archive::default().file("text", text.as_bytes()).end();
        Self::new(vec![TestLayer::new(&tar, Compression::Gzip)])
    }

    pub(crate) fn id(&self) -> Digest {
        digest_of(&self.config)
    }

    pub(crate) fn pull(&self, store: &Store, names: &[&str]) -> crate::Result<ImageRecord> {
        let pull = store.begin_pull(Limits::default())?;
        self.layers.iter().try_for_each(|layer| layer.fetch(&pull))?;
        self.commit(pull, names)
    }

    pub(crate) fn commit(&self, pull: Pull<'_>, names: &[&str]) -> crate::Result<ImageRecord> {
        let names: Vec<_> = names.iter().map(|name| Reference::parse(name).unwrap()).collect();
        let (manifest, config) = (&self.manifest, &self.config);
        pull.commit(&NewImage { manifest, config, names: &names, digests: &[], now: Timestamp::UNIX_EPOCH })
    }
}
