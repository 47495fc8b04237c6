//! `lodger volume ls`: which volumes there are.

use crate::command::{Command, Invocation, Opt, flags_of, push, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::json::Style;
use crate::format::{Heading, List, Show, list};
use crate::view::inspect_volume::Volume;
use crate::{filter, output, selection};
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["volume ls", "volume list"],
    summary: "List volumes",
    about: "Lists the volumes there are.",
    examples: &["lodger volume ls", "lodger volume ls --filter dangling=true --quiet"],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    filters: Vec<String>,
    format: Option<String>,
    noheading: bool,
    quiet: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("filter", "stringArray", "Only volumes that match, such as name=, label= or dangling=")
            .short('f'),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("noheading", "Leave out the headings").short('n'),
        set: |options, value| switch(&mut options.noheading, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Show names alone").short('q'),
        set: |options, value| switch(&mut options.quiet, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.quiet && options.format.is_some() {
        return Err(call.usage("quiet and format flags cannot be used together"));
    }
    let engine = call.engine()?;
    let mut volumes = filter::volumes::apply(&options.filters, engine.volumes(&mut selection::warn)?, &engine)?;
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
    let text = if options.quiet {
        volumes.iter().map(|volume| format!("{}\n", volume.name)).collect()
    } else {
        let rows = volumes.iter().map(|volume| Volume::of(volume, &engine)).collect::<Result<Vec<_>>>()?;
        let spec = List {
            name: "volume ls",
            format: options.format.as_deref(),
            row: "{{.Driver}}\t{{.Name}}",
            heading: if options.noheading || rows.is_empty() { Heading::Hidden } else { Heading::Shown },
            json: Style::LIST,
            show: Show::now(),
        };
        list(&rows, &spec)?
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
