//! `lodger unshare`: a command among the ids of the user's containers.

use crate::command::{Command, Count, Invocation, Unsupported};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use engine::Kind;
use spec::options::Complete;
use spec::options::parse::Order;

pub(crate) const COMMAND: Command = Command {
    paths: &["unshare"],
    operands: "[COMMAND [ARG...]]",
    summary: "Run a command in a modified user namespace",
    about: "Runs a command, or the user's shell, as root of the user namespace that the user's containers share: files of containers and volumes have the owners that containers see, and can be read and given away. The command has mounts of its own, which end with it; `lodger mount` works there. CONTAINERS_GRAPHROOT names the directory in which lodger keeps its data.\n\nExits as the command does; with 126 when it cannot be invoked, with 127 when it does not exist.",
    examples: &["lodger unshare cat /proc/self/uid_map", "lodger unshare chown -R 33:33 site"],
    order: Order::FlagsFirst,
    count: Count::Any,
    complete: &[Complete::File],
    unsupported: &[Unsupported::switch(
        "rootless-netns",
        "no network namespace is shared by all of a user's containers: each has its own, and `lodger exec` looks at it",
    )],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    let error = engine.unshare(&call.operands);
    Err(match error.kind {
        Kind::CommandNotFound(_) | Kind::CommandNotInvocable(_) => CliError::Exec(error),
        Kind::Invalid(message) => CliError::Invalid {
            message,
            hint: Some("root's containers are within reach of `lodger mount` and `lodger exec`".to_owned()),
        },
        _ => error.into(),
    })
}
