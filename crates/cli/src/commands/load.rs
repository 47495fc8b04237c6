//! `lodger load`: images from an archive.

use crate::command::{Command, Count, Invocation, Opt, flags_of, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output::{self, Keep, escape};
use spec::options::{Complete, Flag};
use std::io::{self, IsTerminal};
use std::path::Path;

pub(crate) const COMMAND: Command = Command {
    paths: &["load", "image load"],
    summary: "Load image(s) from a tar archive",
    about: "Loads the images of an archive (docker save, OCI) or of an OCI directory, from a file or from standard input.",
    examples: &["lodger load --input web.tar", "ssh host podman save web | lodger load"],
    count: Count::None,
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    input: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("input", "string", "Read from this file or directory")
            .short('i')
            .complete(Complete::File),
        set: |options, value| text(&mut options.input, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Accepted for compatibility; no progress is shown").short('q'),
        set: |_, _| Ok(()),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.input.is_none() && io::stdin().is_terminal() {
        return Err(CliError::Usage {
            message: "cannot read from terminal".to_owned(),
            hint: Some("use --input FILE, or redirect the standard input".to_owned()),
            path: call.path,
        });
    }
    let engine = call.engine()?;
    let loaded = match &options.input {
        Some(path) => engine.load(Path::new(path))?,
        None => engine.load_stream(io::stdin().lock())?,
    };
    engine.tidy();
    for image in loaded {
        output::print_line(&format!("Loaded image: {}", escape(&image.name, Keep::Nothing)))?;
    }
    Ok(ExitCode::SUCCESS)
}
