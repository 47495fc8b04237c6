//! `lodger import`: a root file system as an image.

use crate::command::{Command, Count, Invocation, Opt, flags_of, push, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::view::version::go_arch;
use engine::images::{ImportSource, NewImport};
use spec::Platform;
use spec::options::{Complete, Flag};
use std::io::{self, IsTerminal};
use std::path::Path;

pub(crate) const COMMAND: Command = Command {
    paths: &["import", "image import"],
    operands: "PATH|URL|- [REFERENCE]",
    summary: "Import a tarball to create a filesystem image",
    about: "Makes an image of one layer from a tar, plain or compressed with gzip or zstd: a file, standard input or what a web server has. Prints the image's ID.",
    examples: &[
        "lodger import --change 'CMD [\"/bin/sh\"]' rootfs.tar localhost/base",
        "ssh other podman export web | lodger import - localhost/web",
    ],
    count: Count::Any,
    complete: &[Complete::File, Complete::Nothing],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    arch: Option<String>,
    changes: Vec<String>,
    message: Option<String>,
    os: Option<String>,
    variant: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("arch", "string", "The image's architecture (default this machine's)"),
        set: |options, value| text(&mut options.arch, value),
    },
    Opt {
        flag: Flag::with_value(
            "change",
            "stringArray",
            "Change the config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR",
        )
        .short('c'),
        set: |options, value| push(&mut options.changes, value),
    },
    Opt {
        flag: Flag::with_value("message", "string", "What the history says of it").short('m'),
        set: |options, value| text(&mut options.message, value),
    },
    Opt {
        flag: Flag::with_value("os", "string", "The image's operating system (default linux)"),
        set: |options, value| text(&mut options.os, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Accepted for compatibility; no progress is shown").short('q'),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::with_value("variant", "string", "The image's variant of the architecture"),
        set: |options, value| text(&mut options.variant, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let (source, name) = match call.operands.as_slice() {
        [] => {
            return Err(call.usage("need to give the path to the tarball, or must specify a tarball of '-' for stdin"));
        }
        [source] => (source.as_str(), None),
        [source, name] => (source.as_str(), Some(name.clone())),
        _ => return Err(call.usage("too many arguments. Usage TARBALL [REFERENCE]")),
    };
    let source = source_of(&call, source)?;
    let new = NewImport {
        name,
        changes: options.changes.clone(),
        message: options.message.clone(),
        platform: platform(&options).map_err(|error| call.usage(error.to_string()))?,
    };
    let engine = call.engine()?;
    let image = engine.import(source, &new)?;
    engine.tidy();
    output::print_line(&image.id.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn source_of<'a>(call: &Invocation, text: &'a str) -> Result<ImportSource<'a>> {
    Ok(match text {
        "-" if io::stdin().is_terminal() => {
            return Err(CliError::Usage {
                message: "cannot read from terminal".to_owned(),
                hint: Some("redirect the standard input, or name a file".to_owned()),
                path: call.path.clone(),
            });
        }
        "-" => ImportSource::Stdin,
        url if url.starts_with("http://") || url.starts_with("https://") => ImportSource::Url(url),
        path => ImportSource::File(Path::new(path)),
    })
}

fn platform(options: &Options) -> Result<Option<Platform>, spec::ParseError> {
    if options.os.is_none() && options.arch.is_none() && options.variant.is_none() {
        return Ok(None);
    }
    let os = options.os.as_deref().unwrap_or("linux");
    let arch = options.arch.as_deref().unwrap_or(go_arch());
    let variant = options.variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    Platform::parse(&format!("{os}/{arch}{variant}")).map(Some)
}
