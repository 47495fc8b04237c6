//! `lodger events`: what happened, and what happens.

use crate::command::{Command, Invocation, Opt, flags_of, push, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::filter::events::Filters;
use crate::format::json::{self, Style};
use crate::format::{Show, Width, document, is_json};
use crate::view::event::{Row, line};
use crate::{moment, output};
use engine::events::{Event, Wanted};
use jiff::Timestamp;
use spec::options::Flag;
use std::ops::ControlFlow;

pub(crate) const COMMAND: Command = Command {
    paths: &["events", "system events"],
    summary: "Show what happens to containers, images and volumes",
    about: "Shows events as they happen, or with --since and --until those that have happened. They are kept in the journal, where `journalctl PODMAN_EVENT=died` finds them as well, or in a file where there is no journal that the user can read.",
    examples: &[
        "lodger events",
        "lodger events --since 1h --stream=false --filter event=died",
        "lodger events --format \"{{.Time}} {{.Status}} {{.Name}}\"",
    ],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

struct Options {
    filters: Vec<String>,
    format: Option<String>,
    no_trunc: bool,
    wanted: Wanted,
}

impl Default for Options {
    fn default() -> Self {
        let wanted = Wanted { stream: true, ..Wanted::default() };
        Self { filters: Vec::new(), format: None, no_trunc: true, wanted }
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("filter", "stringArray", "Only events that match, such as event=, container= or type=")
            .short('f'),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("no-trunc", "Show IDs whole (default true)"),
        set: |options, value| switch(&mut options.no_trunc, value),
    },
    Opt {
        flag: Flag::with_value("since", "string", "From this moment on: 10m, 2026-11-22T02:36:48Z"),
        set: |options, value| {
            options.wanted.since = Some(moment::parse(value, Timestamp::now())?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("stream", "Go on with what happens from now on (default true)"),
        set: |options, value| switch(&mut options.wanted.stream, value),
    },
    Opt {
        flag: Flag::with_value("until", "string", "Up to this moment: 2026-11-22T02:36:48Z, or 5m from now"),
        set: |options, value| {
            options.wanted.until = Some(moment::parse_ahead(value, Timestamp::now())?);
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let engine = call.engine()?;
    let filters = Filters::parse(&options.filters, &engine)?;
    let show = Show { width: if options.no_trunc { Width::Full } else { Width::Short }, ..Show::now() };
    let mut failed: Option<CliError> = None;
    engine.events(&options.wanted, &mut |event| {
        if !filters.accept(&event) {
            return ControlFlow::Continue(());
        }
        match shown(&event, options.format.as_deref(), show).and_then(|text| output::print(&text)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

fn shown(event: &Event, format: Option<&str>, show: Show) -> Result<String> {
    match format {
        None => Ok(format!("{}\n", output::escape(&line(event, show.width), output::Keep::Nothing))),
        Some(format) if is_json(format) => Ok(json::text(&Row::of(event, show), Style::INLINE)? + "\n"),
        Some(format) => document(&Row::of(event, show), "events", format, show),
    }
}
