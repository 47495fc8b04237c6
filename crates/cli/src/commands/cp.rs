//! `lodger cp`: files between containers and the host.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use engine::containers::{Clash, Owners, Place};
use engine::{Engine, Kind};
use spec::options::{Complete, Flag};
use std::io::IsTerminal;

pub(crate) const COMMAND: Command = Command {
    paths: &["cp", "container cp"],
    operands: "[CONTAINER:]SRC_PATH [CONTAINER:]DEST_PATH",
    summary: "Copy files/folders between a container and the local filesystem",
    about: "Copies a file or a directory into a container, out of it, or from one container to another, whether they run or not. Volumes and binds are seen as the container sees them. `-` is an archive (tar) from standard input or to standard output.\n\nWith /. at its end SRC_PATH means what is in the directory.",
    examples: &["lodger cp web:/etc/nginx/nginx.conf .", "lodger cp site/. web:/srv", "lodger cp web:/srv - | tar t"],
    count: Count::Exactly(2),
    complete: &[Complete::File],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

struct Options {
    archive: bool,
    overwrite: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { archive: true, overwrite: false }
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("archive", "Give the copies to the user of the container they go to (default true)")
            .short('a'),
        set: |options, value| switch(&mut options.archive, value),
    },
    Opt {
        flag: Flag::switch("overwrite", "Let files replace directories, and directories files"),
        set: |options, value| switch(&mut options.overwrite, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let (from, to) = (place(&engine, &call.operands[0])?, place(&engine, &call.operands[1])?);
    match (&from, &to) {
        (Place::Archive, Place::Archive) => return Err(call.usage("one of the two must be a path in a container")),
        (Place::Host(_) | Place::Archive, Place::Host(_) | Place::Archive) => {
            return Err(call.usage("one of the two must be in a container: CONTAINER:PATH"));
        }
        (_, Place::Archive) if std::io::stdout().is_terminal() => {
            return Err(call.usage("refusing to write an archive to a terminal"));
        }
        _ => {}
    }
    let owners = if options.archive { Owners::OfTarget } else { Owners::OfSource };
    let clash = if options.overwrite { Clash::Overwrite } else { Clash::Refuse };
    engine.copy(&from, &to, owners, clash)?;
    Ok(ExitCode::SUCCESS)
}

/// `-`, `CONTAINER:PATH`, or a path; one with a colon in it is a path where it begins with `/` or `.`.
fn place(engine: &Engine, text: &str) -> Result<Place> {
    if text == "-" {
        return Ok(Place::Archive);
    }
    let split = text.split_once(':').filter(|_| !text.starts_with(['/', '.']));
    let Some((name, path)) = split else { return Ok(Place::Host(text.to_owned())) };
    if path.is_empty() {
        return Err(CliError::Plain(format!("{text:?}: the path in the container is missing")));
    }
    match engine.container(name) {
        Ok(container) => Ok(Place::Container(Box::new(container), path.to_owned())),
        Err(error) if matches!(error.kind, Kind::NoSuchContainer(_)) => Err(CliError::Invalid {
            message: format!("container {name:?} does not exist"),
            hint: Some("`lodger ps --all` lists the containers there are".to_owned()),
        }),
        Err(error) => Err(error.into()),
    }
}
