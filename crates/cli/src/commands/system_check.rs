//! `lodger system check`: damage, found and mended.

use crate::command::{Command, Count, Invocation, Opt, Unsupported, flags_of, switch};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::{self, Keep, escape};
use engine::system::{Depth, Finding, Repair, damage};
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["system check"],
    summary: "Check storage consistency",
    about: "Reads every record, config, manifest and layer, and compares each with its digest. With --repair what is damaged is fetched again from the registry it came from, by digest. Containers may run meanwhile.\n\nExits with 125 when damage remains.",
    examples: &["lodger system check", "lodger system check --repair", "lodger system check --quick"],
    count: Count::None,
    flags: || flags_of(OPTIONS),
    unsupported: &[
        Unsupported::switch("force", "a damaged container is removed by name: `lodger rm NAME`").short('f'),
        Unsupported::with_value(
            "max",
            "layers that nothing needs are collected by the next command that removes something",
        )
        .short('m'),
    ],
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    quick: bool,
    repair: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("quick", "Only see that everything is there; read no layers").short('q'),
        set: |options, value| switch(&mut options.quick, value),
    },
    Opt {
        flag: Flag::switch("repair", "Fetch again what is damaged").short('r'),
        set: |options, value| switch(&mut options.repair, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let depth = if options.quick { Depth::Quick } else { Depth::Full };
    let repair = if options.repair { Repair::Yes } else { Repair::No };
    let engine = call.engine()?;
    let found = engine.check(depth, repair)?;
    engine.tidy();
    output::print(&found.iter().map(told).collect::<String>())?;
    match found.iter().filter(|one| one.remains()).count() {
        0 => Ok(ExitCode::SUCCESS),
        count => Err(damage(count).into()),
    }
}

fn told(one: &Finding) -> String {
    let end = match &one.repaired {
        None => String::new(),
        Some(Ok(())) => "; repaired".to_owned(),
        Some(Err(error)) => format!("; not repaired: {}", error.chain()),
    };
    format!("{}\n", escape(&format!("{}: {}{end}", one.what, one.problem), Keep::Nothing))
}
