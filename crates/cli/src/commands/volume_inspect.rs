//! `lodger volume inspect`: everything about volumes.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, OWN, Result};
use crate::exit::ExitCode;
use crate::format::{Show, documents};
use crate::output;
use crate::selection::{outcome, warn};
use crate::view::inspect_volume::Volume;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["volume inspect"],
    operands: "VOLUME [VOLUME...]",
    summary: "Display detailed information on one or more volumes",
    about: "Shows everything about volumes as JSON, or what a Go template asks for.",
    examples: &["lodger volume inspect data", "lodger volume inspect --format '{{.Mountpoint}}' data"],
    count: Count::Any,
    complete: &[Complete::Volumes],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    format: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: Flag::switch("all", "All volumes").short('a'), set: |options, value| switch(&mut options.all, value) },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, or what a Go template asks for").short('f'),
        set: |options, value| text(&mut options.format, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.all != call.operands.is_empty() {
        return Err(call.usage("provide one or more volume names or use --all"));
    }
    let engine = call.engine()?;
    let mut errors: Vec<CliError> = Vec::new();
    let found = match options.all {
        true => engine.volumes(&mut warn)?,
        false => {
            let found = call.operands.iter().map(|name| engine.volume(name));
            found.filter_map(|volume| volume.map_err(|error| errors.push(error.into())).ok()).collect()
        }
    };
    let rows = found.iter().map(|volume| Volume::of(volume, &engine)).collect::<Result<Vec<_>>>()?;
    output::print(&documents(&rows, "volume inspect", options.format.as_deref(), Show::now())?)?;
    outcome(errors, |_| OWN)
}
