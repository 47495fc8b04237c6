//! `lodger export`: a container's files as an archive.

use crate::command::{Command, Count, Invocation, Opt, flags_of, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use spec::options::{Complete, Flag};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

pub(crate) const COMMAND: Command = Command {
    paths: &["export", "container export"],
    operands: "CONTAINER",
    summary: "Export container's filesystem contents as a tar archive",
    about: "Writes all files of a container as a tar archive to a file or to standard output, with owners as they are inside. Volumes and other mounts are no part of it. `lodger import` makes an image of it.",
    examples: &["lodger export --output web.tar web", "lodger export web | ssh other lodger import - localhost/web"],
    count: Count::Exactly(1),
    complete: &[Complete::Containers],
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
            message: "refusing to export to terminal. Use -o flag or redirect".to_owned(),
            hint: None,
            path: call.path.clone(),
        });
    }
    let engine = call.engine()?;
    let container = engine.container(&call.operands[0])?;
    let Some(path) = &options.output else {
        engine.export(&container, io::stdout().as_fd())?;
        return Ok(ExitCode::SUCCESS);
    };
    let before = std::fs::metadata(path).ok();
    // Opened while root still is root.
    let file = File::create(path).map_err(|source| CliError::Io { operation: format!("create {path:?}"), source })?;
    let done = engine.export(&container, file.as_fd());
    if done.is_err() && before.is_none() {
        // Half an archive is none; that it cannot be removed is no further news.
        let _ = std::fs::remove_file(path);
    }
    done?;
    Ok(ExitCode::SUCCESS)
}
