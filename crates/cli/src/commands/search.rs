//! `lodger search`: images that registries have.

use crate::command::{Command, Count, Invocation, Opt, flags_of, number, push, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::format::{Heading, List, Show, Width, is_json, list};
use crate::output;
use crate::remote::{self, Remote};
use crate::view::search::{Row, Tag, Tags};
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["search", "image search"],
    operands: "TERM",
    summary: "Search registry for image",
    about: "Looks for images whose names contain the term, at the registry in front of it or at those of unqualified-search-registries. A registry without a search of its own is asked for the list of its repositories.",
    examples: &["lodger search docker.io/nginx", "lodger search --list-tags quay.io/podman/stable"],
    count: Count::Exactly(1),
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// podman's limit.
const LIMIT: usize = 25;

#[derive(Default)]
struct Options {
    remote: Remote,
    compatible: bool,
    filters: Vec<String>,
    format: Option<String>,
    limit: Option<usize>,
    list_tags: bool,
    no_trunc: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: remote::AUTHFILE, set: |options, value| options.remote.set(&remote::AUTHFILE, value) },
    Opt { flag: remote::CERT_DIR, set: |options, value| options.remote.set(&remote::CERT_DIR, value) },
    Opt {
        flag: Flag::switch("compatible", "Show stars, and whether an image is official or automated"),
        set: |options, value| switch(&mut options.compatible, value),
    },
    Opt { flag: remote::CREDS, set: |options, value| options.remote.set(&remote::CREDS, value) },
    Opt {
        flag: Flag::with_value("filter", "stringArray", "Only images that match: stars=, is-official or is-automated")
            .short('f'),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::with_value("limit", "int", "The most results of each registry (default 25)"),
        set: |options, value| {
            options.limit = Some(number(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("list-tags", "List the tags of the image"),
        set: |options, value| switch(&mut options.list_tags, value),
    },
    Opt {
        flag: Flag::switch("no-trunc", "Show descriptions whole"),
        set: |options, value| switch(&mut options.no_trunc, value),
    },
    Opt { flag: remote::TLS_VERIFY, set: |options, value| options.remote.set(&remote::TLS_VERIFY, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let limit = options.limit.filter(|limit| *limit > 0).unwrap_or(LIMIT);
    let registry = options.remote.options(&call.path)?;
    let remote = (&options.remote.pull, &registry);
    let term = &call.operands[0];
    if options.list_tags {
        if !options.filters.is_empty() {
            return Err(call.usage("filters are not applicable to list tags result"));
        }
        let tags = call.engine()?.tags(term, remote)?;
        if options.format.as_deref().is_some_and(is_json) {
            let all = Tags::of(tags.iter().take(limit).map(String::as_str));
            output::print(&json::text(&all, Style::IMAGES)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Tag> = tags.iter().take(limit).map(|name| Tag::of(name)).collect();
        output::print(&list(&rows, &shown(&options, "{{.Name}}\t{{.Tag}}"))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let filters = options.filters.iter().map(|text| Filter::parse(text, &call)).collect::<Result<Vec<_>>>()?;
    let hits = call.engine()?.search(term, limit, remote)?;
    let rows: Vec<Row> = hits.into_iter().map(|(registry, hit)| Row::of(&registry, hit)).collect();
    let rows: Vec<Row> = rows.into_iter().filter(|row| filters.iter().all(|filter| filter.takes(row))).collect();
    let columns = match options.compatible {
        true => "{{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t{{.Automated}}",
        false => "{{.Name}}\t{{.Description}}",
    };
    output::print(&list(&rows, &shown(&options, columns))?)?;
    Ok(ExitCode::SUCCESS)
}

fn shown<'a>(options: &'a Options, row: &'a str) -> List<'a> {
    let width = if options.no_trunc { Width::Full } else { Width::Short };
    List {
        name: "search",
        format: options.format.as_deref(),
        row,
        heading: Heading::Shown,
        json: Style::IMAGES,
        show: Show { width, ..Show::now() },
    }
}

/// `--filter`
enum Filter {
    Stars(i64),
    Official(bool),
    Automated(bool),
}

impl Filter {
    fn parse(text: &str, call: &Invocation) -> Result<Self> {
        let (key, value) = text.split_once('=').unwrap_or((text, "true"));
        let bad = || {
            call.usage(format!("invalid filter {text:?}: expected stars=NUMBER, is-official=BOOL or is-automated=BOOL"))
        };
        Ok(match key {
            "stars" => Self::Stars(value.parse().map_err(|_| bad())?),
            "is-official" => Self::Official(value.parse().map_err(|_| bad())?),
            "is-automated" => Self::Automated(value.parse().map_err(|_| bad())?),
            _ => return Err(bad()),
        })
    }

    fn takes(&self, row: &Row) -> bool {
        match self {
            Self::Stars(least) => row.stars >= *least,
            Self::Official(wanted) => row.is_official == *wanted,
            Self::Automated(wanted) => row.is_automated == *wanted,
        }
    }
}
