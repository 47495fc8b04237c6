//! `lodger history`: the steps an image was made by.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::format::{Heading, List, Show, Width, is_json, list};
use crate::output;
use crate::view::history::{Row, Words};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["history", "image history"],
    operands: "IMAGE",
    summary: "Show history of a specified image",
    about: "Shows the steps an image was made by, the latest first, with the size of the layer that each has made.",
    examples: &["lodger history docker.io/library/nginx", "lodger history --no-trunc --format '{{.CreatedBy}}' web"],
    count: Count::Exactly(1),
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

struct Options {
    format: Option<String>,
    human: bool,
    no_trunc: bool,
    quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { format: None, human: true, no_trunc: false, quiet: false }
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("human", "Show ages instead of moments (default true)").short('H'),
        set: |options, value| switch(&mut options.human, value),
    },
    Opt {
        flag: Flag::switch("no-trunc", "Show IDs and commands whole"),
        set: |options, value| switch(&mut options.no_trunc, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Show IDs alone").short('q'),
        set: |options, value| switch(&mut options.quiet, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let image = engine.image(&call.operands[0])?;
    let words = if options.human { Words::Ages } else { Words::Moments };
    let steps = engine.image_history(&image)?;
    let rows: Vec<Row> = steps.into_iter().map(|step| Row::of(step, words)).collect();
    output::print(&shown(&rows, &options)?)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(rows: &[Row], options: &Options) -> Result<String> {
    let show = Show { width: if options.no_trunc { Width::Full } else { Width::Short }, ..Show::now() };
    if options.format.as_deref().is_some_and(is_json) {
        return json::text(rows, Style::INLINE).map(|text| text + "\n");
    }
    if options.quiet {
        return Ok(rows.iter().map(|row| row.shown_id(show) + "\n").collect());
    }
    let spec = List {
        name: "history",
        format: options.format.as_deref(),
        row: "{{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
        heading: Heading::Shown,
        json: Style::INLINE,
        show,
    };
    list(rows, &spec)
}
