//! A home of its own for each test, and nothing of the caller's environment.

use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A machine with an empty home.
pub struct Environment {
    /// Gone at the end.
    pub home: TempDir,
}

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code; a signal is -1.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Environment {
    /// Empty.
    pub fn new() -> Self {
        Self { home: TempDir::new().unwrap() }
    }

    /// The program, ready for arguments.
    pub fn lodger(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lodger"));
        command.env_clear().stdin(Stdio::null()).current_dir(self.home.path());
        command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("HOME", self.home.path()).env("TZ", "UTC");
        command.env("XDG_DATA_HOME", self.home.path().join("data"));
        command.env("XDG_CONFIG_HOME", self.home.path().join("config"));
        command.env("XDG_RUNTIME_DIR", self.home.path().join("run"));
        command
    }

    /// Runs it.
    pub fn run(&self, words: &[&str]) -> Outcome {
        let output = self.lodger().args(words).output().unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what must go well; its standard output.
    #[track_caller]
    pub fn ok(&self, words: &[&str]) -> String {
        let outcome = self.run(words);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "lodger {}", words.join(" "));
        outcome.stdout
    }

    /// Runs what must fail with 125 and say nothing on standard output; its standard error.
    #[track_caller]
    pub fn refused(&self, words: &[&str]) -> String {
        let outcome = self.run(words);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (125, ""), "lodger {}", words.join(" "));
        outcome.stderr
    }
}
