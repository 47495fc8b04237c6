//! `lodger volume rm`: volumes that go, with their data.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::commands::stop::{TIME, seconds};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::selection::{outcome, removal_code, warn};
use engine::containers::{Force, Volumes};
use engine::{Engine, Kind};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["volume rm", "volume remove"],
    operands: "VOLUME [VOLUME...]",
    summary: "Remove one or more volumes",
    about: "Removes volumes with their data. A volume that a container uses stays, unless --force removes the container too.\n\nExits with 1 when a volume did not exist, with 2 when one is in use.",
    examples: &["lodger volume rm data", "lodger volume rm --force data", "lodger volume rm --all"],
    count: Count::Any,
    complete: &[Complete::Volumes],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    force: bool,
    time: Option<u32>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: Flag::switch("all", "All volumes").short('a'), set: |options, value| switch(&mut options.all, value) },
    Opt {
        flag: Flag::switch("force", "Remove containers that use the volume; say nothing of volumes that do not exist")
            .short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
    Opt {
        flag: TIME,
        set: |options, value| {
            options.time = seconds(value)?;
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.all != call.operands.is_empty() {
        return Err(call.usage("choose either --all or one or more volumes by name"));
    }
    if options.time.is_some() && !options.force {
        return Err(call.usage("--force option must be specified to use the --time option"));
    }
    let engine = call.engine()?;
    let names = match options.all {
        true => engine.volumes(&mut warn)?.into_iter().map(|volume| volume.name).collect::<Vec<_>>(),
        false => call.operands.clone(),
    };
    if options.force {
        // What cannot be found is told in its turn.
        let volumes = names.iter().filter_map(|name| engine.volume(name).ok());
        let users: Vec<_> = volumes.filter_map(|volume| engine.volume_users(&volume).ok()).flatten().collect();
        engine.approach_all(&users)?;
    }
    let mut errors = Vec::new();
    for name in names {
        match remove(&engine, &name, &options) {
            Ok(name) => output::print_line(&name)?,
            Err(CliError::Engine(error)) if options.force && matches!(error.kind, Kind::NoSuchVolume(_)) => {}
            Err(error) => errors.push(error),
        }
    }
    outcome(errors, removal_code)
}

fn remove(engine: &Engine, name: &str, options: &Options) -> Result<String> {
    if options.force {
        let volume = engine.volume(name)?;
        let force = options.time.map_or(Force::Kill, Force::Stop);
        for id in engine.volume_users(&volume)? {
            engine.remove(&engine.container(id.as_str())?, force, Volumes::Keep)?;
        }
    }
    Ok(engine.remove_volume(name)?)
}
