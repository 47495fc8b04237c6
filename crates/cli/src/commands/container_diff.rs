//! `lodger container diff`: what a container has changed of its image's files.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::commands::diff::{FORMAT, Output, show, subjects};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::selection::LATEST;
use engine::Kind;
use engine::containers::Tree;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["container diff"],
    operands: "CONTAINER",
    summary: "Inspect changes to the container's file systems",
    about: "Tells what a container has changed of its image's files: A is added, C changed, D deleted. Volumes and other mounts are no part of it.",
    examples: &["lodger container diff web"],
    count: Count::AtMost(1),
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    format: Option<String>,
    latest: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: FORMAT, set: |options, value| text(&mut options.format, value) },
    Opt { flag: LATEST, set: |options, value| switch(&mut options.latest, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let style = Output::parse(options.format.as_deref())?;
    let engine = call.engine()?;
    let trees = subjects(&call, &engine, options.latest, |engine, name| match engine.container(name) {
        Ok(container) => Ok(Tree::Container(Box::new(container))),
        Err(error) if matches!(error.kind, Kind::NoSuchContainer(_)) => Err(CliError::Invalid {
            message: format!("{name} not found: container not known"),
            hint: Some("`lodger ps --all` lists the containers there are".to_owned()),
        }),
        Err(error) => Err(error.into()),
    })?;
    show(&engine, &mut trees.into_iter(), style)
}
