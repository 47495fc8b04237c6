//! `lodger mount`: a container's files at a place of the host.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::output;
use crate::selection::{ALL, LATEST, warn};
use engine::Engine;
use engine::containers::{Container, Listed};
use serde::Serialize;
use spec::options::{Complete, Flag};
use std::path::Path;

pub(crate) const COMMAND: Command = Command {
    paths: &["mount", "container mount"],
    operands: "[CONTAINER...]",
    summary: "Mount a working container's root filesystem",
    about: "Mounts the files of containers, without their volumes, and prints where; without a name, lists what is mounted.\n\nA user's mounts are made within `lodger unshare` and end with it. As root they last until `lodger unmount`, and show a container that runs for reading alone. A container that is mounted and then started does not see every change that is made through the mount.",
    examples: &["lodger unshare sh -c 'ls \"$(lodger mount web)\"'", "sudo lodger mount web"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    format: Option<String>,
    latest: bool,
    no_trunc: bool,
}

/// `--format`
pub(crate) const FORMAT: Flag = Flag::with_value("format", "string", "Print what is mounted in this format (json)")
    .complete(Complete::Words(&["json"]));

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: ALL, set: |options, value| switch(&mut options.all, value) },
    Opt { flag: FORMAT, set: |options, value| text(&mut options.format, value) },
    Opt { flag: LATEST, set: |options, value| switch(&mut options.latest, value) },
    Opt {
        flag: Flag::switch("no-trunc", "Show IDs whole"),
        set: |options, value| switch(&mut options.no_trunc, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let json = wants_json(options.format.as_deref())?;
    let engine = call.engine()?;
    may_mount(&engine, &call)?;
    if call.operands.is_empty() && !options.all && !options.latest {
        return list(&engine, json, options.no_trunc);
    }
    let chosen = match (options.all, options.latest) {
        (true, _) => engine.containers(Listed::All, &mut warn)?,
        (_, true) => vec![engine.latest()?],
        _ => call.operands.iter().map(|name| engine.container(name)).collect::<engine::Result<Vec<_>>>()?,
    };
    for container in chosen {
        let path = engine.mount(&container)?;
        output::print_line(&path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses users outside `unshare`, in podman's words.
pub(crate) fn may_mount(engine: &Engine, call: &Invocation) -> Result<()> {
    match engine.may_mount() {
        true => Ok(()),
        false => Err(CliError::Invalid {
            message: format!(
                "cannot run command \"lodger {}\" in rootless mode, must execute `lodger unshare` first",
                call.path
            ),
            hint: Some("`lodger unshare` runs a shell, or a command, that can; its mounts end with it".to_owned()),
        }),
    }
}

/// `--format`
pub(crate) fn wants_json(format: Option<&str>) -> Result<bool> {
    match format {
        None | Some("") => Ok(false),
        Some("json") => Ok(true),
        Some(other) => Err(CliError::Invalid { message: format!("unknown --format argument: {other:?}"), hint: None }),
    }
}

/// podman's document of one container.
#[derive(Serialize)]
struct Row {
    id: String,
    #[serde(rename = "Names")]
    names: Vec<String>,
    mountpoint: String,
}

fn list(engine: &Engine, json: bool, whole: bool) -> Result<ExitCode> {
    let all = engine.containers(Listed::All, &mut warn)?;
    let mounted = all.into_iter().filter_map(|container| Some((engine.mounted(&container)?, container)));
    if json {
        let row = |(path, Container { record, .. }): (std::path::PathBuf, Container)| Row {
            id: record.id.to_string(),
            names: vec![record.name],
            mountpoint: path.display().to_string(),
        };
        let rows: Vec<Row> = mounted.map(row).collect();
        output::print(&json::text(&rows, Style::MOUNTS)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (path, container) in mounted {
        let id = &container.record.id;
        line(if whole { id.as_str() } else { id.short() }, &path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One line of a list.
pub(crate) fn line(name: &str, path: &Path) -> Result<()> {
    output::print_line(&format!("{name}  {}", path.display()))
}
