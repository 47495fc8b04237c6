//! From the words of the command line to a command that runs.
//!
//! Flags before the command are the global ones; beside the command its own come first, then `--help`, then the global
//! ones again, so that `run -h NAME` is the host name and `ps -h` the help. Nothing is read from disk here.

use crate::command::{Command, Invocation, Visibility};
use crate::commands;
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::global::{self, Global, LogLevel};
use crate::{help, output};
use spec::ContainerSpec;
use spec::options::parse::{Order, Parsed, UsageError, parse};
use spec::options::{self, Flag, suggest};
use std::ffi::OsString;

/// Runs the words after the program's name; reports what fails.
pub(crate) fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    match words_of(words).and_then(run) {
        Ok(code) => code,
        Err(error) => error.report(),
    }
}

fn words_of(words: impl Iterator<Item = OsString>) -> Result<Vec<String>> {
    words
        .map(|word| {
            word.into_string().map_err(|word| CliError::usage(format!("argument {word:?} is not valid UTF-8"), ""))
        })
        .collect()
}

fn run(words: Vec<String>) -> Result<ExitCode> {
    let mut global = Global::default();
    let found = match find(words, &mut global)? {
        Step::Command { command, path, rest } => (command, path, rest),
        Step::Done(code) => return Ok(code),
    };
    let (command, path, rest) = found;
    let own = (command.flags)();
    let flags = flags_beside(command, &own);
    let Read { spec, flags: found, operands } = read(command, &flags, &rest).map_err(|error| usage(&error, &path))?;
    let mut given = Vec::with_capacity(found.len());
    for (index, value) in found {
        match meaning(command, own.len(), index) {
            Meaning::Own => given.push((index, value)),
            Meaning::Help if value == "true" => {
                return output::print(&help::command(command, &path)).map(|()| ExitCode::SUCCESS);
            }
            Meaning::Help => {}
            Meaning::Global(row) => set_global(&mut global, row, &value, &path)?,
            Meaning::Unsupported(unsupported) => return Err(refused(flags[index], unsupported)),
        }
    }
    if global.runroot.is_some() && global.root.is_none() {
        let reason = "run-time state is kept below --root, which alone tells one lodger from another".to_owned();
        return Err(CliError::Unsupported { what: "--runroot without --root".to_owned(), reason, hint: None });
    }
    if global.log_level == LogLevel::Error {
        output::without_warnings();
    }
    command.count.check(&path, operands.len()).map_err(|message| CliError::usage(message, &path))?;
    (command.run)(Invocation { path, global, spec, given, operands })
}

/// What stands after a command.
struct Read {
    /// Of the option table.
    spec: ContainerSpec,
    /// Of the flags beside it.
    flags: Vec<(usize, String)>,
    /// None for a command that has a verb: they are in the spec.
    operands: Vec<String>,
}

fn read(command: &Command, flags: &[&'static Flag], words: &[String]) -> Result<Read, UsageError> {
    Ok(match command.verb {
        Some(verb) => {
            let line = options::read(verb, flags, words)?;
            Read { spec: line.spec, flags: line.further, operands: Vec::new() }
        }
        None => {
            let parsed = parse(flags, words, command.order)?;
            Read { spec: ContainerSpec::default(), flags: parsed.given, operands: parsed.positionals }
        }
    })
}

/// What the words before a command come to.
enum Step {
    /// This command, with the words after it.
    Command { command: &'static Command, path: String, rest: Vec<String> },
    /// All that was asked for has been done.
    Done(ExitCode),
}

/// Reads global flags and the one or two words that name a command.
fn find(words: Vec<String>, global: &mut Global) -> Result<Step> {
    let mut path = String::new();
    let mut rest = words;
    loop {
        let parsed = leading(&rest, &path)?;
        if let Some(code) = obey(&parsed, global, &path)? {
            return Ok(Step::Done(code));
        }
        let mut positionals = parsed.positionals;
        if positionals.is_empty() {
            return Err(CliError::MissingCommand { parent: path });
        }
        let parent = path.clone();
        let word = positionals.remove(0);
        path = if parent.is_empty() { word } else { format!("{parent} {word}") };
        if let Some(command) = commands::find(&path) {
            return Ok(Step::Command { command, path, rest: positionals });
        }
        if !parent.is_empty() || !commands::is_group(&path) {
            return Err(unknown(path, parent));
        }
        rest = positionals;
    }
}

/// The flags that may stand before a command.
fn leading(words: &[String], path: &str) -> Result<Parsed> {
    let mut flags: Vec<&Flag> = global::OPTIONS.iter().map(|row| &row.flag).collect();
    flags.extend([&global::HELP, &global::VERSION]);
    flags.extend(global::UNSUPPORTED.iter().map(|row| &row.flag));
    parse(&flags, words, Order::FlagsFirst).map_err(|error| usage(&error, path))
}

/// Sets the global flags; help and version are done at once.
fn obey(parsed: &Parsed, global: &mut Global, path: &str) -> Result<Option<ExitCode>> {
    let rows = global::OPTIONS.len();
    for (index, value) in &parsed.given {
        let text = match *index {
            index if index < rows => {
                set_global(global, index, value, path)?;
                continue;
            }
            _ if value == "false" => continue,
            index if index == rows => help::group(path),
            index if index == rows + 1 => format!("lodger version {}\n", env!("CARGO_PKG_VERSION")),
            index => {
                let row = &global::UNSUPPORTED[index - rows - 2];
                return Err(refused(&row.flag, row.reason));
            }
        };
        return output::print(&text).map(|()| Some(ExitCode::SUCCESS));
    }
    Ok(None)
}

/// The flags that may stand beside a command; [`meaning`] tells them apart by their place.
pub(crate) fn flags_beside(command: &'static Command, own: &[&'static Flag]) -> Vec<&'static Flag> {
    let others = command.unsupported.len() + 1 + global::OPTIONS.len() + global::UNSUPPORTED.len();
    let mut flags = Vec::with_capacity(own.len() + others);
    flags.extend_from_slice(own);
    flags.extend(command.unsupported.iter().map(|row| &row.flag));
    flags.push(&global::HELP);
    flags.extend(global::OPTIONS.iter().map(|row| &row.flag));
    flags.extend(global::UNSUPPORTED.iter().map(|row| &row.flag));
    flags
}

/// What a flag beside a command is.
enum Meaning {
    /// One of the command's rows.
    Own,
    /// `--help`
    Help,
    /// A row of the global flags.
    Global(usize),
    /// Refused, with the reason.
    Unsupported(&'static str),
}

fn meaning(command: &'static Command, own: usize, index: usize) -> Meaning {
    let Some(index) = index.checked_sub(own) else { return Meaning::Own };
    if let Some(row) = command.unsupported.get(index) {
        return Meaning::Unsupported(row.reason);
    }
    match index - command.unsupported.len() {
        0 => Meaning::Help,
        row if row <= global::OPTIONS.len() => Meaning::Global(row - 1),
        row => Meaning::Unsupported(global::UNSUPPORTED[row - 1 - global::OPTIONS.len()].reason),
    }
}

fn set_global(global: &mut Global, row: usize, value: &str, path: &str) -> Result<()> {
    let row = &global::OPTIONS[row];
    (row.set)(global, value).map_err(|source| usage(&UsageError::bad_value(&row.flag, value, source), path))
}

fn usage(error: &UsageError, path: &str) -> CliError {
    if let UsageError::Unsupported { name, reason, hint } = error {
        let hint = Some((*hint).to_owned());
        return CliError::Unsupported { what: format!("--{name}"), reason: (*reason).to_owned(), hint };
    }
    CliError::Usage { message: error.to_string(), hint: error.hint(), path: path.to_owned() }
}

fn refused(flag: &Flag, reason: &str) -> CliError {
    CliError::Unsupported { what: format!("--{}", flag.long), reason: reason.to_owned(), hint: None }
}

fn unknown(path: String, parent: String) -> CliError {
    if let Some(reason) = commands::unsupported::reason(&path) {
        return CliError::Unsupported { what: format!("`lodger {path}`"), reason: reason.to_owned(), hint: None };
    }
    let shown = commands::all().filter(|command| command.visibility == Visibility::Shown);
    let near = suggest(&path, shown.flat_map(|command| command.paths.iter().copied())).map(str::to_owned);
    CliError::UnknownCommand { path, suggestion: near, parent }
}
