//! Commands that run inside a test host: as whom, and in which surroundings.

use std::borrow::Cow;
use std::process::Command;

use super::Host;
use crate::process::quoted;

/// As whom a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The administrator, with no session and a bare environment.
    Root,
    /// A user who has just logged in: a session, a user manager, a user bus.
    Login(String),
    /// A system service with `User=`: no session, no `XDG_RUNTIME_DIR`, no user bus.
    Service(String),
}

/// Puts the shell into the host's cgroup (systemd refuses callers from elsewhere), then into its
/// namespaces. Arguments: file of the cgroup, init, and the command.
const ENTER: &str = "mkdir -p \"$1\" && echo 0 >\"$1/cgroup.procs\" && init=$2 && shift 2 && \
                     exec nsenter --target \"$init\" --all -- \"$@\"";

impl Who {
    /// The words with which root runs a shell command as this user.
    pub(crate) fn words<'a>(&'a self, script: &'a str) -> Vec<Cow<'a, str>> {
        match self {
            Who::Root => vec!["/bin/sh".into(), "-c".into(), format!("cd /root; {script}").into()],
            Who::Login(user) => ["/bin/su", "--login", user, "--command", script].map(Cow::from).to_vec(),
            Who::Service(user) => {
                let mut words = SERVICE.map(Cow::from).to_vec();
                words.push(format!("--uid={user}").into());
                words.extend(["/bin/sh", "-c", script].map(Cow::from));
                words
            }
        }
    }
}

const SERVICE: [&str; 8] = [
    "/usr/bin/systemd-run",
    "--quiet",
    "--wait",
    "--pipe",
    "--collect",
    "--service-type=exec",
    "--expand-environment=no",
    "--property=WorkingDirectory=~",
];

impl Host {
    /// A shell command as it would be typed in the host; standard streams and exit status pass through.
    pub fn enter(&self, who: &Who, script: &str) -> Command {
        self.nsenter(who.words(script).iter().map(|word| &**word))
    }

    /// A program with its arguments, untouched by any shell.
    pub fn enter_words(&self, who: &Who, words: &[String]) -> Command {
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        self.enter(who, &words.join(" "))
    }

    /// A login shell on this terminal.
    pub fn shell(&self, user: &str) -> Command {
        self.nsenter(["/bin/su", "--login", "--pty", user].into_iter())
    }

    fn nsenter<'a>(&self, words: impl Iterator<Item = &'a str>) -> Command {
        let mut command = Command::new("/bin/sh");
        let init = self.init().unwrap_or(0).to_string();
        command
            .args(["-c", ENTER, "sh"])
            .arg(self.cgroup().join("nspawn/payload/enter"))
            .arg(init)
            .args(words)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8")
            .env("TERM", std::env::var("TERM").unwrap_or_else(|_| "dumb".into()));
        command
    }
}
