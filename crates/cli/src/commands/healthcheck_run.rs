//! `lodger healthcheck run`: a container's health check, once.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use engine::containers::Checked;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["healthcheck run"],
    operands: "CONTAINER",
    summary: "Run the health check of a container",
    about: "Runs the check of a container once and notes its result: exit code 0 = healthy, 1 = the check failed, 125 = it could not be run or took too long.",
    examples: &["lodger healthcheck run web"],
    count: Count::Exactly(1),
    complete: &[Complete::Running],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    ignore_result: bool,
}

const OPTIONS: &[Opt<Options>] = &[Opt {
    flag: Flag::switch("ignore-result", "Exit with 0 whatever the check says"),
    set: |options, value| switch(&mut options.ignore_result, value),
}];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let name = call.operands.first().map(String::as_str).unwrap_or_default();
    let container = engine
        .container(name)
        .map_err(|error| error.within(format!("unable to look up {name} to perform a health check")))?;
    match engine.check_health(&container)? {
        Checked::Healthy => Ok(ExitCode::SUCCESS),
        Checked::Failed if options.ignore_result => Ok(ExitCode::SUCCESS),
        Checked::Failed => {
            output::print_line("unhealthy")?;
            Ok(ExitCode::from(1))
        }
    }
}
