//! Flags that hold for every command, and those of podman's that lodger has no use for.

use crate::row::{Opt, Unsupported, push, text};
use engine::events::EventsLogger;
use spec::ParseError;
use spec::options::{Complete, Flag};

/// What was said for every command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Global {
    /// `--root`: where images, containers and volumes are kept.
    pub(crate) root: Option<String>,
    /// `--runroot`, which needs `root`.
    pub(crate) runroot: Option<String>,
    /// `--log-level`
    pub(crate) log_level: LogLevel,
    /// `--module`
    pub(crate) modules: Vec<String>,
    /// `--events-backend`
    pub(crate) events: Option<EventsLogger>,
}

/// `--log-level`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// Errors only.
    Error,
    /// Warnings too; lodger has nothing to say at the levels above.
    #[default]
    Warn,
}

const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];

impl LogLevel {
    fn parse(text: &str) -> Result<Self, ParseError> {
        match text.to_ascii_lowercase().as_str() {
            "trace" | "debug" | "info" | "warn" | "warning" => Ok(Self::Warn),
            "error" | "fatal" | "panic" => Ok(Self::Error),
            _ => Err(ParseError(format!("log level {text:?} is not supported, choose from: {}", LEVELS.join(", ")))),
        }
    }
}

/// Rows of the global flags.
pub(crate) const OPTIONS: &[Opt<Global>] = &[
    Opt {
        flag: Flag::with_value("events-backend", "string", "Where events are kept: journald, file or none")
            .complete(Complete::Words(EventsLogger::WORDS)),
        set: |global, value| {
            let why = || ParseError(format!("{value:?} is not a valid events backend"));
            global.events = Some(EventsLogger::parse(value).ok_or_else(why)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value(
            "log-level",
            "string",
            "error leaves warnings out; other levels of podman's are accepted (default warn)",
        )
        .complete(Complete::Words(LEVELS)),
        set: |global, value| {
            global.log_level = LogLevel::parse(value)?;
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("module", "stringArray", "Further defaults, of the form of containers.conf")
            .complete(Complete::File),
        set: |global, value| push(&mut global.modules, value),
    },
    Opt {
        flag: Flag::with_value("root", "string", "Directory in which images, containers and volumes are kept")
            .complete(Complete::Directory),
        set: |global, value| text(&mut global.root, value),
    },
    Opt {
        flag: Flag::with_value(
            "runroot",
            "string",
            "With --root, for compatibility: run-time state is kept below --root",
        )
        .complete(Complete::Directory),
        set: |global, value| text(&mut global.runroot, value),
    },
];

/// `--help`, which a command's own `-h` takes the letter from.
pub(crate) const HELP: Flag = Flag::switch("help", "Show what the command does and its options").short('h');
/// `--version`, before any command.
pub(crate) const VERSION: Flag = Flag::switch("version", "Show the version").short('v');

const REMOTE: &str = "lodger has no remote client; run it on the other machine through ssh";
const SYSTEMD: &str = "the supervisor is systemd and the cgroup is the unit's own";
const ONE_STORE: &str = "lodger keeps its store in one form only";
const RUNTIME: &str = "lodger starts containers itself, without a separate runtime program";

/// What podman has for every command and lodger lacks. Never shared with a command's own flags, which win.
pub(crate) const UNSUPPORTED: &[Unsupported] = &[
    Unsupported::with_value("cdi-spec-dir", "lodger does not read CDI device specifications"),
    Unsupported::with_value("cgroup-manager", SYSTEMD),
    Unsupported::with_value("config", "client configuration is not read; credentials come from auth.json"),
    Unsupported::with_value("conmon", "there is no monitor process beside a container"),
    Unsupported::with_value("connection", REMOTE).short('c'),
    Unsupported::with_value("hooks-dir", "OCI hooks are not run"),
    Unsupported::with_value("identity", REMOTE),
    Unsupported::with_value("imagestore", ONE_STORE),
    Unsupported::with_value("network-config-dir", "use --root to keep everything elsewhere"),
    Unsupported::with_value("network-cmd-path", "pasta is found through PATH"),
    Unsupported::with_value("out", "redirect the output in the shell"),
    Unsupported::switch("remote", REMOTE).short('r'),
    Unsupported::with_value("runtime", RUNTIME),
    Unsupported::with_value("runtime-flag", RUNTIME),
    Unsupported::with_value("ssh", REMOTE),
    Unsupported::with_value("storage-driver", ONE_STORE),
    Unsupported::with_value("storage-opt", ONE_STORE),
    Unsupported::switch("syslog", "messages go to standard error, which systemd puts into the journal"),
    Unsupported::with_value("tls-ca", REMOTE),
    Unsupported::with_value("tls-cert", REMOTE),
    Unsupported::with_value("tls-details", REMOTE),
    Unsupported::with_value("tls-key", REMOTE),
    Unsupported::with_value("tmpdir", "run-time state is kept below --root"),
    Unsupported::switch("transient-store", "use --root with a directory on a tmpfs"),
    Unsupported::with_value("url", REMOTE),
    Unsupported::with_value("volumepath", "use --root to keep everything elsewhere"),
];
