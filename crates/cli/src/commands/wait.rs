//! `lodger wait`: until containers have ended, or are otherwise as asked.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch};
use crate::error::{CliError, OWN, Result};
use crate::exit::ExitCode;
use crate::output;
use crate::selection::{self, Selection, outcome};
use engine::containers::{Condition, Listed, Status};
use engine::{HealthStatus, Kind};
use spec::ParseError;
use spec::duration::Nanoseconds;
use spec::options::{Complete, Flag};
use std::time::Duration;

pub(crate) const COMMAND: Command = Command {
    paths: &["wait", "container wait"],
    operands: "CONTAINER [CONTAINER...]",
    summary: "Block on one or more containers",
    about: "Waits until containers have ended, or are as --condition asks, and prints the exit code of each.",
    examples: &["lodger wait web", "lodger wait --condition running web"],
    count: Count::Any,
    complete: &[Complete::Containers],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

struct Options {
    selection: Selection,
    first: bool,
    ignore: bool,
    conditions: Vec<Condition>,
    interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let interval = Duration::from_millis(250);
        Self { selection: Selection::default(), first: false, ignore: false, conditions: Vec::new(), interval }
    }
}

/// podman's words.
const CONDITIONS: &[(&str, Condition)] = &[
    ("configured", Condition::Is(Status::Created)),
    ("created", Condition::Is(Status::Created)),
    ("exited", Condition::Stopped),
    ("healthy", Condition::Health(HealthStatus::Healthy)),
    ("initialized", Condition::Is(Status::Initialized)),
    ("paused", Condition::Is(Status::Paused)),
    ("removing", Condition::Removing),
    ("running", Condition::Is(Status::Running)),
    ("stopped", Condition::Stopped),
    ("stopping", Condition::Never),
    ("unhealthy", Condition::Health(HealthStatus::Unhealthy)),
    ("unknown", Condition::Never),
];
const WORDS: &[&str] = &[
    "configured",
    "created",
    "exited",
    "healthy",
    "initialized",
    "paused",
    "removing",
    "running",
    "stopped",
    "stopping",
    "unhealthy",
    "unknown",
];

fn condition(text: &str) -> Result<Condition, ParseError> {
    let found = CONDITIONS.iter().find(|(word, _)| *word == text).map(|(_, condition)| *condition);
    found.ok_or_else(|| ParseError(format!("unknown container state: {text}: choose from {}", WORDS.join(", "))))
}

/// Whole milliseconds, or a duration.
fn interval(text: &str) -> Result<Duration, ParseError> {
    match text.parse() {
        Ok(millis) => Ok(Duration::from_millis(millis)),
        Err(_) => Nanoseconds::parse(text).map(|duration| Duration::from_nanos(duration.0)),
    }
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value(
            "condition",
            "strings",
            "Wait for one of these, such as stopped, running, healthy or removing (default stopped)",
        )
        .complete(Complete::Words(WORDS)),
        set: |options, value| {
            for word in value.split(',') {
                options.conditions.push(condition(word)?);
            }
            Ok(())
        },
    },
    Opt {
        flag: Flag::switch("exit-first-match", "Return as soon as one of the containers is as asked"),
        set: |options, value| switch(&mut options.first, value),
    },
    Opt {
        flag: Flag::switch("ignore", "Show -1 for containers that do not exist"),
        set: |options, value| switch(&mut options.ignore, value),
    },
    Opt {
        flag: Flag::with_value(
            "interval",
            "string",
            "How often to look for what the kernel does not tell (default 250ms)",
        )
        .short('i'),
        set: |options, value| {
            options.interval = interval(value)?;
            Ok(())
        },
    },
    Opt { flag: selection::LATEST, set: |options, value| options.selection.set(&selection::LATEST, value) },
];

fn run(mut call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    if options.conditions.is_empty() {
        options.conditions.push(Condition::Stopped);
    }
    let engine = call.engine()?;
    if options.ignore {
        let missing = |name: &String| engine.container(name).is_err_and(|e| matches!(e.kind, Kind::NoSuchContainer(_)));
        let before = call.operands.len();
        call.operands.retain(|name| !missing(name));
        for _ in call.operands.len()..before {
            output::print_line("-1")?;
        }
        if call.operands.is_empty() && before > 0 {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if options.first {
        let chosen = options.selection.containers(&call, &engine, Listed::All)?;
        let containers = chosen.into_iter().map(|one| one.container).collect::<Result<Vec<_>>>()?;
        let code = engine.wait_for_first(&containers, &options.conditions, options.interval)?;
        code.map_or(Ok(()), |code| output::print_line(&code.to_string()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut errors: Vec<CliError> = Vec::new();
    for chosen in options.selection.containers(&call, &engine, Listed::All)? {
        let waited = chosen
            .container
            .and_then(|container| Ok(engine.wait(&container, &options.conditions, options.interval)?));
        match waited {
            Ok(code) => output::print_line(&code.to_string())?,
            Err(error) => errors.push(error),
        }
    }
    outcome(errors, |_| OWN)
}
