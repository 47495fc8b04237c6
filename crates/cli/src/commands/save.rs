//! `lodger save`: images as archives and directories.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use engine::images::{ArchiveFormat, LayerForm, SaveFormat};
use spec::options::{Complete, Flag};
use std::io::{self, BufWriter, IsTerminal};
use std::path::Path;

pub(crate) const COMMAND: Command = Command {
    paths: &["save", "image save"],
    operands: "NAME[:TAG] [NAME[:TAG]...]",
    summary: "Save image(s) to an archive",
    about: "Writes an image to a file, a directory or standard output, in a form that lodger, podman and docker load. Further operands are further names for it, or with --multi-image-archive further images.",
    examples: &[
        "lodger save --output web.tar localhost/web",
        "lodger save localhost/web | ssh other lodger load",
        "lodger save --format oci-dir --output web localhost/web",
    ],
    count: Count::AtLeast(1),
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

const FORMATS: &[&str] = &["oci-dir", "oci-archive", "docker-dir", "docker-archive"];

#[derive(Default)]
struct Options {
    compress: bool,
    format: Option<String>,
    multi: bool,
    output: Option<String>,
    uncompressed: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("compress", "Compress the layers; for docker-dir"),
        set: |options, value| switch(&mut options.compress, value),
    },
    Opt {
        flag: Flag::with_value("format", "string", "docker-archive (the default), oci-archive, docker-dir or oci-dir")
            .complete(Complete::Words(FORMATS)),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("multi-image-archive", "Every operand is an image of its own").short('m'),
        set: |options, value| switch(&mut options.multi, value),
    },
    Opt {
        flag: Flag::with_value("output", "string", "Write to this file or directory (default standard output)")
            .short('o')
            .complete(Complete::File),
        set: |options, value| text(&mut options.output, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Accepted for compatibility; no progress is shown").short('q'),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::switch("uncompressed", "Do not compress the layers; for oci-archive and oci-dir"),
        set: |options, value| switch(&mut options.uncompressed, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let format = format(&call, &options)?;
    let to_terminal = || CliError::Usage {
        message: "refusing to save to terminal".to_owned(),
        hint: Some("use --output FILE, or redirect the standard output".to_owned()),
        path: call.path.clone(),
    };
    if options.output.is_none() && io::stdout().is_terminal() {
        return Err(to_terminal());
    }
    let engine = call.engine()?;
    let mut images = vec![engine.to_save(&call.operands[0])?];
    for name in &call.operands[1..] {
        match options.multi {
            true => images.push(engine.to_save(name)?),
            false => images[0].add_name(name)?,
        }
    }
    match (&options.output, format) {
        (Some(path), format) => engine.save(&images, format, Path::new(path))?,
        (None, SaveFormat::Archive(archive)) => {
            let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
            engine.save_stream(&images, archive, &mut out)?;
        }
        (None, SaveFormat::Directory(_)) => {
            return Err(call.usage("--output is required for a directory"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn format(call: &Invocation, options: &Options) -> Result<SaveFormat> {
    let word = options.format.as_deref().unwrap_or("docker-archive");
    if options.compress && options.uncompressed {
        return Err(call.usage("--compress and --uncompressed cannot be used together"));
    }
    if options.compress && word != "docker-dir" {
        return Err(call.usage("--compress can only be set when --format is 'docker-dir'"));
    }
    let form = match (options.compress, options.uncompressed) {
        (true, _) => Some(LayerForm::Gzip),
        (_, true) => Some(LayerForm::Plain),
        _ => None,
    };
    let format = SaveFormat::parse(word, form)
        .ok_or_else(|| call.usage(format!("format value must be one of {}", FORMATS.join(" "))))?;
    if options.multi && format != SaveFormat::Archive(ArchiveFormat::Docker) {
        return Err(call.usage("--multi-image-archive is supported for docker-archive alone"));
    }
    Ok(format)
}
