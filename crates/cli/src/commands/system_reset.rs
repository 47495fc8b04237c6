//! `lodger system reset`: everything gone.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::confirm::{self, Answer};
use crate::error::{OWN, Result};
use crate::exit::ExitCode;
use crate::output::{Keep, escape};
use crate::selection::outcome;
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["system reset"],
    summary: "Reset lodger storage back to default state",
    about: "Stops and removes every container, and removes every image, volume and secret of the caller. Asks first, unless --force is given.",
    examples: &["lodger system reset"],
    count: Count::None,
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    force: bool,
}

const OPTIONS: &[Opt<Options>] = &[Opt {
    flag: Flag::switch("force", "Do not ask").short('f'),
    set: |options, value| switch(&mut options.force, value),
}];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let root = engine.store.root().display().to_string();
    let warning = format!(
        "WARNING! This will remove:\n        - all containers\n        - all images\n        - all volumes\n        \
         - all secrets\n        in: {:?}\n",
        escape(&root, Keep::Nothing)
    );
    if !options.force && confirm::ask(&warning)? == Answer::No {
        return Ok(ExitCode::SUCCESS);
    }
    let failed = engine.reset()?;
    outcome(failed.into_iter().map(Into::into).collect(), |_| OWN)
}
