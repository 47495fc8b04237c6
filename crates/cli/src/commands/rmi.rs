//! `lodger rmi`: images that go, or lose a name.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::selection::{outcome, removal_code, warn};
use engine::containers::{Force, Volumes};
use engine::images::{Removal, Removed};
use engine::{Engine, Kind};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["rmi", "image rm", "image remove"],
    operands: "IMAGE [IMAGE...]",
    summary: "Remove one or more images from local storage",
    about: "Removes names of images, and images with their last name. An image that a container uses stays, unless --force removes the container too.\n\nExits with 1 when an image did not exist, with 2 when one is in use.",
    examples: &["lodger rmi docker.io/library/alpine:3.20", "lodger rmi --force 0123456789ab", "lodger rmi --all"],
    count: Count::Any,
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    force: bool,
    ignore: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: Flag::switch("all", "All images").short('a'), set: |options, value| switch(&mut options.all, value) },
    Opt {
        flag: Flag::switch("force", "Remove containers that use the image, and every name of an ID").short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
    Opt {
        flag: Flag::switch("ignore", "Say nothing of images that do not exist").short('i'),
        set: |options, value| switch(&mut options.ignore, value),
    },
    Opt {
        flag: Flag::switch("no-prune", "Accepted for compatibility; images have no nameless parents that would go too"),
        set: |_, _| Ok(()),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    match (options.all, call.operands.is_empty()) {
        (true, false) => {
            return Err(call.usage("when using the --all switch, you may not pass any images names or IDs"));
        }
        (false, true) => return Err(call.usage("image name or ID must be specified")),
        _ => {}
    }
    let engine = call.engine()?;
    let names = match options.all {
        true => engine.images(&mut warn)?.iter().map(|image| image.id.hex()).collect::<Vec<_>>(),
        false => call.operands.clone(),
    };
    if options.force {
        // What cannot be found is told in its turn.
        let images = names.iter().filter_map(|name| engine.image(name).ok());
        let users: Vec<_> = images.filter_map(|image| engine.image_users(&image).ok()).flatten().collect();
        engine.approach_all(&users)?;
    }
    let mut errors = Vec::new();
    for name in names {
        match remove(&engine, &name, &options) {
            Ok(lines) => output::print(&lines)?,
            Err(CliError::Engine(error))
                if (options.ignore || options.force) && matches!(error.kind, Kind::NoSuchImage(_)) => {}
            Err(error) => errors.push(error),
        }
    }
    engine.tidy_images();
    outcome(errors, removal_code)
}

/// What went, as podman tells it.
fn remove(engine: &Engine, name: &str, options: &Options) -> Result<String> {
    if options.force {
        let image = engine.image(name)?;
        // Its last name, or all of them: the containers would be in the way.
        if image.names.len() <= 1 || image.id.hex().starts_with(name.strip_prefix("sha256:").unwrap_or(name)) {
            for id in engine.image_users(&image)? {
                engine.remove(&engine.container(id.as_str())?, Force::Kill, Volumes::Keep)?;
            }
        }
    }
    let removal = if options.force || options.all { Removal::AllNames } else { Removal::Careful };
    Ok(match engine.remove_image(name, removal)? {
        Removed::Untagged(name) => format!("Untagged: {name}\n"),
        Removed::Image { id, names } => {
            let names: String = names.iter().map(|name| format!("Untagged: {name}\n")).collect();
            format!("{names}Deleted: {}\n", id.hex())
        }
    })
}
