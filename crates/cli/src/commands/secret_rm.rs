//! `lodger secret rm`: secrets that go.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::{CliError, OWN, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::selection::{outcome, warn};
use engine::{Engine, Kind};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["secret rm", "secret remove"],
    operands: "SECRET [SECRET...]",
    summary: "Remove one or more secrets",
    about: "Removes secrets and prints their IDs. Containers keep the files that they have of them; what they get as variables they cannot start without.",
    examples: &["lodger secret rm password", "lodger secret rm --all"],
    count: Count::Any,
    complete: &[Complete::Secrets],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    ignore: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: Flag::switch("all", "All secrets").short('a'), set: |options, value| switch(&mut options.all, value) },
    Opt {
        flag: Flag::switch("ignore", "A secret that does not exist is no error").short('i'),
        set: |options, value| switch(&mut options.ignore, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if call.operands.is_empty() != options.all {
        return Err(call.usage("`lodger secret rm` requires one argument, or the --all flag"));
    }
    let engine = call.engine()?;
    let names = match options.all {
        true => engine.secrets(&mut warn)?.into_iter().map(|secret| secret.id).collect(),
        false => call.operands.clone(),
    };
    let mut errors = Vec::new();
    for name in names {
        match remove(&engine, &name) {
            Ok(id) => output::print_line(&id)?,
            Err(error) if options.ignore && matches!(error.kind, Kind::NoSuchSecret(_)) => {}
            Err(error) => errors.push(CliError::from(error)),
        }
    }
    outcome(errors, |_| OWN)
}

fn remove(engine: &Engine, name: &str) -> engine::Result<String> {
    let secret = engine.secret(name)?;
    engine.remove_secret(&secret)?;
    Ok(secret.id)
}
