//! `lodger container inspect`: everything about containers.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::commands::inspect::{self, FORMAT, SIZE};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["container inspect"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Display the configuration of a container",
    about: "Shows everything about containers as JSON, or what a Go template asks for.",
    examples: &["lodger container inspect web", "lodger container inspect --format '{{.State.Status}}' web"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    format: Option<String>,
    latest: bool,
    size: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: FORMAT, set: |options, value| text(&mut options.format, value) },
    Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) },
    Opt { flag: SIZE, set: |options, value| switch(&mut options.size, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    inspect::containers(&call, &engine, (options.latest, options.size), options.format.as_deref())
}
