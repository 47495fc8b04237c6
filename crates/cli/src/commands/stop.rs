//! `lodger stop`: containers asked to end, and killed when they do not.

use crate::command::{Command, Count, Invocation, Opt, flags_of};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Selection, each};
use engine::containers::Listed;
use spec::ParseError;
use spec::duration::Seconds;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["stop", "container stop"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Stop one or more containers",
    about: "Asks containers to end, with their stop signal, and kills those that still run after the time given.",
    examples: &["lodger stop web", "lodger stop --time 2 web db", "lodger stop --all"],
    count: Count::Any,
    complete: &[Complete::Running],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    selection: Selection,
    time: Option<u32>,
}

/// `--time` of whatever stops containers.
pub(crate) const TIME: Flag =
    Flag::with_value("time", "int", "Seconds to wait before killing (default the container's own, 10)").short('t');

/// Whole seconds; -1 waits for ever.
pub(crate) fn seconds(value: &str) -> Result<Option<u32>, ParseError> {
    Seconds::parse(value).map(|seconds| Some(seconds.0))
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL, set: |options, value| options.selection.set(&selection::ALL, value) },
    Opt { flag: selection::CIDFILE, set: |options, value| options.selection.set(&selection::CIDFILE, value) },
    Opt { flag: selection::FILTER, set: |options, value| options.selection.set(&selection::FILTER, value) },
    Opt { flag: selection::IGNORE, set: |options, value| options.selection.set(&selection::IGNORE, value) },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
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
    let engine = call.engine()?;
    let chosen = options.selection.containers(&call, &engine, Listed::Running)?;
    each(chosen, |container| Ok(engine.stop(container, options.time).map(drop)?))
}
