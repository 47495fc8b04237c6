//! `lodger stats`: what running containers use.

use crate::command::{Command, Count, Invocation, Opt, flags_of, number, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::format::json::Style;
use crate::format::{Heading, List, Show, Width, list};
use crate::view::stats::Row;
use crate::{output, selection};
use engine::Engine;
use engine::containers::{Container, Listed, Usage};
use spec::options::{Complete, Flag};
use std::collections::HashMap;
use std::time::Duration;

pub(crate) const COMMAND: Command = Command {
    paths: &["stats", "container stats"],
    operands: "[CONTAINER...]",
    summary: "Display what running containers use",
    about: "Shows time of processors, memory, network and disks that containers use, anew every five seconds. What nobody counts, because a controller of control groups is missing, is shown as --.",
    examples: &[
        "lodger stats --no-stream",
        "lodger stats --no-stream --format \"table {{.ID}} {{.Name}} {{.MemUsage}}\" web",
    ],
    count: Count::Any,
    complete: &[Complete::Running],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

struct Options {
    all: bool,
    format: Option<String>,
    interval: u64,
    latest: bool,
    no_reset: bool,
    no_stream: bool,
    no_trunc: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            all: false,
            format: None,
            interval: 5,
            latest: false,
            no_reset: false,
            no_stream: false,
            no_trunc: false,
        }
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all", "Show containers of every state, not only those that run").short('a'),
        set: |options, value| switch(&mut options.all, value),
    },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::with_value("interval", "int", "Seconds between two looks (default 5)").short('i'),
        set: |options, value| {
            options.interval = number(value)?;
            Ok(())
        },
    },
    Opt { flag: selection::LATEST, set: |options, value| switch(&mut options.latest, value) },
    Opt {
        flag: Flag::switch("no-reset", "Leave what was shown on the screen"),
        set: |options, value| switch(&mut options.no_reset, value),
    },
    Opt { flag: Flag::switch("no-stream", "Look once"), set: |options, value| switch(&mut options.no_stream, value) },
    Opt {
        flag: Flag::switch("no-trunc", "Show IDs whole"),
        set: |options, value| switch(&mut options.no_trunc, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let given = [options.all, options.latest, !call.operands.is_empty()].into_iter().filter(|given| *given);
    if given.count() > 1 {
        return Err(call.usage("--all, --latest and containers cannot be used together"));
    }
    let engine = call.engine()?;
    let mut before = HashMap::new();
    loop {
        let containers = chosen(&call, &options, &engine)?;
        let text = shown(&containers, &options, &engine, &mut before)?;
        if options.no_stream {
            output::print(&text)?;
            return Ok(ExitCode::SUCCESS);
        }
        // Cursor home, erase display (ECMA-48).
        let reset = if options.no_reset { "" } else { "\x1b[H\x1b[2J" };
        output::print(&format!("{reset}{text}"))?;
        std::thread::sleep(Duration::from_secs(options.interval.max(1)));
    }
}

fn chosen(call: &Invocation, options: &Options, engine: &Engine) -> Result<Vec<Container>> {
    if options.latest {
        return Ok(vec![engine.latest()?]);
    }
    if !call.operands.is_empty() {
        return call.operands.iter().map(|name| Ok(engine.container(name)?)).collect();
    }
    let listed = if options.all { Listed::All } else { Listed::Running };
    Ok(engine.containers(listed, &mut selection::warn)?)
}

fn shown(
    containers: &[Container],
    options: &Options,
    engine: &Engine,
    before: &mut HashMap<String, Usage>,
) -> Result<String> {
    let show = Show { width: if options.no_trunc { Width::Full } else { Width::Short }, ..Show::now() };
    let mut rows = Vec::new();
    for container in containers {
        let usage = engine.measure(container)?;
        let id = container.record.id.to_string();
        rows.push(Row::of(container, usage.clone(), before.get(&id), show));
        match usage {
            Some(usage) => before.insert(id, usage),
            None => before.remove(&id),
        };
    }
    let spec = List {
        name: "stats",
        format: options.format.as_deref(),
        row: "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}\t{{.UpTime}}\t{{.AvgCPU}}",
        heading: Heading::Shown,
        json: Style::STATS,
        show,
    };
    list(&rows, &spec)
}
