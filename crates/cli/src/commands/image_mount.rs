//! `lodger image mount`: an image's files at a place of the host.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::commands::mount::{FORMAT, line, may_mount, wants_json};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::output;
use crate::selection::warn;
use engine::Engine;
use serde::Serialize;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["image mount"],
    operands: "[IMAGE...]",
    summary: "Mount an image's root filesystem",
    about: "Mounts the files of images, for reading alone, and prints where; without a name, lists what is mounted.\n\nA user's mounts are made within `lodger unshare` and end with it. As root they last until `lodger image unmount`.",
    examples: &["lodger unshare sh -c 'ls \"$(lodger image mount localhost/web)\"'"],
    count: Count::Any,
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    format: Option<String>,
}

/// `--all`
pub(crate) const ALL: Flag = Flag::switch("all", "All images").short('a');

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: ALL, set: |options, value| switch(&mut options.all, value) },
    Opt { flag: FORMAT, set: |options, value| text(&mut options.format, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let json = wants_json(options.format.as_deref())?;
    let engine = call.engine()?;
    may_mount(&engine, &call)?;
    if call.operands.is_empty() && !options.all {
        return list(&engine, json);
    }
    let chosen = match options.all {
        true => engine.images(&mut warn)?,
        false => call.operands.iter().map(|name| engine.image(name)).collect::<engine::Result<Vec<_>>>()?,
    };
    for image in chosen {
        let path = engine.mount_image(&image)?;
        output::print_line(&path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// podman's document of one image.
#[derive(Serialize)]
struct Row {
    id: String,
    #[serde(rename = "Names")]
    names: Vec<String>,
    #[serde(rename = "Repositories")]
    repositories: Vec<String>,
    mountpoint: String,
}

fn list(engine: &Engine, json: bool) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for image in engine.images(&mut warn)? {
        let Some(path) = engine.mounted_image(&image.id) else { continue };
        let names: Vec<String> = image.names.iter().map(ToString::to_string).collect();
        if json {
            let mountpoint = path.display().to_string();
            rows.push(Row {
                id: image.id.hex(),
                names: vec![image.manifest.to_string()],
                repositories: names,
                mountpoint,
            });
        } else {
            line(&names.first().cloned().unwrap_or_else(|| image.id.hex()[..12].to_owned()), &path)?;
        }
    }
    if json {
        output::print(&json::text(&rows, Style::MOUNTS)?)?;
    }
    Ok(ExitCode::SUCCESS)
}
