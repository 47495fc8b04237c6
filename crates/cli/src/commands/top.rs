//! `lodger top`: what runs in a container.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::Result;
use crate::processes::{self, Column};
use crate::{output, selection};
use spec::options::parse::Order;
use spec::options::{Complete, suggest};
use std::process::ExitCode;

pub(crate) const COMMAND: Command = Command {
    paths: &["top", "container top"],
    operands: "CONTAINER [FORMAT-DESCRIPTORS|ARGS...]",
    summary: "Display the running processes of a container",
    about: "Shows the processes of a container that runs, in the columns named, or as the host's ps shows them with the options given.\n\nColumns: args comm etime hpid huser nice pcpu pgid pid ppid state time tty user vsz.",
    examples: &["lodger top web", "lodger top web pid user args", "lodger top web -o pid,rss,comm"],
    order: Order::FlagsFirst,
    count: Count::Any,
    complete: &[Complete::Running, Complete::Nothing],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    latest: bool,
}

const OPTIONS: &[Opt<Options>] =
    &[Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) }];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let (container, words) = match (options.latest, call.operands.split_first()) {
        (true, _) => (engine.latest()?, call.operands.as_slice()),
        (false, Some((name, words))) => (engine.container(name)?, words),
        (false, None) => return Err(call.usage("you must provide the name or id of a running container")),
    };
    // Words with a dash are for ps(1) itself.
    let text = match words.first().is_some_and(|word| word.starts_with('-')) {
        true => output::escape(&engine.top_with_ps(&container, words)?, output::Keep::Lines).into_owned(),
        false => {
            let columns = columns(&call, words)?;
            processes::table(&engine.processes(&container)?, &columns)
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn columns(call: &Invocation, words: &[String]) -> Result<Vec<&'static Column>> {
    if words.is_empty() {
        return Ok(processes::DEFAULT.iter().filter_map(|name| processes::column(name)).collect());
    }
    let names = words.iter().flat_map(|word| word.split(',')).filter(|name| !name.is_empty());
    names
        .map(|name| {
            processes::column(name).ok_or_else(|| {
                let known: Vec<&str> = processes::COLUMNS.iter().map(|column| column.name).collect();
                let mut error = call.usage(format!("unknown descriptor {name:?}: choose from {}", known.join(", ")));
                if let crate::error::CliError::Usage { hint, .. } = &mut error {
                    *hint = suggest(name, known).map(|near| format!("did you mean {near}?"));
                }
                error
            })
        })
        .collect()
}
