//! `lodger image inspect`: everything about images.

use crate::command::{Command, Count, Invocation, Opt, flags_of, text};
use crate::commands::inspect::FORMAT;
use crate::error::{CliError, OWN, Result};
use crate::exit::ExitCode;
use crate::format::{Show, documents};
use crate::output;
use crate::selection::outcome;
use crate::view::inspect_image::Image;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["image inspect"],
    operands: "IMAGE [IMAGE...]",
    summary: "Display the configuration of an image",
    about: "Shows everything about images as JSON, or what a Go template asks for.",
    examples: &[
        "lodger image inspect docker.io/library/alpine",
        "lodger image inspect --format '{{.Id}}' 0123456789ab",
    ],
    count: Count::AtLeast(1),
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    format: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[Opt { flag: FORMAT, set: |options, value| text(&mut options.format, value) }];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let mut errors: Vec<CliError> = Vec::new();
    let mut rows = Vec::new();
    for name in &call.operands {
        match engine.image(name) {
            Ok(image) => rows.push(Image::of(&image, &engine)?),
            Err(error) => errors.push(error.into()),
        }
    }
    output::print(&documents(&rows, "image inspect", options.format.as_deref(), Show::now())?)?;
    outcome(errors, |_| OWN)
}
