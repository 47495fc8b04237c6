//! `lodger top`: what runs in a container.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::processes::{self, Column};
use crate::{output, selection};
use spec::options::parse::Order;
use spec::options::{Complete, suggest};

pub(crate) const COMMAND: Command = Command {
    paths: &["top", "container top"],
    operands: "CONTAINER [FORMAT-DESCRIPTORS|ARGS...]",
    summary: "Display the running processes of a container",
    about: "Shows the processes of a container that runs, in the columns named, or as the host's ps shows them with the options given.\n\nColumns: args capamb capbnd capeff capinh capprm comm etime group groups hgroup hgroups hpid huser label nice pcpu pgid pid ppid rgroup rss ruser seccomp state stime time tty user vsz.",
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
    let text = match columns(&call, words)? {
        None => output::escape(&engine.top_with_ps(&container, words)?, output::Keep::Lines).into_owned(),
        Some(columns) => {
            let pids = engine.processes(&container)?;
            processes::table(&pids, &engine.accounts(&container)?, &columns)
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// `None`: words that are for ps(1) itself, as are all that name no column and resemble none.
fn columns(call: &Invocation, words: &[String]) -> Result<Option<Vec<&'static Column>>> {
    if words.is_empty() {
        return Ok(Some(processes::DEFAULT.iter().filter_map(|name| processes::column(name)).collect()));
    }
    if words[0].starts_with('-') {
        return Ok(None);
    }
    let mut columns = Vec::new();
    for name in words.iter().flat_map(|word| word.split(',')).filter(|name| !name.is_empty()) {
        if let Some(column) = processes::column(name) {
            columns.push(column);
            continue;
        }
        let Some(near) = suggest(name, processes::COLUMNS.iter().map(|column| column.name)) else { return Ok(None) };
        return Err(CliError::Usage {
            message: format!("unknown descriptor {name:?}"),
            hint: Some(format!("did you mean {near}?")),
            path: call.path.clone(),
        });
    }
    Ok(Some(columns))
}
