//! `lodger diff`: what has changed in a container's or an image's files; and what its two narrower forms share with it.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::output::{self, Keep};
use crate::selection::LATEST;
use engine::containers::{Change, ChangeKind, Tree};
use engine::{Engine, Kind};
use serde::Serialize;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["diff"],
    operands: "{CONTAINER|IMAGE} [{CONTAINER|IMAGE}]",
    summary: "Display the changes to the object's file system",
    about: "Tells what a container has changed of its image's files, or what the topmost layer of an image has changed of those below; with a second name, how the first differs from that. A is added, C changed, D deleted. Volumes and other mounts are no part of it.",
    examples: &["lodger diff web", "lodger diff --format json web", "lodger diff web docker.io/library/nginx"],
    count: Count::AtMost(2),
    complete: &[Complete::Containers, Complete::Images],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    format: Option<String>,
    latest: bool,
}

/// `--format` of all three.
pub(crate) const FORMAT: Flag =
    Flag::with_value("format", "string", "Change the output format (json)").complete(Complete::Words(&["json"]));

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: FORMAT, set: |options, value| text(&mut options.format, value) },
    Opt { flag: LATEST, set: |options, value| switch(&mut options.latest, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let style = Output::parse(options.format.as_deref())?;
    let engine = call.engine()?;
    let mut trees = subjects(&call, &engine, options.latest, |engine, name| match engine.container(name) {
        Ok(container) => Ok(Tree::Container(Box::new(container))),
        Err(error) if matches!(error.kind, Kind::NoSuchContainer(_)) => image(engine, name, "layer not known"),
        Err(error) => Err(error.into()),
    })?
    .into_iter();
    show(&engine, &mut trees, style)
}

/// How changes are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output {
    Lines,
    Json,
}

impl Output {
    /// `--format`
    pub(crate) fn parse(format: Option<&str>) -> Result<Self> {
        match format {
            None | Some("") => Ok(Self::Lines),
            Some("json") => Ok(Self::Json),
            Some(_) => Err(CliError::Invalid {
                message: "only supported value for '--format' is 'json'".to_owned(),
                hint: None,
            }),
        }
    }
}

/// What is compared: the newest container, or what bears the names.
pub(crate) fn subjects(
    call: &Invocation,
    engine: &Engine,
    latest: bool,
    find: impl Fn(&Engine, &str) -> Result<Tree>,
) -> Result<Vec<Tree>> {
    let mut trees = Vec::new();
    if latest {
        if !call.operands.is_empty() {
            return Err(call.usage("--latest and containers cannot be used together"));
        }
        trees.push(Tree::Container(Box::new(engine.latest()?)));
    } else if call.operands.is_empty() {
        return Err(call.usage(format!("\"lodger {}\" requires a name, id, or the \"--latest\" flag", call.path)));
    }
    for name in &call.operands {
        trees.push(find(engine, name)?);
    }
    Ok(trees)
}

/// An image by name, with podman's words where there is none.
pub(crate) fn image(engine: &Engine, name: &str, words: &str) -> Result<Tree> {
    match engine.image(name) {
        Ok(image) => Ok(Tree::Image(Box::new(image))),
        Err(error) if matches!(error.kind, Kind::NoSuchImage(_)) => {
            let hint = "`lodger ps --all` lists containers, `lodger images` images".to_owned();
            Err(CliError::Invalid { message: format!("{name} not found: {words}"), hint: Some(hint) })
        }
        Err(error) => Err(error.into()),
    }
}

/// Compares the first with the second, or with what lies below it.
pub(crate) fn show(engine: &Engine, trees: &mut dyn Iterator<Item = Tree>, style: Output) -> Result<ExitCode> {
    let (Some(newer), older) = (trees.next(), trees.next()) else { return Ok(ExitCode::SUCCESS) };
    let changes = engine.diff(&newer, older.as_ref())?;
    match style {
        Output::Lines => output::print(&changes.iter().map(line).collect::<String>())?,
        Output::Json => output::print(&json::text(&Document::of(&changes), Style::INSPECT)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn line(change: &Change) -> String {
    let letter = match change.kind {
        ChangeKind::Changed => 'C',
        ChangeKind::Added => 'A',
        ChangeKind::Deleted => 'D',
    };
    format!("{letter} {}\n", output::escape(&String::from_utf8_lossy(&change.path), Keep::Nothing))
}

/// podman's document.
#[derive(Default, Serialize)]
struct Document {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<String>,
}

impl Document {
    fn of(changes: &[Change]) -> Self {
        let mut document = Self::default();
        for change in changes {
            let list = match change.kind {
                ChangeKind::Changed => &mut document.changed,
                ChangeKind::Added => &mut document.added,
                ChangeKind::Deleted => &mut document.deleted,
            };
            list.push(String::from_utf8_lossy(&change.path).into_owned());
        }
        document
    }
}
