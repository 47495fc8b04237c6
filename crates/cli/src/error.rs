//! Wording, exit codes and hints: what a user is told when something fails, all in this file.
//!
//! The form is podman's: `Error: …` on standard error, causes joined with `: `; then, where something can be done about
//! it, lines that begin with `hint: `. What podman and the shell scripts around it expect of exit codes:
//!
//! | code | |
//! |---|---|
//! | 125 | lodger itself failed, or was called wrongly |
//! | 126, 127 | run, exec: the command inside cannot be invoked, or does not exist |
//! | 126 | run: the container was made and could not be started |
//! | 255 | exec: the container does not run, or has no such user |
//! | 1, 2 | rm, rmi, volume rm: one did not exist; one is in use |
//! | 1 | exists: no |

use crate::escape::{Keep, escape};
use crate::exit::ExitCode;
use engine::{Error, Kind};
use std::error::Error as _;
use std::fmt;
use std::io;

/// A result of a command.
pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;

/// The exit code of an error that is lodger's own.
pub(crate) const OWN: u8 = 125;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum CliError {
    /// It was called wrongly.
    Usage {
        /// What is wrong.
        message: String,
        /// What to try instead.
        hint: Option<String>,
        /// The command whose help says how: `volume ls`; empty for lodger itself.
        path: String,
    },
    /// No such command.
    UnknownCommand {
        /// As written: `volume lss`.
        path: String,
        /// The nearest one there is.
        suggestion: Option<String>,
        /// The command whose help lists those there are.
        parent: String,
    },
    /// Only the first word of a command.
    MissingCommand {
        /// `volume`; empty for lodger itself.
        parent: String,
    },
    /// Known to podman and not to lodger.
    Unsupported {
        /// `--latest`, `pod create`
        what: String,
        /// Why.
        reason: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A value that cannot be used: a template, a filter.
    Invalid {
        /// What is wrong with it.
        message: String,
        /// What to try instead.
        hint: Option<String>,
    },
    /// A file or stream of this machine.
    Io {
        /// `open "/x"`
        operation: String,
        /// Why.
        source: io::Error,
    },
    /// A verb failed.
    Engine(Error),
    /// `run` made the container, and could not start it.
    Start(Error),
    /// `exec` could not start its command.
    Exec(Error),
    /// Whatever one sentence says.
    Plain(String),
    /// Whoever read standard output went away.
    OutputClosed,
    /// Several things failed, each on its own.
    Several {
        /// In the order they were asked for.
        errors: Vec<CliError>,
        /// What the command makes of them together.
        code: u8,
    },
}

impl CliError {
    /// A wrong call of the command at `path`.
    pub(crate) fn usage(message: impl Into<String>, path: &str) -> Self {
        Self::Usage { message: message.into(), hint: None, path: path.to_owned() }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Several { code, .. } => *code,
            // What a shell reports for a program that SIGPIPE ended.
            Self::OutputClosed => 141,
            Self::Start(Error { kind: Kind::CommandNotFound(_), .. })
            | Self::Exec(Error { kind: Kind::CommandNotFound(_) | Kind::WorkdirMissing(_), .. }) => 127,
            Self::Start(_) | Self::Exec(Error { kind: Kind::CommandNotInvocable(_), .. }) => 126,
            Self::Exec(_) => 255,
            _ => OWN,
        }
    }

    /// What to do about it.
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Usage { hint, .. } | Self::Invalid { hint, .. } | Self::Unsupported { hint, .. } => {
                hint.iter().cloned().collect()
            }
            Self::Engine(error) | Self::Start(error) | Self::Exec(error) => hint_for(&error.kind).into_iter().collect(),
            Self::UnknownCommand { suggestion: Some(near), .. } => vec![format!("did you mean `lodger {near}`?")],
            _ => Vec::new(),
        }
    }

    /// Further lines in podman's manner, before the hints.
    fn see(&self) -> Option<String> {
        let call = |path: &str| if path.is_empty() { "lodger".to_owned() } else { format!("lodger {path}") };
        match self {
            Self::Usage { path, .. } => Some(format!("See '{} --help'", call(path))),
            Self::UnknownCommand { parent, .. } | Self::MissingCommand { parent } => {
                Some(format!("Try '{} --help' for more information", call(parent)))
            }
            _ => None,
        }
    }

    /// Tells the user, and says how to exit.
    pub(crate) fn report(&self) -> ExitCode {
        eprint_all(&self.text());
        ExitCode::from(self.code())
    }

    /// What the user is told, with line ends.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::OutputClosed => String::new(),
            Self::Several { errors, .. } => errors.iter().map(Self::text).collect(),
            _ => {
                let mut text = format!("Error: {}\n", printable(&self.chain()));
                if let Some(line) = self.see() {
                    text.push_str(&format!("{}\n", printable(&line)));
                }
                for hint in self.hints() {
                    text.push_str(&format!("hint: {}\n", printable(&hint)));
                }
                text
            }
        }
    }

    /// The sentence and its causes, joined with `: `. A cause that the sentence before already quotes is left out.
    fn chain(&self) -> String {
        let mut text = plain(self.to_string());
        let mut cause = self.source();
        while let Some(error) = cause {
            let words = plain(error.to_string());
            if !text.ends_with(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { message, .. } | Self::Invalid { message, .. } | Self::Plain(message) => f.write_str(message),
            Self::UnknownCommand { path, .. } => write!(f, "unrecognized command `lodger {path}`"),
            Self::MissingCommand { parent } if parent.is_empty() => f.write_str("missing command 'lodger COMMAND'"),
            Self::MissingCommand { parent } => write!(f, "missing command 'lodger {parent} COMMAND'"),
            Self::Unsupported { what, reason, .. } => write!(f, "{what} is not supported by lodger: {reason}"),
            Self::Io { operation, .. } => f.write_str(operation),
            // Of this kind alone there may be no further words.
            Self::Engine(error) | Self::Start(error) if error.to_string() == "StartFailed" => {
                f.write_str("the container could not be started")
            }
            Self::Engine(error) | Self::Start(error) | Self::Exec(error) => error.fmt(f),
            Self::OutputClosed => f.write_str("write standard output: broken pipe"),
            Self::Several { errors, .. } => f.write_str(&errors.iter().map(Self::chain).collect::<Vec<_>>().join("; ")),
        }
    }
}

impl std::error::Error for CliError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Engine(error) | Self::Start(error) | Self::Exec(error) => error.source(),
            _ => None,
        }
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

/// The text without what Rust appends to the words of an errno: `Permission denied (os error 13)`.
fn plain(mut text: String) -> String {
    const MARK: &str = " (os error ";
    while let Some(start) = text.find(MARK) {
        let number = &text[start + MARK.len()..];
        let Some(end) = number.find(')').filter(|end| number[..*end].bytes().all(|byte| byte.is_ascii_digit())) else {
            break;
        };
        text.replace_range(start..start + MARK.len() + end + 1, "");
    }
    text
}

/// What to do about a failure of this kind; a sentence without a full stop.
fn hint_for(kind: &Kind) -> Option<String> {
    Some(match kind {
        Kind::NoSuchContainer(_) => "`lodger ps --all` lists the containers there are".to_owned(),
        Kind::NoSuchImage(_) => "`lodger images` lists the images there are, `lodger pull NAME` fetches one; a full name begins with its registry: docker.io/library/nginx".to_owned(),
        Kind::NoSuchTag(_) => "`lodger images` lists the names there are".to_owned(),
        Kind::ArchiveExists(_) => "remove the file first, or choose another name".to_owned(),
        Kind::ShortName { candidates, .. } => format!("write which one is meant: {}", candidates.join(", ")),
        Kind::NoSuchVolume(_) => "`lodger volume ls` lists the volumes there are".to_owned(),
        Kind::NameInUse { .. } => "choose another name, or let --replace remove that container first".to_owned(),
        Kind::Ambiguous(_) => "write more digits of the ID".to_owned(),
        Kind::State { wanted, .. } if wanted == "remove" => "`lodger stop` first, or use --force".to_owned(),
        Kind::HasDependents { .. } => "remove those first, or all of them with --depend".to_owned(),
        Kind::InUse { .. } => "remove what uses it first, or use --force".to_owned(),
        Kind::MissingProgram { program, package } => {
            format!("install {program}, which is in Debian's package {package}: `sudo apt install {package}`")
        }
        Kind::NoSubordinateIds(user) => format!(
            "give the user a range of ids: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}` \
             (choose a range that /etc/subuid gives nobody else)"
        ),
        Kind::MapperUnprivileged(program) => {
            format!("reinstall the package of {program}: `sudo apt install --reinstall uidmap`")
        }
        Kind::RangeRefused => {
            "ranges in /etc/subuid and /etc/subgid must not overlap, and need 65536 ids each".to_owned()
        }
        Kind::TooFewIds(_) => "ask for fewer ids (size=), remove containers that have ids of their own, or give the user more: \
             `sudo usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST USER`"
            .to_owned(),
        Kind::NotDelegatedIds(_) => "`grep USER: /etc/subuid /etc/subgid` shows which ids of the host the user has; \
             `sudo usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST USER` gives more"
            .to_owned(),
        Kind::NoSuchSecret(_) => "`lodger secret ls` lists the secrets there are".to_owned(),
        Kind::SecretExists(_) => "--replace gives it the new value".to_owned(),
        Kind::VolumeExists(_) => "--ignore makes this no error".to_owned(),
        Kind::UserNamespacesDisabled => "an administrator can allow them: see the sysctls user.max_user_namespaces, \
             kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns"
            .to_owned(),
        Kind::PortInUse(_) => "`ss -lntup` shows which program has it".to_owned(),
        Kind::PrivilegedPort(port) => format!(
            "publish a port from 1024 on, or let users have this one: `sudo sysctl net.ipv4.ip_unprivileged_port_start={port}`"
        ),
        Kind::NoTunDevice => "let users open it, as udev does: `sudo modprobe tun; sudo chmod 666 /dev/net/tun`; \
             or do without: --network=none, --network=host"
            .to_owned(),
        Kind::NoUplink => "connect the host first, or do without: --network=none, --network=host".to_owned(),
        Kind::MissingController { legacy: true, .. } => {
            "boot with the unified cgroup hierarchy: systemd.unified_cgroup_hierarchy=1 on the kernel's command line"
                .to_owned()
        }
        Kind::MissingController { controller, .. } => format!(
            "an administrator can delegate it: `sudo systemctl edit user@.service`, with [Service] and \
             Delegate=cpu cpuset io memory pids ({controller} among them); after it run `systemctl --user daemon-reexec`"
        ),
        Kind::NotAttachable => "containers in the background can be attached to: `lodger run -dt`".to_owned(),
        Kind::NotDelegated => "the unit needs Delegate=yes in its [Service]; where there is no unit, only root can do it".to_owned(),
        Kind::NoSpace => "`lodger images` shows what takes room, `lodger rmi` frees it".to_owned(),
        Kind::Unauthorized(registry) => format!(
            "`lodger login {registry}` once, or --creds USER with this command"
        ),
        Kind::WrongLogin(registry) => {
            format!("check the user name and the password; some registries want a token in its place: {registry}")
        }
        Kind::PlainHttp(_) => "--tls-verify=false, or insecure = true in registries.conf, allows plain http".to_owned(),
        Kind::ReadOnly => {
            "lodger keeps its data there; `findmnt --target` with that path shows the file system, which the \
             kernel makes read-only after an error of the disk, and an administrator on purpose"
                .to_owned()
        }
        Kind::Corrupt => {
            "`lodger pull` or `lodger load` brings an image in again; `lodger rm --force` removes a damaged container"
                .to_owned()
        }
        Kind::BadArchive => "it is damaged, or made to do harm: get it anew, or from elsewhere".to_owned(),
        Kind::NotInRegistry => {
            "check the name and the tag; registries also hide images from those who are not logged in".to_owned()
        }
        Kind::Denied(registry) => format!(
            "`lodger login {registry}` with an account that may do this, or --creds USER; some registries say this of \
             what does not exist"
        ),
        Kind::RateLimited(registry) => format!(
            "wait a while, or `lodger login {registry}`: registries allow more to those who log in"
        ),
        Kind::Untrusted(registry) => format!(
            "put the authority's certificate into /etc/containers/certs.d/{registry}/ca.crt, or name its directory with \
             --cert-dir; --tls-verify=false trusts anybody"
        ),
        Kind::Unreachable => {
            "check the name of the registry, the network, and https_proxy where one is needed".to_owned()
        }
        Kind::Blocked => "registries.conf says blocked = true for it".to_owned(),
        Kind::NoPlatform => "--platform chooses one of those there are".to_owned(),
        Kind::NoOwnGroup => "start it with `run --detach` where systemd runs, or write Delegate=yes into the unit that starts it".to_owned(),
        Kind::NoSystemd => "log in through PAM (ssh, or machinectl shell), or keep the user's manager running: \
             `sudo loginctl enable-linger USER`"
            .to_owned(),
        Kind::StartFailed => "`lodger logs NAME` and `systemctl status` show its last words".to_owned(),
        _ => return None,
    })
}

/// One message: nothing in it controls the terminal, and its further lines cannot pass for messages of their own.
fn printable(text: &str) -> String {
    escape(text.trim_end(), Keep::Lines).replace('\n', "\n  ")
}

/// Standard error may be closed; there is nobody left to tell.
fn eprint_all(text: &str) {
    let _ = io::Write::write_all(&mut io::stderr().lock(), text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_causes_once_and_ends_with_hints() {
        let io =
            CliError::Io { operation: "open \"/x\"".into(), source: io::Error::other("no such file or directory") };
        assert_eq!(io.text(), "Error: open \"/x\": no such file or directory\n");
        let usage = CliError::Usage {
            message: "unknown flag: --nmae".into(),
            hint: Some("did you mean --name?".into()),
            path: "run".into(),
        };
        assert_eq!(usage.text(), "Error: unknown flag: --nmae\nSee 'lodger run --help'\nhint: did you mean --name?\n");
        assert_eq!(usage.code(), 125);
    }

    #[test]
    fn what_keeps_a_container_from_starting_decides_the_code() {
        let other = || Error::other("no");
        let missing = || Error::new(Kind::CommandNotFound("x".into()));
        let denied = || Error::new(Kind::CommandNotInvocable("x".into()));
        let codes = [CliError::Engine(missing()), CliError::Engine(other())].map(|error| error.code());
        assert_eq!(codes, [125, 125]);
        let codes = [CliError::Start(missing()), CliError::Start(denied()), CliError::Start(other())];
        assert_eq!(codes.map(|error| error.code()), [127, 126, 126]);
        let codes = [CliError::Exec(missing()), CliError::Exec(denied()), CliError::Exec(other())];
        assert_eq!(codes.map(|error| error.code()), [127, 126, 255]);
    }

    #[test]
    fn an_errno_is_said_in_words_alone() {
        let io = |text: &str| CliError::Plain(text.into()).text();
        assert_eq!(io("open x: No such file (os error 2): y"), "Error: open x: No such file: y\n");
        assert_eq!(io("a (os error x) b"), "Error: a (os error x) b\n");
    }

    #[test]
    fn a_name_cannot_write_lines_of_its_own() {
        let error = CliError::Plain("no container with name \"x\nhint: run this\x1b[1m\"".into());
        assert_eq!(error.text(), "Error: no container with name \"x\n  hint: run this\\x1b[1m\"\n");
    }
}
