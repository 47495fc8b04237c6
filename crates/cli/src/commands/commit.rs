//! `lodger commit`: a container's changes as an image.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, push, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use engine::containers::{CommitLayers, CommitVolumes, Meanwhile, NewCommit};
use engine::images::Family;
use spec::options::{Complete, Flag};
use std::fs::File;
use std::io::Write;

pub(crate) const COMMAND: Command = Command {
    paths: &["commit", "container commit"],
    operands: "CONTAINER [IMAGE]",
    summary: "Create new image based on the changed container",
    about: "Makes an image of a container: what it has changed becomes a layer above those of its own image, and what it was told (command, environment, user, ports, labels) becomes what the image says. Volumes and other mounts are no part of it. Prints the image's ID.\n\nA program that writes while the container is read may leave its files half written in the image; with --pause it waits.",
    examples: &[
        "lodger commit web localhost/web:changed",
        "lodger commit --change 'CMD [\"/bin/sh\"]' --author me web",
    ],
    count: Count::AtLeast(1),
    complete: &[Complete::Containers, Complete::Images],
    flags: || flags_of(OPTIONS),
    unsupported: &[Unsupported::with_value(
        "config",
        "a file of settings is not merged into the image; --change changes them one by one",
    )],
    run,
    ..Command::PLAIN
};

const FORMATS: &[&str] = &["oci", "docker"];

#[derive(Default)]
struct Options {
    author: Option<String>,
    changes: Vec<String>,
    format: Option<String>,
    iidfile: Option<String>,
    volumes: bool,
    message: Option<String>,
    pause: bool,
    squash: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("author", "string", "Who has made the image").short('a'),
        set: |options, value| text(&mut options.author, value),
    },
    Opt {
        flag: Flag::with_value(
            "change",
            "stringArray",
            "Change the config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR",
        )
        .short('c'),
        set: |options, value| push(&mut options.changes, value),
    },
    Opt {
        flag: Flag::with_value("format", "Format", "Format of the image: oci (the default) or docker")
            .short('f')
            .complete(Complete::Words(FORMATS)),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::with_value("iidfile", "file", "Write the image's ID to this file").complete(Complete::File),
        set: |options, value| text(&mut options.iidfile, value),
    },
    Opt {
        flag: Flag::switch("include-volumes", "Declare the container's volumes in the image too"),
        set: |options, value| switch(&mut options.volumes, value),
    },
    Opt {
        flag: Flag::with_value("message", "string", "What the image says of itself; for docker").short('m'),
        set: |options, value| text(&mut options.message, value),
    },
    Opt {
        flag: Flag::switch("pause", "Pause the container meanwhile").short('p'),
        set: |options, value| switch(&mut options.pause, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Accepted for compatibility; no progress is shown").short('q'),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::switch("squash", "Make a single layer of everything").short('s'),
        set: |options, value| switch(&mut options.squash, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if call.operands.len() > 2 {
        return Err(call.usage(format!("accepts between 1 and 2 arg(s), received {}", call.operands.len())));
    }
    let family = match options.format.as_deref().unwrap_or("oci") {
        "oci" => Family::Oci,
        "docker" => Family::Docker,
        other => {
            let message = format!("unrecognized image format {other:?}");
            return Err(CliError::Invalid { message, hint: Some("choose oci or docker".to_owned()) });
        }
    };
    let new = NewCommit {
        name: call.operands.get(1).cloned(),
        author: options.author,
        changes: options.changes,
        message: options.message,
        family,
        layers: if options.squash { CommitLayers::Squashed } else { CommitLayers::OneMore },
        volumes: if options.volumes { CommitVolumes::OfContainer } else { CommitVolumes::OfImage },
        meanwhile: if options.pause { Meanwhile::Paused } else { Meanwhile::Runs },
    };
    let engine = call.engine()?;
    let container = engine.container(&call.operands[0])?;
    let io = |operation: &str, path: &str| {
        let operation = format!("{operation} {path:?}");
        move |source| CliError::Io { operation, source }
    };
    // Opened while root still is root.
    let iidfile = match &options.iidfile {
        Some(path) => Some((File::create(path).map_err(io("create", path))?, path)),
        None => None,
    };
    let image = engine.commit(&container, &new)?;
    engine.tidy();
    if let Some((mut file, path)) = iidfile {
        file.write_all(image.id.to_string().as_bytes()).map_err(io("write", path))?;
    }
    output::print_line(&image.id.hex())?;
    Ok(ExitCode::SUCCESS)
}
