//! `lodger rename`: another name for a container.

use crate::command::{Command, Count, Invocation};
use crate::error::Result;
use crate::exit::ExitCode;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["rename", "container rename"],
    operands: "CONTAINER NAME",
    summary: "Rename an existing container",
    about: "Gives a container another name, also while it runs. The unit it runs in keeps the old name until the next start.",
    examples: &["lodger rename web web-old"],
    count: Count::Exactly(2),
    complete: &[Complete::Containers, Complete::Nothing],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    let container = engine.container(&call.operands[0])?;
    let name = &call.operands[1];
    spec::name::check("container name", name).map_err(|error| call.usage(error.to_string()))?;
    engine.rename(&container, name)?;
    Ok(ExitCode::SUCCESS)
}
