//! `lodger info`: the machine, the store, and what lodger uses of them.

use crate::command::{Command, Invocation, Opt, flags_of, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::{self, Show, yaml};
use crate::output;
use crate::view::info::Info;
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["info", "system info"],
    summary: "Display lodger system information",
    about: "Shows the machine, the store and the registries as YAML, as JSON, or what a Go template asks for.",
    examples: &["lodger info", "lodger info --format '{{.Store.GraphRoot}}'"],
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
    let info = Info::of(&call.engine()?)?;
    let shown = match &options.format {
        Some(wanted) => format::document(&info, "info", wanted, Show::now())?,
        None => yaml::text(&info)?,
    };
    output::print(&shown)?;
    Ok(ExitCode::SUCCESS)
}
