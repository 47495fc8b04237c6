//! `lodger volume prune`: volumes that no container uses.

use crate::command::{Command, Count, Invocation, Opt, flags_of, push, switch};
use crate::confirm::{self, Answer};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::{filter, output, selection};
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume prune"],
    summary: "Remove all unused volumes",
    about: "Removes all volumes that no container uses, with their data. Lists them and asks first, unless --force is given.",
    examples: &[
        "lodger volume prune",
        "lodger volume prune --force --filter label=scratch",
        "lodger volume prune --filter anonymous=true",
    ],
    count: Count::None,
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    filters: Vec<String>,
    force: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value(
            "filter",
            "stringArray",
            "Only volumes that match, such as label=, until= or anonymous=",
        ),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::switch("force", "Do not ask").short('f'),
        set: |options, value| switch(&mut options.force, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let all = engine.volumes(&mut selection::warn)?;
    let mut filters = options.filters;
    filters.push("dangling=true".to_owned());
    let unused = filter::volumes::apply(&filters, all, &engine)?;
    if !options.force {
        let mut warning = "WARNING! This will remove all volumes not used by at least one container.".to_owned();
        if unused.is_empty() {
            output::print(&format!("{warning} There are none.\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        warning.push_str(" The following volumes will be removed:\n");
        unused.iter().for_each(|volume| warning.push_str(&format!("{}\n", volume.name)));
        if confirm::ask(&warning)? == Answer::No {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let mut gone = String::new();
    engine.prune_volumes(&unused, &mut |name| gone.push_str(&format!("{name}\n")))?;
    output::print(&gone)?;
    Ok(ExitCode::SUCCESS)
}
