//! `lodger version`: which version this is.

use crate::command::{Command, Invocation, Opt, flags_of, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::{self, Show};
use crate::output;
use crate::view::version::{Info, Version};
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["version"],
    summary: "Show the version of lodger",
    about: "Shows the version of lodger, and of the podman whose command line it follows.",
    examples: &["lodger version", "lodger version --format '{{.Client.Version}}'"],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    format: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[Opt {
    flag: Flag::with_value("format", "string", "Change the output to json or a Go template").short('f'),
    set: |options, value| text(&mut options.format, value),
}];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let info = Info { client: Version::this() };
    let shown = match &options.format {
        Some(wanted) => format::document(&info, "version", wanted, Show::now())?,
        None => info.table(),
    };
    output::print(&shown)?;
    Ok(ExitCode::SUCCESS)
}
