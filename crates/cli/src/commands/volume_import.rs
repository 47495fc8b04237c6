//! `lodger volume import`: an archive's files into a volume.

use crate::command::{Command, Count, Invocation};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use spec::options::Complete;
use std::fs::File;
use std::io::{self, BufReader};

pub(crate) const COMMAND: Command = Command {
    paths: &["volume import"],
    operands: "VOLUME [SOURCE]",
    summary: "Import a tarball contents into a volume",
    about: "Puts the files of a tar archive, plain or compressed with gzip or zstd, into a volume; those of the same name are replaced. Without a source, or with -, the archive comes from standard input. An empty volume gets all of it or nothing.",
    examples: &["lodger volume import data data.tar", "lodger volume export a | lodger volume import b -"],
    count: Count::Any,
    complete: &[Complete::Volumes, Complete::File],
    run,
    ..Command::PLAIN
};

fn run(call: Invocation) -> Result<ExitCode> {
    let (name, source) = match call.operands.as_slice() {
        [name] => (name, "-"),
        [name, source] => (name, source.as_str()),
        operands => return Err(call.usage(format!("accepts between 1 and 2 arg(s), received {}", operands.len()))),
    };
    let engine = call.engine()?;
    let volume = engine.volume(name)?;
    match source {
        "-" => engine.import_volume(&volume, io::stdin().lock())?,
        path => {
            let fail = |source| CliError::Io { operation: format!("open {path:?}"), source };
            engine.import_volume(&volume, BufReader::with_capacity(1 << 20, File::open(path).map_err(fail)?))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
