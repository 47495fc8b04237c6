//! `lodger exec`: a further command in a running container.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, number, push, switch, text};
use crate::commands::attach::{DETACH_KEYS, keys, keys_or_default};
use crate::commands::run::warn_without_terminal;
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::{output, selection};
use engine::DetachKeys;
use engine::containers::{ExecPrivileges, ExecRequest};
use engine::launch::StandardInput;
use spec::options::parse::Order;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["exec", "container exec"],
    operands: "CONTAINER COMMAND [ARG...]",
    summary: "Run a process in a running container",
    about: "Runs a further command in a container that runs, and exits as that command does.",
    examples: &[
        "lodger exec -it web sh",
        "lodger exec --user 33 --env A=1 web id",
        "lodger exec --workdir /srv web ls",
    ],
    order: Order::FlagsFirst,
    count: Count::Any,
    complete: &[Complete::Running, Complete::Nothing],
    flags: || flags_of(OPTIONS),
    unsupported: &[Unsupported::with_value("preserve-fd", "--preserve-fds hands on all from 3 on")],
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    cidfile: Option<String>,
    detach: bool,
    keys: Option<DetachKeys>,
    env: Vec<String>,
    env_files: Vec<String>,
    interactive: bool,
    latest: bool,
    preserve_fds: u32,
    privileged: bool,
    tty: bool,
    user: Option<String>,
    workdir: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::CIDFILE, set: |options, value| text(&mut options.cidfile, value) },
    Opt {
        flag: Flag::switch("detach", "Leave the command running, print an ID and return").short('d'),
        set: |options, value| switch(&mut options.detach, value),
    },
    Opt {
        flag: DETACH_KEYS,
        set: |options, value| {
            options.keys = Some(keys(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::with_value("env", "stringArray", "Set a variable; a name alone takes the caller's value")
            .short('e'),
        set: |options, value| push(&mut options.env, value),
    },
    Opt {
        flag: Flag::with_value("env-file", "strings", "Set the variables of a file").complete(Complete::File),
        set: |options, value| push(&mut options.env_files, value),
    },
    Opt {
        flag: Flag::switch("interactive", "Let the command read standard input").short('i'),
        set: |options, value| switch(&mut options.interactive, value),
    },
    Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) },
    Opt {
        flag: Flag::switch("no-session", "Accepted for compatibility; nothing is kept of a command"),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::with_value("preserve-fds", "uint", "Hand on so many descriptors, from 3 on"),
        set: |options, value| {
            options.preserve_fds = number(value)?;
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("privileged", "Give the command all capabilities and no system call filter"),
        set: |options, value| switch(&mut options.privileged, value),
    },
    Opt {
        flag: Flag::switch("tty", "Give the command a terminal").short('t'),
        set: |options, value| switch(&mut options.tty, value),
    },
    Opt {
        flag: Flag::with_value("user", "USER[:GROUP]", "Run as this user, by name or number").short('u'),
        set: |options, value| text(&mut options.user, value),
    },
    Opt {
        flag: Flag::with_value("workdir", "string", "Working directory inside").short('w'),
        set: |options, value| text(&mut options.workdir, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let named = !options.latest && options.cidfile.is_none();
    let (name, command) = match (named, call.operands.split_first()) {
        (true, None) => return Err(call.usage("exec requires the name or ID of a container, --latest or --cidfile")),
        (true, Some((name, command))) => (Some(name), command),
        (false, _) => (None, call.operands.as_slice()),
    };
    if command.is_empty() {
        return Err(call.usage("must provide a non-empty command to start an exec session: invalid argument"));
    }
    let engine = call.engine()?;
    let request = ExecRequest {
        command: command.to_vec(),
        env: variables(&options)?,
        user: options.user.filter(|user| !user.is_empty()),
        workdir: options.workdir,
        tty: options.tty,
        keys: keys_or_default(options.keys.clone(), &engine)?,
        input: if options.interactive { StandardInput::Caller } else { StandardInput::Closed },
        preserve_fds: options.preserve_fds,
        privileges: if options.privileged { ExecPrivileges::All } else { ExecPrivileges::Container },
    };
    let container = match (name, &options.cidfile) {
        (Some(name), _) => engine.container(name)?,
        (None, Some(path)) => engine.container(read(path)?.trim())?,
        (None, None) => engine.latest()?,
    };
    if options.detach {
        output::print_line(&engine.exec_detached(&container, &request)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if options.interactive && options.tty {
        warn_without_terminal();
    }
    Ok(ExitCode::from(engine.exec(&container, &request).map_err(CliError::Exec)?.code))
}

/// Files first, then `--env`; later wins.
fn variables(options: &Options) -> Result<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for path in &options.env_files {
        let text = read(path)?;
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
        variables.extend(lines.flat_map(variable));
    }
    variables.extend(options.env.iter().flat_map(|text| variable(text)));
    Ok(variables)
}

/// `NAME=value`; `NAME` alone is the caller's, if set; `PREFIX*` is all of the caller's that begin so.
fn variable(text: &str) -> Vec<(String, String)> {
    match (text.split_once('='), text.strip_suffix('*')) {
        (Some((name, value)), _) => vec![(name.to_owned(), value.to_owned())],
        (None, Some(prefix)) => {
            let all = std::env::vars_os();
            let all = all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
            all.filter(|(name, _)| name.starts_with(prefix)).collect()
        }
        (None, None) => std::env::var(text).ok().map(|value| (text.to_owned(), value)).into_iter().collect(),
    }
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| CliError::Io { operation: format!("read {path:?}"), source })
}
