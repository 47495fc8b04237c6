//! `lodger unmount`: takes a container's files away from where `mount` put them.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Selection, each};
use engine::containers::{Listed, Unmount};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["unmount", "umount", "container unmount", "container umount"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Unmount working container's root filesystem",
    about: "Undoes `lodger mount`, as many times as that was called; --force undoes all of it at once. A container that is not mounted is no error.",
    examples: &["lodger unmount web", "lodger unmount --all"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    selection: Selection,
    force: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL, set: |options, value| options.selection.set(&selection::ALL, value) },
    Opt { flag: FORCE, set: |options, value| switch(&mut options.force, value) },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
];

/// `--force`
pub(crate) const FORCE: Flag = Flag::switch("force", "Undo every mount at once").short('f');

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let all = options.selection.all();
    let mut chosen = options.selection.containers(&call, &engine, Listed::All)?;
    if all {
        chosen.retain(|one| one.container.as_ref().is_ok_and(|one| engine.mounted(one).is_some()));
    }
    let how = if options.force || all { Unmount::Whole } else { Unmount::Once };
    each(chosen, |container| {
        engine.unmount(container, how)?;
        Ok(())
    })
}
