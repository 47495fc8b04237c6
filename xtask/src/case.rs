//! What a test case is written with: commands in the test host and what is demanded of them.
//!
//! A case is a function of a few lines. Commands that cannot be run at all are errors (`?`); what a
//! command did is checked by methods that panic with the command, its output and the place:
//!
//! ```no_run
//! # use xtask::host::Host;
//! fn says_hello(host: &Host) -> anyhow::Result<()> {
//!     host.alice("echo hello")?.ok().stdout("hello\n");
//!     host.alice("ls /nowhere")?.fails(2).stderr_has("No such file");
//!     Ok(())
//! }
//! ```

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::host::{Host, Who};
use crate::process::{self, Captured};

/// How long a command in a case may take before it counts as hanging.
const BOUND: Duration = Duration::from_secs(60);

/// One test case: it finds fresh accounts and may leave them in any state.
#[derive(Debug, Clone, Copy)]
pub struct Case<M: 'static = Host> {
    /// Its name, a sentence in snake case that is true when it passes.
    pub name: &'static str,
    /// The case itself.
    pub run: fn(&M) -> Result<()>,
}

/// A table of cases, each named like its function.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        &[$($crate::case::Case { name: stringify!($name), run: $name }),*]
    };
}

impl Host {
    /// Runs a shell command as alice, who is logged in and lingers.
    pub fn alice(&self, script: &str) -> Result<Outcome> {
        self.run(&Who::Login("alice".into()), script)
    }

    /// Runs a shell command as bob, who is another alice.
    pub fn bob(&self, script: &str) -> Result<Outcome> {
        self.run(&Who::Login("bob".into()), script)
    }

    /// Runs a shell command as carol, who is logged in but has no linger and no subordinate ids.
    pub fn carol(&self, script: &str) -> Result<Outcome> {
        self.run(&Who::Login("carol".into()), script)
    }

    /// Runs a shell command as root, with no session.
    pub fn root(&self, script: &str) -> Result<Outcome> {
        self.run(&Who::Root, script)
    }

    /// Runs a shell command in a system service with `User=`: no session, no user bus.
    pub fn service(&self, user: &str, script: &str) -> Result<Outcome> {
        self.run(&Who::Service(user.into()), script)
    }

    /// Runs a shell command as anybody.
    pub fn run(&self, who: &Who, script: &str) -> Result<Outcome> {
        Outcome::of(&mut self.enter(who, script), BOUND, who, script)
    }

    /// Repeats a question until it is answered with yes; an error after `bound` names `what`.
    pub fn until(&self, bound: Duration, what: &str, mut question: impl FnMut() -> Result<bool>) -> Result<()> {
        let deadline = Instant::now() + bound;
        while !question()? {
            ensure!(Instant::now() < deadline, "after {bound:?} still not: {what}");
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Writes a file for a user; a relative path starts in the home. Directories are made.
    pub fn write(&self, user: &str, path: &str, text: &str) -> Result<()> {
        let staged = self.path("/run/case-file")?;
        fs::write(&staged, text).with_context(|| format!("write {path:?} in the host"))?;
        let path = process::quoted(path);
        let copy = format!("cd ~{user} && mkdir -p $(dirname {path}) && cp /run/case-file {path}");
        self.root(&format!("runuser -u {user} -- sh -c {}", process::quoted(&copy)))?.ok();
        Ok(())
    }

    /// Puts an image of `/images` into a user's lodger.
    pub fn load(&self, user: &str, image: &str) -> Result<()> {
        let who = Who::Login(user.into());
        self.run(&who, &format!("lodger load --quiet --input /images/{image}.tar"))?.ok();
        Ok(())
    }

    /// Copies an image of `/images` into the registries, which share one storage, as `NAME:latest`.
    pub fn push(&self, image: &str) -> Result<()> {
        let copy = "skopeo copy --quiet --preserve-digests --dest-tls-verify=false";
        let script = format!("{copy} oci:/images/{image} docker://127.0.0.1:5001/{image}:latest");
        self.root(&script)?.ok();
        Ok(())
    }

    /// Makes every account fresh again.
    pub fn clean(&self) -> Result<()> {
        self.root("/usr/local/libexec/lodger-test/clean")?.ok();
        Ok(())
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Outcome {
    script: String,
    captured: Captured,
}

impl Outcome {
    /// Runs a command, which is this script as this user, to its end.
    pub(crate) fn of(command: &mut Command, bound: Duration, who: &Who, script: &str) -> Result<Outcome> {
        let captured = process::capture(command, bound).with_context(|| format!("run as {who:?}: {script}"))?;
        Ok(Outcome { script: script.to_owned(), captured })
    }

    /// Demands exit status 0.
    #[track_caller]
    pub fn ok(self) -> Outcome {
        self.demand(|did| did.status.success(), "want success")
    }

    /// Demands this exit status.
    #[track_caller]
    pub fn fails(self, code: i32) -> Outcome {
        self.demand(|did| did.status.code() == Some(code), &format!("want exit status {code}"))
    }

    /// Demands exactly this on standard output.
    #[track_caller]
    pub fn stdout(self, text: &str) -> Outcome {
        self.demand(|did| did.stdout == text, &format!("want stdout {text:?}"))
    }

    /// Demands this somewhere on standard output.
    #[track_caller]
    pub fn stdout_has(self, text: &str) -> Outcome {
        self.demand(|did| did.stdout.contains(text), &format!("want {text:?} in stdout"))
    }

    /// Demands that this is nowhere on standard output.
    #[track_caller]
    pub fn stdout_lacks(self, text: &str) -> Outcome {
        self.demand(|did| !did.stdout.contains(text), &format!("want no {text:?} in stdout"))
    }

    /// Demands exactly this on standard error.
    #[track_caller]
    pub fn stderr(self, text: &str) -> Outcome {
        self.demand(|did| did.stderr == text, &format!("want stderr {text:?}"))
    }

    /// Demands this somewhere on standard error.
    #[track_caller]
    pub fn stderr_has(self, text: &str) -> Outcome {
        self.demand(|did| did.stderr.contains(text), &format!("want {text:?} in stderr"))
    }

    /// Whether it ended with exit status 0, for `until`.
    pub fn succeeded(&self) -> bool {
        self.captured.status.success()
    }

    /// Standard output without the white space around it.
    pub fn text(&self) -> &str {
        self.captured.stdout.trim()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.captured.stdout) {
            Ok(value) => value,
            Err(error) => panic!("want JSON ({error}), but {}", self.describe()),
        }
    }

    #[track_caller]
    fn demand(self, holds: impl FnOnce(&Captured) -> bool, wish: &str) -> Outcome {
        assert!(holds(&self.captured), "{wish}, but {}", self.describe());
        self
    }

    fn describe(&self) -> String {
        let Captured { status, stdout, stderr, .. } = &self.captured;
        let mut text = format!("{status} of: {}", self.script);
        for (name, stream) in [("stdout", stdout), ("stderr", stderr)] {
            for line in stream.lines() {
                let _ = write!(text, "\n    {name}: {line}");
            }
        }
        text
    }
}
