//! `lodger system prune`: everything that nothing uses.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, push, switch};
use crate::confirm::{self, Answer};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::filter::containers::Filters;
use crate::filter::images::Pruned;
use crate::format::size::decimal;
use crate::{filter, output, selection};
use engine::Engine;
use engine::containers::{Force, Listed, Volumes};
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["system prune"],
    summary: "Remove unused data",
    about: "Removes the containers that do not run and the images without a name that no container uses; with --all every image that no container uses, with --volumes the volumes that no container uses. Asks first, unless --force is given.",
    examples: &["lodger system prune", "lodger system prune --all --force --filter until=168h"],
    count: Count::None,
    flags: || flags_of(OPTIONS),
    unsupported: &[Unsupported::switch("build", "lodger does not build images, so builds leave nothing")],
    run,
    ..Command::PLAIN
};

/// What podman lets one choose by.
const KEYS: &[&str] = &["label", "until"];

#[derive(Default)]
struct Options {
    all: bool,
    filters: Vec<String>,
    force: bool,
    volumes: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all", "Also images that have a name").short('a'),
        set: |options, value| switch(&mut options.all, value),
    },
    Opt {
        flag: Flag::switch("external", "Accepted for compatibility; no other program's containers are in this store"),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::with_value("filter", "stringArray", "Only what matches label= or until="),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::switch("force", "Do not ask").short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
    Opt {
        flag: Flag::switch("volumes", "Also volumes, with their data"),
        set: |options, value| switch(&mut options.volumes, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let filters = Filters::parse_some(&options.filters, &engine, KEYS)?;
    let pruned = Pruned::parse(&options.filters, options.all)?;
    if !options.force && confirm::ask(&warning(&options))? == Answer::No {
        return Ok(ExitCode::SUCCESS);
    }
    let before = engine.usage()?;
    let mut gone: Vec<(&str, Vec<String>)> = vec![("Deleted Containers", containers(&engine, &filters)?)];
    if options.volumes {
        gone.push(("Deleted Volumes", volumes(&engine, &options.filters)?));
    }
    let mut images = Vec::new();
    engine.prune_images(&|image| pruned.takes(image, &engine), &mut |id| images.push(id.hex()))?;
    gone.push(("Deleted Images", images));
    engine.tidy();
    let taken = |usage: &engine::system::Usage| {
        let containers: u64 = usage.containers.iter().map(|(_, size)| size).sum();
        usage.layers + containers + usage.volumes.iter().map(|(.., size)| size).sum::<u64>()
    };
    let freed = taken(&before).saturating_sub(taken(&engine.usage()?));
    let parts = gone.into_iter().filter(|(_, ids)| !ids.is_empty());
    let mut text: String = parts.map(|(heading, ids)| format!("{heading}\n{}\n", ids.join("\n"))).collect();
    text.push_str(&format!("Total reclaimed space: {}\n", decimal(freed)));
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn containers(engine: &Engine, filters: &Filters) -> Result<Vec<String>> {
    let mut gone = Vec::new();
    for container in engine.containers(Listed::All, &mut selection::warn)? {
        if container.running.is_none() && filters.accept(&container, engine)? {
            engine.remove(&container, Force::No, Volumes::Keep)?;
            gone.push(container.record.id.to_string());
        }
    }
    Ok(gone)
}

fn volumes(engine: &Engine, filters: &[String]) -> Result<Vec<String>> {
    let filters: Vec<String> = filters.iter().cloned().chain(["dangling=true".to_owned()]).collect();
    let unused = filter::volumes::apply(&filters, engine.volumes(&mut selection::warn)?, engine)?;
    let mut gone = Vec::new();
    engine.prune_volumes(&unused, &mut |name| gone.push(name.to_owned()))?;
    Ok(gone)
}

fn warning(options: &Options) -> String {
    let volumes = if options.volumes { "\t- all volumes not used by at least one container\n" } else { "" };
    let images = match options.all {
        true => "\t- all images without at least one container associated with them\n",
        false => "\t- all dangling images\n",
    };
    format!("WARNING! This command removes:\n\t- all stopped containers\n{volumes}{images}\n")
}
