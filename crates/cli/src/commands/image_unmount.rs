//! `lodger image unmount`: takes an image's files away from where `image mount` put them.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::commands::image_mount::ALL;
use crate::commands::unmount::FORCE;
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use crate::selection::warn;
use engine::containers::Unmount;
use spec::options::Complete;

pub(crate) const COMMAND: Command = Command {
    paths: &["image unmount", "image umount"],
    operands: "IMAGE [IMAGE...]",
    summary: "Unmount an image's root filesystem",
    about: "Undoes `lodger image mount`, as many times as that was called; --force undoes all of it at once. An image that is not mounted is no error.",
    examples: &["lodger image unmount localhost/web", "lodger image unmount --all"],
    count: Count::Any,
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    force: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: ALL, set: |options, value| switch(&mut options.all, value) },
    Opt { flag: FORCE, set: |options, value| switch(&mut options.force, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    match (options.all, call.operands.is_empty()) {
        (true, false) => {
            return Err(call.usage("when using the --all switch, you may not pass any images names or IDs"));
        }
        (false, true) => return Err(call.usage("image name or ID must be specified")),
        _ => {}
    }
    let engine = call.engine()?;
    let chosen = match options.all {
        true => engine.images(&mut warn)?,
        false => call.operands.iter().map(|name| engine.image(name)).collect::<engine::Result<Vec<_>>>()?,
    };
    let how = if options.force || options.all { Unmount::Whole } else { Unmount::Once };
    for image in chosen {
        if engine.unmount_image(&image.id, how)? {
            output::print_line(&image.id.hex())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
