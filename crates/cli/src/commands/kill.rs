//! `lodger kill`: a signal for containers.

use crate::command::{Command, Count, Invocation, Opt, flags_of};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Selection, each};
use engine::containers::Listed;
use spec::options::{Complete, Flag};
use spec::signal::Signal;

pub(crate) const COMMAND: Command = Command {
    paths: &["kill", "container kill"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Kill one or more running containers with a specific signal",
    about: "Sends a signal to the first process of containers that run.",
    examples: &["lodger kill web", "lodger kill --signal HUP web", "lodger kill --all"],
    count: Count::Any,
    complete: &[Complete::Running],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

struct Options {
    selection: Selection,
    signal: Signal,
}

impl Default for Options {
    fn default() -> Self {
        Self { selection: Selection::default(), signal: Signal::KILL }
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL, set: |options, value| options.selection.set(&selection::ALL, value) },
    Opt { flag: selection::CIDFILE, set: |options, value| options.selection.set(&selection::CIDFILE, value) },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
    Opt {
        flag: Flag::with_value("signal", "string", "Which signal (default KILL)")
            .short('s')
            .complete(Complete::Signals),
        set: |options, value| {
            options.signal = Signal::parse(value)?;
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let chosen = options.selection.containers(&call, &engine, Listed::Running)?;
    each(chosen, |container| Ok(engine.kill(container, options.signal)?))
}
