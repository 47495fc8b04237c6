//! `lodger volume export`: a volume's files as an archive.

use crate::command::{Command, Count, Invocation, Opt, flags_of, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use spec::options::{Complete, Flag};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume export"],
    operands: "VOLUME",
    summary: "Export volumes",
    about: "Writes the files of a volume as a tar archive to a file or to standard output.",
    examples: &["lodger volume export --output data.tar data", "lodger volume export data | zstd >data.tar.zst"],
    count: Count::Exactly(1),
    complete: &[Complete::Volumes],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    output: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[Opt {
    flag: Flag::with_value("output", "string", "Write to this file (default standard output)")
        .short('o')
        .complete(Complete::File),
    set: |options, value| text(&mut options.output, value),
}];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.output.is_none() && io::stdout().is_terminal() {
        return Err(CliError::Usage {
            message: "refusing to export to terminal".to_owned(),
            hint: Some("use --output FILE, or redirect the standard output".to_owned()),
            path: call.path.clone(),
        });
    }
    let engine = call.engine()?;
    let volume = engine.volume(&call.operands[0])?;
    match &options.output {
        None => engine.export_volume(&volume, io::stdout().as_fd())?,
        Some(path) => {
            // Opened before the user's namespace is entered, where root would be a stranger.
            let fail = |source| CliError::Io { operation: format!("create {path:?}"), source };
            let file = File::create(path).map_err(fail)?;
            engine.export_volume(&volume, file.as_fd())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
