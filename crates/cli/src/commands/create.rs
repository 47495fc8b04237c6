//! `lodger create`: a new container that does not run yet.

use crate::command::{Command, Invocation, Opt, flags_of};
use crate::commands::run;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use engine::containers::Starter;
use spec::options::parse::Order;
use spec::options::{COMMAND_FLAGS, Complete, Verb};

pub(crate) const COMMAND: Command = Command {
    paths: &["create", "container create"],
    operands: "IMAGE [COMMAND [ARG...]]",
    summary: "Create but do not start a container",
    about: "Makes a new container from the given image, and prints its ID. `lodger start` starts it.",
    examples: &["lodger create --name web -p 8080:80 docker.io/library/nginx"],
    order: Order::FlagsFirst,
    complete: &[Complete::Images, Complete::Nothing],
    verb: Some(Verb::Create),
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// `--attach` is podman's too, and means nothing here: `start --attach` says it.
const OPTIONS: &[Opt<()>] = &[Opt { flag: COMMAND_FLAGS[0], set: |(), _| Ok(()) }];

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    let record = run::create(&call, &engine, Starter::Anybody)?;
    engine.tidy();
    output::print_line(record.id.as_str())?;
    Ok(ExitCode::SUCCESS)
}
