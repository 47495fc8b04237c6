//! `lodger images`: which images there are.

use crate::command::{Command, Count, Invocation, Opt, flags_of, push, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::format::{Heading, List, Show, Width, is_json, list};
use crate::view::images::Row;
use crate::{filter, output, selection};
use spec::ParseError;
use spec::options::{Complete, Flag};
use std::cmp::Reverse;
use std::collections::BTreeSet;

pub(crate) const COMMAND: Command = Command {
    paths: &["images", "image ls", "image list"],
    operands: "[IMAGE]",
    summary: "List images in local storage",
    about: "Lists the images in local storage, each under every name it has.",
    examples: &[
        "lodger images",
        "lodger images --sort repository --format \"table {{.ID}} {{.Repository}} {{.Tag}}\"",
        "lodger images --filter dangling=true",
    ],
    count: Count::AtMost(1),
    complete: &[Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    digests: bool,
    filters: Vec<String>,
    format: Option<String>,
    history: bool,
    no_trunc: bool,
    noheading: bool,
    quiet: bool,
    sort: Sort,
}

#[derive(Clone, Copy, Default)]
enum Sort {
    #[default]
    Created,
    Id,
    Repository,
    Size,
    Tag,
}

const SORTS: &[&str] = &["created", "id", "repository", "size", "tag"];

impl Sort {
    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(match text {
            "created" => Self::Created,
            "id" => Self::Id,
            "repository" => Self::Repository,
            "size" => Self::Size,
            "tag" => Self::Tag,
            _ => return Err(ParseError(format!("choose from {}", SORTS.join(", ")))),
        })
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all", "Accepted for compatibility; there are no intermediate images").short('a'),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::switch("digests", "Show the digests of the manifests"),
        set: |options, value| switch(&mut options.digests, value),
    },
    Opt {
        flag: Flag::with_value("filter", "strings", "Only images that match, such as reference=, label= or dangling=")
            .short('f'),
        set: |options, value| value.split(',').try_for_each(|one| push(&mut options.filters, one)),
    },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("history", "Show every name of an image beside each"),
        set: |options, value| switch(&mut options.history, value),
    },
    Opt {
        flag: Flag::switch("no-trunc", "Show IDs whole"),
        set: |options, value| switch(&mut options.no_trunc, value),
    },
    Opt {
        flag: Flag::switch("noheading", "Leave out the headings").short('n'),
        set: |options, value| switch(&mut options.noheading, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Show IDs alone").short('q'),
        set: |options, value| switch(&mut options.quiet, value),
    },
    Opt {
        flag: Flag::with_value("sort", "string", "Sort by created, id, repository, size or tag")
            .complete(Complete::Words(SORTS)),
        set: |options, value| {
            options.sort = Sort::parse(value)?;
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    if let Some(name) = call.operands.first() {
        if !options.filters.is_empty() {
            return Err(call.usage("cannot specify an image and a filter(s)"));
        }
        options.filters.push(format!("reference={name}"));
    }
    let engine = call.engine()?;
    let images = filter::images::apply(&options.filters, engine.images(&mut selection::warn)?, &engine)?;
    let mut rows = Vec::new();
    for image in &images {
        rows.extend(Row::of(image, &engine)?);
    }
    sort_rows(&mut rows, options.sort);
    output::print(&shown(&mut rows, &options)?)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(rows: &mut Vec<Row>, options: &Options) -> Result<String> {
    let show = Show { width: if options.no_trunc { Width::Full } else { Width::Short }, ..Show::now() };
    let mut seen = BTreeSet::new();
    // `{{json .}}` is a template here, as in podman.
    if options.format.as_deref().is_some_and(|format| format.trim() == "json") {
        // Each image once, with all its names.
        rows.retain(|row| seen.insert(row.id.clone()));
        return json::text(rows, Style::IMAGES);
    }
    if options.quiet {
        let ids = rows.iter().map(|row| row.shown_id(show)).filter(|id| seen.insert(id.clone()));
        return Ok(ids.map(|id| id + "\n").collect());
    }
    let mut columns = vec!["{{.Repository}}", "{{.Tag}}"];
    columns.extend(options.digests.then_some("{{.Digest}}"));
    columns.extend(["{{.ID}}", "{{.Created}}", "{{.Size}}"]);
    columns.extend(options.history.then_some("{{.History}}"));
    let format = options.format.as_deref().map(|format| if is_json(format) { "{{. | json}}" } else { format });
    let spec = List {
        name: "images",
        format,
        row: &columns.join("\t"),
        heading: if options.noheading { Heading::Hidden } else { Heading::Shown },
        json: Style::IMAGES,
        show,
    };
    list(rows, &spec)
}

fn sort_rows(rows: &mut [Row], sort: Sort) {
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    match sort {
        Sort::Created => rows.sort_by_key(|row| Reverse(row.created)),
        Sort::Id => rows.sort_by(|a, b| a.id.cmp(&b.id)),
        Sort::Repository => rows.sort_by(|a, b| a.name.0.cmp(&b.name.0)),
        Sort::Size => rows.sort_by_key(|row| row.size),
        Sort::Tag => rows.sort_by(|a, b| a.name.1.cmp(&b.name.1)),
    }
}
