//! `lodger ps`: which containers there are.

use crate::command::{Command, Invocation, Opt, flags_of, number, push, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::filter::containers::Filters;
use crate::format::json::Style;
use crate::format::{Heading, List, Show, Width, list};
use crate::view::ps::Row;
use crate::{output, selection};
use engine::Engine;
use engine::containers::Listed;
use spec::ParseError;
use spec::options::{Complete, Flag};
use std::time::Duration;

pub(crate) const COMMAND: Command = Command {
    paths: &["ps", "container ps", "container ls", "container list"],
    summary: "List containers",
    about: "Lists the containers that run, or with --all every container.",
    examples: &[
        "lodger ps --all",
        "lodger ps --format \"table {{.ID}} {{.Names}} {{.Status}}\"",
        "lodger ps --filter label=app=web --sort names",
    ],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    filters: Vec<String>,
    format: Option<String>,
    last: Option<usize>,
    latest: bool,
    namespaces: bool,
    no_trunc: bool,
    noheading: bool,
    pod: bool,
    quiet: bool,
    size: bool,
    sort: Option<Sort>,
    watch: Option<u64>,
}

#[derive(Clone, Copy)]
enum Sort {
    Command,
    Created,
    Id,
    Image,
    Names,
    RunningFor,
    Size,
    Status,
}

const SORTS: &[&str] = &["command", "created", "id", "image", "names", "runningfor", "size", "status"];

impl Sort {
    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(match text {
            "command" => Self::Command,
            "created" => Self::Created,
            "id" => Self::Id,
            "image" => Self::Image,
            "names" => Self::Names,
            "runningfor" => Self::RunningFor,
            "size" => Self::Size,
            "status" => Self::Status,
            _ => return Err(ParseError(format!("choose from {}", SORTS.join(", ")))),
        })
    }
}

/// `--namespace`, `--ns`
const NAMESPACE: Flag = {
    let mut flag = Flag::switch("namespace", "Show the numbers of each container's namespaces");
    flag.aliases = &["ns"];
    flag
};

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all", "Show containers of every state, not only those that run").short('a'),
        set: |options, value| switch(&mut options.all, value),
    },
    Opt {
        flag: Flag::switch("external", "Accepted for compatibility; no other program keeps containers here"),
        set: |_, _| Ok(()),
    },
    Opt { flag: selection::FILTER, set: |options, value| push(&mut options.filters, value) },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::with_value("last", "int", "The containers made last, so many, of every state").short('n'),
        set: |options, value| {
            options.last = if value == "-1" { None } else { Some(number(value)?) };
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("latest", "The container made last, of every state").short('l'),
        set: |options, value| switch(&mut options.latest, value),
    },
    Opt { flag: NAMESPACE, set: |options, value| switch(&mut options.namespaces, value) },
    Opt {
        flag: Flag::switch("no-trunc", "Show IDs and commands whole"),
        set: |options, value| switch(&mut options.no_trunc, value),
    },
    Opt {
        flag: Flag::switch("noheading", "Leave out the headings"),
        set: |options, value| switch(&mut options.noheading, value),
    },
    Opt {
        flag: Flag::switch("pod", "Show ID and name of each container's pod").short('p'),
        set: |options, value| switch(&mut options.pod, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Show IDs alone").short('q'),
        set: |options, value| switch(&mut options.quiet, value),
    },
    Opt {
        flag: Flag::switch("size", "Show how large each container's files are, and with those of its image").short('s'),
        set: |options, value| switch(&mut options.size, value),
    },
    Opt {
        flag: Flag::with_value(
            "sort",
            "choice",
            "Sort by command, created, id, image, names, runningfor, size or status",
        )
        .complete(Complete::Words(SORTS)),
        set: |options, value| {
            options.sort = Some(Sort::parse(value)?);
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("sync", "Accepted for compatibility; what is shown is always what the kernel says"),
        set: |_, _| Ok(()),
    },
    Opt {
        flag: Flag::with_value("watch", "uint", "Show it anew, at intervals of so many seconds").short('w'),
        set: |options, value| {
            options.watch = Some(number(value)?).filter(|seconds| *seconds > 0);
            Ok(())
        },
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.latest && options.last.is_some() {
        return Err(call.usage("last and latest are mutually exclusive"));
    }
    let engine = call.engine()?;
    let Some(seconds) = options.watch else {
        output::print(&shown(&engine, &options)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    loop {
        let text = shown(&engine, &options)?;
        // Cursor home, erase display (ECMA-48).
        output::print(&format!("\x1b[H\x1b[2J{text}"))?;
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

fn shown(engine: &Engine, options: &Options) -> Result<String> {
    let show = Show { width: if options.no_trunc { Width::Full } else { Width::Short }, ..Show::now() };
    let rows = rows(engine, options, show)?;
    if options.quiet && options.format.is_none() {
        return Ok(rows.iter().map(|row| format!("{}\n", show.id(&row.id))).collect());
    }
    let mut row =
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedHuman}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}".to_owned();
    if options.namespaces {
        row =
            "{{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.Cgroup}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}\t{{.PIDNS}}\t{{.User}}\t{{.UTS}}"
                .to_owned();
    }
    if options.pod {
        row.push_str("\t{{.Pod}}\t{{.PodName}}");
    }
    if options.size {
        row.push_str("\t{{.Size}}");
    }
    let spec = List {
        name: "ps",
        format: options.format.as_deref(),
        row: &row,
        heading: if options.noheading { Heading::Hidden } else { Heading::Shown },
        json: Style::LIST,
        show,
    };
    list(&rows, &spec)
}

fn rows(engine: &Engine, options: &Options, show: Show) -> Result<Vec<Row>> {
    let filters = Filters::parse(&options.filters, engine)?;
    let asked_for = |field: &str| options.format.as_deref().is_some_and(|format| format.contains(field));
    let size = options.size || matches!(options.sort, Some(Sort::Size)) || asked_for(".Size");
    if options.size && options.namespaces {
        return Err(CliError::Invalid {
            message: "--namespace and --size cannot be used together".to_owned(),
            hint: None,
        });
    }
    if size || (options.namespaces && engine.host.rootless()) {
        // Before threads read what there is.
        engine.prepare_to_measure()?;
    }
    let newest = if options.latest { Some(1) } else { options.last };
    let every = options.all || newest.is_some() || filters.asks_for_state();
    let listed = if every { Listed::AllShown } else { Listed::Running };
    let mut found = engine.containers(listed, &mut selection::warn)?;
    if !filters.is_empty() {
        let mut kept = Vec::new();
        for container in found {
            if filters.accept(&container, engine)? {
                kept.push(container);
            }
        }
        found = kept;
    }
    if let Some(newest) = newest {
        found.drain(..found.len().saturating_sub(newest));
    }
    let made = found.iter().map(|container| {
        let mut row = Row::of(container, engine, show.now)?;
        if size {
            row.measure(container, engine)?;
        }
        if options.namespaces {
            row.look_at_namespaces(container, engine);
        }
        Ok(row)
    });
    let mut rows: Vec<Row> = made.filter_map(told).collect();
    if let Some(sort) = options.sort {
        sort_rows(&mut rows, sort);
    }
    Ok(rows)
}

/// A container whose image is damaged does not hide the others.
fn told(row: Result<Row>) -> Option<Row> {
    match row {
        Ok(row) => Some(row),
        Err(CliError::Engine(error)) => {
            selection::warn(error);
            None
        }
        Err(error) => {
            output::warn(&error.to_string());
            None
        }
    }
}

fn sort_rows(rows: &mut [Row], sort: Sort) {
    match sort {
        Sort::Command => rows.sort_by(|a, b| a.command.cmp(&b.command)),
        Sort::Created => rows.sort_by_key(|row| row.created),
        Sort::Id => rows.sort_by(|a, b| a.id.cmp(&b.id)),
        Sort::Image => rows.sort_by(|a, b| a.image.cmp(&b.image)),
        Sort::Names => rows.sort_by(|a, b| a.names.cmp(&b.names)),
        Sort::RunningFor => rows.sort_by_key(|row| row.started_at),
        Sort::Size => rows.sort_by_key(|row| row.size.map_or(0, |size| size.root_fs_size)),
        Sort::Status => rows.sort_by(|a, b| a.state.cmp(&b.state)),
    }
}
