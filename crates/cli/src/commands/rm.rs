//! `lodger rm`: containers that go.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::commands::stop::{TIME, seconds};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::selection::{self, Chosen, Selection, each_with, outcome, removal_code};
use engine::containers::{Container, Force, Joining, Listed, Volumes};
use engine::{Engine, Kind};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["rm", "container rm"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Remove one or more containers",
    about: "Removes containers with their files. Those that run are only removed with --force, and those whose namespaces other containers share only after these, or together with them with --depend.\n\nExits with 1 when a container did not exist, with 2 when one runs.",
    examples: &["lodger rm web", "lodger rm --force --time 2 web", "lodger rm --all"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    selection: Selection,
    depend: bool,
    force: bool,
    volumes: bool,
    time: Option<u32>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL, set: |options, value| options.selection.set(&selection::ALL, value) },
    Opt { flag: selection::CIDFILE, set: |options, value| options.selection.set(&selection::CIDFILE, value) },
    Opt {
        flag: Flag::switch("depend", "Remove the containers too that share their namespaces"),
        set: |options, value| switch(&mut options.depend, value),
    },
    Opt { flag: selection::FILTER_LONG, set: |options, value| options.selection.set(&selection::FILTER_LONG, value) },
    Opt {
        flag: Flag::switch("force", "Stop containers that run; say nothing of those that do not exist").short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
    Opt { flag: selection::IGNORE, set: |options, value| options.selection.set(&selection::IGNORE, value) },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
    Opt {
        flag: TIME,
        set: |options, value| {
            options.time = seconds(value)?;
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("volumes", "Remove the containers' anonymous volumes too").short('v'),
        set: |options, value| switch(&mut options.volumes, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    if options.time.is_some() && !options.force {
        return Err(call.usage("--force option must be specified to use the --time option"));
    }
    if options.force {
        options.selection.ignore_missing();
    }
    let engine = call.engine()?;
    let mut chosen = match options.selection.containers(&call, &engine, Listed::All) {
        Err(error @ CliError::Engine(_)) => return outcome(vec![error], removal_code),
        chosen => chosen?,
    };
    let force = match (options.force, options.time) {
        (false, _) => Force::No,
        (true, None) => Force::Stop(STOP),
        (true, Some(0)) => Force::Kill,
        (true, Some(seconds)) => Force::Stop(seconds),
    };
    let volumes = if options.volumes { Volumes::Remove } else { Volumes::Keep };
    if options.force {
        remove_damaged(&engine, &mut chosen)?;
    }
    let joining = engine.joining()?;
    // Who shares another's namespaces is younger, and goes first.
    let created = |one: &Chosen| one.container.as_ref().ok().map(|container| container.record.created);
    let has_host_ids = |one: &Chosen| one.container.as_ref().is_ok_and(|one| engine.has_host_ids(&one.record.spec));
    if !joining.is_empty() {
        chosen.sort_by_key(|one| (!has_host_ids(one), std::cmp::Reverse(created(one))));
    }
    let removed = each_with(chosen, removal_code, |container| {
        if options.depend {
            remove_dependents(&engine, &joining, container, (force, volumes))?;
        }
        engine.demand_no_dependents(&joining, container)?;
        Ok(engine.remove(container, force, volumes)?)
    });
    engine.tidy();
    if removed.is_ok() {
        for path in options.selection.cidfiles() {
            // It names what is gone now; one that stays does no harm.
            let _ = std::fs::remove_file(path);
        }
    }
    removed
}

/// Removes those whose records cannot be read, as far as that goes.
fn remove_damaged(engine: &Engine, chosen: &mut Vec<Chosen>) -> Result<()> {
    let damaged = |one: &Chosen| matches!(&one.container, Err(CliError::Engine(error)) if error.kind == Kind::Corrupt);
    for one in std::mem::take(chosen) {
        match damaged(&one) && engine.remove_damaged(&one.asked).is_ok() {
            true => output::print_line(&output::escape(&one.asked, output::Keep::Nothing))?,
            false => chosen.push(one),
        }
    }
    Ok(())
}

/// Removes those that share a container's namespaces, before them those that share theirs, and says which.
fn remove_dependents(engine: &Engine, joining: &Joining, container: &Container, how: (Force, Volumes)) -> Result<()> {
    for dependent in engine.dependents(joining, container)? {
        remove_dependents(engine, joining, &dependent, how)?;
        engine.remove(&dependent, how.0, how.1)?;
        output::print_line(dependent.record.id.as_str())?;
    }
    Ok(())
}

/// podman's patience with a container that is removed by force, in seconds.
const STOP: u32 = 10;
