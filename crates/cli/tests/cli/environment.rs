//! A home and a store of its own for each test, and nothing of the caller's environment.

use super::archive::archive;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A machine with an empty home.
pub(crate) struct Environment {
    /// Gone at the end.
    pub(crate) home: TempDir,
}

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Exit code; a signal is -1.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Environment {
    /// Empty.
    pub(crate) fn new() -> Self {
        let home = TempDir::new().unwrap();
        // As root the store belongs to ids of its own, which must be able to come here.
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        Self { home }
    }

    /// With the image `registry.example/team/web:1`, which has no program in it. Nothing where no store can be made,
    /// after saying why.
    pub(crate) fn with_image() -> Option<Self> {
        let environment = Self::new();
        environment.load(&["registry.example/team/web:1"]).then_some(environment)
    }

    /// With a busybox that can run, where there is an archive of it (`cargo xtask images busybox`).
    pub(crate) fn with_busybox() -> Option<Self> {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        let archive = cache.join("lodger/images/busybox.tar");
        if !archive.exists() {
            println!("skipped: no image: `cargo xtask images busybox` makes it");
            return None;
        }
        let environment = Self::new();
        std::fs::copy(archive, environment.home.path().join("busybox.tar")).unwrap();
        let outcome = environment.run(&["load", "-i", "busybox.tar"]);
        environment.usable(&outcome)?;
        let outcome = environment.run(&["run", "--rm", "--network=none", "busybox", "true"]);
        environment.usable(&outcome)?;
        Some(environment)
    }

    /// Loads the small image under these names.
    pub(crate) fn load(&self, names: &[&str]) -> bool {
        let path = self.home.path().join("image.tar");
        std::fs::write(&path, archive(names)).unwrap();
        let outcome = self.run(&["load", "-i", path.to_str().unwrap()]);
        self.usable(&outcome).is_some()
    }

    /// Some machines let nobody make user namespaces; every other failure is one.
    fn usable(&self, outcome: &Outcome) -> Option<()> {
        const LACKS: [&str; 4] =
            ["the kernel refuses them to this user", "no subordinate ids for user", "newuidmap", "newgidmap"];
        if outcome.code == 0 {
            return Some(());
        }
        let text = &outcome.stderr;
        assert!(LACKS.iter().any(|why| text.contains(why)), "{text}");
        println!("skipped: {}", text.trim());
        None
    }

    /// The program, ready for arguments.
    pub(crate) fn lodger(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lodger"));
        command.env_clear().stdin(Stdio::null()).current_dir(self.home.path());
        command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", self.home.path()).env("TZ", "UTC");
        command.env("XDG_CONFIG_HOME", self.home.path().join("config"));
        command.arg("--root").arg(self.home.path().join("store"));
        command
    }

    /// Runs it.
    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        let output = self.lodger().args(words).output().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must go well; its standard output.
    #[track_caller]
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let outcome = self.run(words);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "lodger {}", words.join(" "));
        outcome.stdout
    }

    /// Runs what must fail with 125 and say nothing on standard output; its standard error.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) -> String {
        self.fails(125, words)
    }

    /// The same with another exit code.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, words: &[&str]) -> String {
        let outcome = self.run(words);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str()),
            (code, ""),
            "lodger {}: {}",
            words.join(" "),
            outcome.stderr
        );
        outcome.stderr
    }

    /// Makes a container; its ID.
    #[track_caller]
    pub(crate) fn create(&self, words: &[&str]) -> String {
        let words: Vec<&str> = ["create"].iter().chain(words).copied().collect();
        self.ok(&words).trim_end().to_owned()
    }

    /// Starts a container in the background, without a network; `false` where that cannot be, after saying why.
    pub(crate) fn starts(&self, words: &[&str]) -> bool {
        let words: Vec<&str> = ["run", "-d", "--network=none"].iter().chain(words).copied().collect();
        let outcome = self.run(&words);
        self.usable(&outcome).is_some()
    }

    /// What a command prints as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ok(words)).unwrap()
    }
}
