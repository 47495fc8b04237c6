//! `lodger container clone`: a container like another.

use crate::command::{Command, Count, Invocation, Opt as Row, Unsupported, switch, text};
use crate::commands::run::without_secrets;
use crate::commands::update::{LIMITS, rows_of};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::progress::Progress;
use engine::containers::{NewClone, Original, Starter};
use spec::options::{Complete, Flag, Opt};

pub(crate) const COMMAND: Command = Command {
    paths: &["container clone"],
    operands: "CONTAINER [NAME] [IMAGE]",
    summary: "Clone an existing container",
    about: "Makes a container that is told the same as another, but for its name (the other's with -clone behind it, unless one is given) and the limits named here, and prints its ID. Named volumes are shared; files that the other has changed, and its anonymous volumes, are not taken over.",
    examples: &[
        "lodger container clone web web2",
        "lodger container clone --destroy --force --memory 1g --run web web2",
    ],
    count: Count::AtLeast(1),
    complete: &[Complete::Containers, Complete::Nothing, Complete::Images],
    flags: || OPTIONS.iter().map(|row| &row.flag).chain(rows().iter().filter_map(|row| row.flag.as_ref())).collect(),
    unsupported: &[
        Unsupported::with_value("cpu-rt-period", NO_REALTIME),
        Unsupported::with_value("cpu-rt-runtime", NO_REALTIME),
        Unsupported::with_value("memory-swappiness", "the kernel has no such setting in control groups of version 2"),
        Unsupported::with_value(
            "pod",
            "pods are not there yet; --network=container:NAME lets containers share one network",
        ),
    ],
    run,
    ..Command::PLAIN
};

const NO_REALTIME: &str = "the kernel has no such limit in control groups of version 2";

#[derive(Default)]
struct Options {
    destroy: bool,
    force: bool,
    name: Option<String>,
    run: bool,
}

const OPTIONS: &[Row<Options>] = &[
    Row {
        flag: Flag::switch("destroy", "Remove the container that is cloned"),
        set: |options, value| switch(&mut options.destroy, value),
    },
    Row {
        flag: Flag::switch("force", "With --destroy, stop it first").short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
    Row {
        flag: Flag::with_value("name", "string", "The new container's name"),
        set: |options, value| text(&mut options.name, value),
    },
    Row {
        flag: Flag::switch("run", "Start the new container in the background"),
        set: |options, value| switch(&mut options.run, value),
    },
];

fn rows() -> Vec<&'static Opt> {
    let mut rows = rows_of(LIMITS);
    rows.extend(rows_of(&["blkio-weight-device", "device-read-bps", "device-write-bps"]));
    rows
}

fn run(mut call: Invocation) -> Result<ExitCode> {
    let own = OPTIONS.len();
    let (given, limits): (Vec<_>, Vec<_>) = std::mem::take(&mut call.given).into_iter().partition(|(at, _)| *at < own);
    call.given = given;
    let options: Options = call.options(OPTIONS)?;
    if call.operands.len() > 3 {
        return Err(call.usage(format!("accepts between 1 and 3 arg(s), received {}", call.operands.len())));
    }
    if options.force && !options.destroy {
        return Err(call.usage("cannot set --force without --destroy: invalid argument"));
    }
    let engine = call.engine()?;
    let container = engine.container(&call.operands[0])?;
    let mut spec = (*container.record.spec).clone();
    call.given = limits.into_iter().map(|(at, value)| (at - own, value)).collect();
    super::update::apply(&call, &rows(), &mut spec)?;
    let new = NewClone {
        spec,
        // As in podman the operand wins.
        name: call.operands.get(1).cloned().or(options.name),
        image: call.operands.get(2).cloned(),
        original: match (options.destroy, options.force) {
            (false, _) => Original::Stays,
            (true, false) => Original::Goes,
            (true, true) => Original::GoesAnyway,
        },
        command: without_secrets(std::env::args()),
        starter: if options.run { Starter::Detached } else { Starter::Anybody },
    };
    let progress = Progress::new();
    let record = engine.clone_container(&container, new, &|event| progress.event(event))?;
    if options.run {
        let clone = engine.container(record.id.as_str())?;
        engine.start_detached(&clone).map_err(CliError::Start)?;
    }
    engine.tidy();
    output::print_line(record.id.as_str())?;
    Ok(ExitCode::SUCCESS)
}
