//! Help texts in podman's layout, made from the rows.

use crate::command::{Command, Visibility};
use crate::commands;
use crate::global;
use spec::options::{Flag, Value};
use std::fmt::Write as _;

/// The help of one command, called as `path`.
pub(crate) fn command(command: &Command, path: &str) -> String {
    let mut text = format!("{}\n\nDescription:\n", command.summary);
    for line in command.about.lines() {
        let _ = writeln!(text, "  {line}");
    }
    let _ = write!(text, "\nUsage:\n  {}\n", usage(command, path));
    if command.paths.len() > 1 {
        let calls: Vec<String> = command.paths.iter().map(|path| format!("lodger {path}")).collect();
        let _ = write!(text, "\nAliases:\n  {}\n", calls.join(", "));
    }
    if !command.examples.is_empty() {
        text.push_str("\nExamples:\n");
        for example in command.examples {
            let _ = writeln!(text, "  {example}");
        }
    }
    let mut flags = command.all_flags();
    flags.sort_by_key(|flag| flag.long);
    if !flags.is_empty() {
        let _ = write!(text, "\nOptions:\n{}", options(&flags));
    }
    text
}

/// `lodger run [options] IMAGE [COMMAND [ARG...]]`
pub(crate) fn usage(command: &Command, path: &str) -> String {
    let mut words = vec!["lodger", path];
    if !command.all_flags().is_empty() {
        words.push("[options]");
    }
    words.extend(Some(command.operands).filter(|operands| !operands.is_empty()));
    words.join(" ")
}

/// The help of lodger itself (`""`) or of a group of commands.
pub(crate) fn group(name: &str) -> String {
    let about = commands::GROUPS.iter().find(|(group, _)| *group == name).map(|(_, about)| *about);
    let about = about.unwrap_or("Run containers as systemd services, without root and without a daemon");
    let call = if name.is_empty() { "lodger [options]".to_owned() } else { format!("lodger {name}") };
    let mut text = format!("{about}\n\nUsage:\n  {call} [command]\n\nAvailable Commands:\n");
    let members = members(name);
    let width = members.iter().map(|(word, _)| word.len()).max().unwrap_or_default();
    for (word, summary) in members {
        let _ = writeln!(text, "  {word:width$}  {summary}");
    }
    if name.is_empty() {
        let _ = write!(text, "\nOptions:\n{}", options(&global_flags()));
    }
    text
}

/// The flags that stand before a command.
pub(crate) fn global_flags() -> Vec<&'static Flag> {
    let mut flags: Vec<&Flag> = global::OPTIONS.iter().map(|row| &row.flag).collect();
    flags.extend([&global::HELP, &global::VERSION]);
    flags.sort_by_key(|flag| flag.long);
    flags
}

/// The words that may follow `name`, each with its summary, sorted. Every command once, by its first name there.
pub(crate) fn members(name: &str) -> Vec<(&'static str, &'static str)> {
    let shown = commands::all().filter(|command| command.visibility == Visibility::Shown);
    let mut members: Vec<(&str, &str)> =
        shown.filter_map(|command| Some((word_in(command, name)?, command.summary))).collect();
    if name.is_empty() {
        members.extend(commands::GROUPS.iter().filter(|(group, _)| !self::members(group).is_empty()));
    }
    members.sort_unstable();
    members
}

/// What a command is called in a group: `ls` in `container`.
fn word_in(command: &Command, group: &str) -> Option<&'static str> {
    command.paths.iter().find_map(|path| match path.split_once(' ') {
        Some((first, word)) => (first == group).then_some(word),
        None => group.is_empty().then_some(*path),
    })
}

/// Two columns: how a flag is written, what it does.
fn options(flags: &[&Flag]) -> String {
    let titles: Vec<String> = flags.iter().map(|flag| title(flag)).collect();
    let width = titles.iter().map(|title| title.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (flag, title) in flags.iter().zip(&titles) {
        let _ = writeln!(text, "{title:width$}   {}", flag.help);
    }
    text
}

/// `  -f, --filter string`
fn title(flag: &Flag) -> String {
    let short = flag.short.map_or_else(|| "   ".to_owned(), |short| format!("-{short},"));
    format!("  {short} --{}{}", flag.long, value(flag))
}

/// ` string`, `[=policy]` or nothing.
pub(crate) fn value(flag: &Flag) -> String {
    match flag.value {
        Value::Switch => String::new(),
        Value::Required(word) => format!(" {word}"),
        Value::Optional(word, _) => format!("[={word}]"),
    }
}
