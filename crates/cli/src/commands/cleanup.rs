//! `lodger container cleanup`: what the unit of a container runs after its end, and what a user may run after it.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, switch};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::selection::{self, Selection, each};
use engine::Engine;
use engine::containers::{Force, Listed, Volumes};
use engine::images::Removal;
use engine::launch::Next;
use spec::options::{Complete, Flag};

/// Asks the supervisor for another start (EX_TEMPFAIL of sysexits.h).
const RESTART: u8 = 75;

pub(crate) const COMMAND: Command = Command {
    paths: &["container cleanup"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Clean up what containers that have ended left",
    about: "Notes how containers ended and lets their helpers go. Units and the supervisor run it after each end, so it is rarely needed; containers that run are left alone.",
    examples: &["lodger container cleanup web", "lodger container cleanup --all --rm"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    unsupported: &[Unsupported::with_value("exec", "nothing is kept of a command")],
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    selection: Selection,
    remove: bool,
    remove_image: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: selection::ALL, set: |options, value| options.selection.set(&selection::ALL, value) },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
    Opt {
        flag: Flag::switch("rm", "Remove the containers then"),
        set: |options, value| switch(&mut options.remove, value),
    },
    Opt {
        flag: Flag::switch("rmi", "Remove their images then, unless they are in use"),
        set: |options, value| switch(&mut options.remove_image, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    if let ([id], true) = (call.operands.as_slice(), by_unit()) {
        return at_the_end(&engine, id);
    }
    options.selection.ignore_missing();
    let chosen = options.selection.containers(&call, &engine, Listed::All)?;
    each(chosen, |container| {
        if container.running.is_none() {
            engine.clean_up(container)?;
        }
        if options.remove {
            engine.remove(container, Force::No, Volumes::Keep)?;
        }
        if let (true, Some(image)) = (options.remove_image, &container.record.image) {
            engine.remove_image(&image.name, Removal::Careful)?;
        }
        Ok(())
    })
}

/// Called by a unit (systemd.exec(5)) or by lodger's supervisor.
fn by_unit() -> bool {
    ["MAINPID", "SERVICE_RESULT", "LODGER_SUPERVISOR_FD"].iter().any(|name| std::env::var_os(name).is_some())
}

fn at_the_end(engine: &Engine, id: &str) -> Result<ExitCode> {
    Ok(match engine.cleanup(id)? {
        Next::End => ExitCode::SUCCESS,
        Next::Restart => ExitCode::from(RESTART),
    })
}
