//! `lodger container prune`: every container that does not run, removed.

use crate::command::{Command, Invocation, Opt, flags_of, push, switch};
use crate::confirm::{self, Answer};
use crate::error::{OWN, Result};
use crate::exit::ExitCode;
use crate::filter::containers::Filters;
use crate::selection::{self, Chosen, each_with};
use engine::containers::{Force, Listed, Volumes};
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["container prune"],
    summary: "Remove all non running containers",
    about: "Removes every container that does not run, and prints the IDs. Their volumes stay.",
    examples: &["lodger container prune", "lodger container prune --force --filter until=24h"],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// What podman lets one choose by.
const KEYS: &[&str] = &["annotation", "label", "until"];

#[derive(Default)]
struct Options {
    filters: Vec<String>,
    force: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("filter", "stringArray", "Only containers that match label=, annotation= or until="),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::switch("force", "Do not ask first").short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let filters = Filters::parse_some(&options.filters, &engine, KEYS)?;
    let warning = "WARNING! This will remove all non running containers.\n";
    if !options.force && confirm::ask(warning)? == Answer::No {
        return Ok(ExitCode::SUCCESS);
    }
    let mut chosen = Vec::new();
    for container in engine.containers(Listed::All, &mut selection::warn)? {
        if container.running.is_none() && filters.accept(&container, &engine)? {
            chosen.push(Chosen { asked: container.record.id.to_string(), container: Ok(container) });
        }
    }
    let removed = each_with(chosen, |_| OWN, |container| Ok(engine.remove(container, Force::No, Volumes::Keep)?));
    engine.tidy();
    removed
}
