//! `lodger image prune`: images that nothing uses.

use crate::command::{Command, Count, Invocation, Opt, flags_of, push, switch};
use crate::confirm::{self, Answer};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::filter::images::Pruned;
use crate::output;
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["image prune"],
    summary: "Remove unused images",
    about: "Removes the images that no container uses and that have no name; with --all those with a name too. Asks first, unless --force is given.",
    examples: &["lodger image prune", "lodger image prune --all --force --filter until=240h"],
    count: Count::None,
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    force: bool,
    filters: Vec<String>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all", "Also images that have a name").short('a'),
        set: |options, value| switch(&mut options.all, value),
    },
    Opt { flag: Flag::switch("build-cache", "Accepted for compatibility; no build cache is kept"), set: |_, _| Ok(()) },
    Opt {
        flag: Flag::switch("external", "Accepted for compatibility; no other program's containers use these images"),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::with_value("filter", "stringArray", "Only images that match, such as label= or until="),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::switch("force", "Do not ask").short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let pruned = Pruned::parse(&options.filters, options.all)?;
    if !options.force && confirm::ask(warning(options.all))? == Answer::No {
        return Ok(ExitCode::SUCCESS);
    }
    let engine = call.engine()?;
    let mut gone = Vec::new();
    engine.prune_images(&|image| pruned.takes(image, &engine), &mut |id| gone.push(id.hex()))?;
    engine.tidy();
    output::print(&gone.into_iter().map(|id| id + "\n").collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}

fn warning(all: bool) -> &'static str {
    match all {
        true => "WARNING! This command removes all images without at least one container associated with them.\n",
        false => "WARNING! This command removes all dangling images.\n",
    }
}
