//! `lodger attach`: a container in the background, brought to the terminal.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::selection;
use engine::launch::{Attach, Parted, StandardInput};
use engine::{DetachKeys, Engine, Signals};
use spec::ParseError;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["attach", "container attach"],
    operands: "CONTAINER",
    summary: "Attach to a running container",
    about: "Shows what a container prints from now on and gives it what is typed, until it ends or the detach keys are typed; exits as the container does. Without a terminal of the container's, whole lines come out of its log.",
    examples: &["lodger attach shell", "lodger attach --detach-keys ctrl-x --no-stdin web"],
    count: Count::AtMost(1),
    complete: &[Complete::Running],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// `--detach-keys`
pub(crate) const DETACH_KEYS: Flag = Flag::with_value(
    "detach-keys",
    "KEYS",
    "Keys that leave the process running: letters and ctrl-X, separated by commas (default ctrl-p,ctrl-q)",
);

/// podman's default.
const DEFAULT_KEYS: &str = "ctrl-p,ctrl-q";

/// Parses `--detach-keys`.
pub(crate) fn keys(text: &str) -> Result<DetachKeys, ParseError> {
    DetachKeys::parse(text).map_err(|error| ParseError(error.to_string()))
}

/// The keys that were asked for, else those of containers.conf, else podman's.
pub(crate) fn keys_or_default(asked: Option<DetachKeys>, engine: &Engine) -> Result<DetachKeys> {
    let default = || keys(DEFAULT_KEYS).map_err(|error| CliError::Plain(error.to_string()));
    match asked {
        Some(keys) => Ok(keys),
        None => engine.detach_keys()?.map_or_else(default, Ok),
    }
}

#[derive(Default)]
struct Options {
    keys: Option<DetachKeys>,
    latest: bool,
    no_stdin: bool,
    without_signals: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: DETACH_KEYS,
        set: |options, value| {
            options.keys = Some(keys(value)?);
            Ok(())
        },
    },
    Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) },
    Opt {
        flag: Flag::switch("no-stdin", "Give the container nothing to read"),
        set: |options, value| switch(&mut options.no_stdin, value),
    },
    Opt {
        flag: Flag::switch("sig-proxy", "Hand signals on to the container (default true)"),
        set: |options, value| {
            options.without_signals = value == "false";
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let name = match (options.latest, call.operands.as_slice()) {
        (false, [name]) => Some(name),
        (true, []) => None,
        _ => return Err(call.usage("attach requires the name or id of one running container or the latest flag")),
    };
    let engine = call.engine()?;
    let container = match name {
        Some(name) => engine.container(name)?,
        None => engine.latest()?,
    };
    let keys = keys_or_default(options.keys, &engine)?;
    let attach = Attach {
        input: if options.no_stdin { StandardInput::Closed } else { StandardInput::Caller },
        signals: if options.without_signals { Signals::Own } else { Signals::Relay },
        keys,
    };
    Ok(match engine.attach(&container, attach)? {
        Parted::Ended(code) => ExitCode::from(code),
        Parted::Detached => ExitCode::SUCCESS,
    })
}
