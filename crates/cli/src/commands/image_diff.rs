//! `lodger image diff`: what the topmost layer of an image has changed.

use crate::command::{Command, Count, Invocation, Opt, flags_of, text};
use crate::commands::diff::{FORMAT, Output, image, show};
use crate::error::Result;
use crate::exit::ExitCode;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["image diff"],
    operands: "IMAGE [IMAGE]",
    summary: "Inspect changes to the image's file systems",
    about: "Tells what the topmost layer of an image has changed of those below, or how the image differs from another: A is added, C changed, D deleted.",
    examples: &["lodger image diff localhost/web", "lodger image diff localhost/web:2 localhost/web:1"],
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
    let style = Output::parse(options.format.as_deref())?;
    if call.operands.len() > 2 {
        return Err(call.usage(format!("accepts between 1 and 2 arg(s), received {}", call.operands.len())));
    }
    let engine = call.engine()?;
    let name = |name: &String| image(&engine, name, &format!("{name}: image not known"));
    let trees = call.operands.iter().map(name).collect::<Result<Vec<_>>>()?;
    show(&engine, &mut trees.into_iter(), style)
}
