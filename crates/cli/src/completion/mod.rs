//! Shell completion: small scripts that ask `lodger __complete -- WORDS…` what could come next, and the answer.
//!
//! The answer is lines of `candidate⇥description`, then a line `:word` that says what the shell adds of its own: `:none`
//! nothing, `:file` paths, `:directory` directories.

mod scripts;

pub(crate) use scripts::{Descriptions, script};

use crate::command::Command;
use crate::{commands, dispatch, global, help};
use spec::options::parse::Order;
use spec::options::{Complete, Flag, Value};

/// A shell there is a script for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

/// What could come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Each with its description, perhaps empty.
    pub(crate) candidates: Vec<(String, String)>,
    /// What the shell adds.
    pub(crate) directive: Directive,
}

/// What the shell adds of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directive {
    /// Nothing.
    None,
    /// Paths.
    File,
    /// Directories.
    Directory,
}

impl Directive {
    /// As the scripts know it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::None => ":none",
            Self::File => ":file",
            Self::Directory => ":directory",
        }
    }
}

/// Asks for the names there are now: containers, images, volumes.
pub(crate) type Names<'a> = &'a dyn Fn(Complete) -> Vec<(String, String)>;

/// What could stand in place of the last word, given those before it.
pub(crate) fn answer(words: &[String], names: Names<'_>) -> Answer {
    let Some((current, before)) = words.split_last() else { return Answer::of(Vec::new()) };
    let mut rest = before;
    let mut path = String::new();
    loop {
        rest = match skip_flags(rest) {
            Ok(used) => &rest[used..],
            Err(flag) => return value(flag, current, "", names),
        };
        let Some((word, after)) = rest.split_first() else { break };
        path = if path.is_empty() { word.clone() } else { format!("{path} {word}") };
        rest = after;
        if let Some(command) = commands::find(&path) {
            return in_command(command, rest, current, names);
        }
        if !commands::is_group(&path) {
            return Answer::of(Vec::new());
        }
    }
    if current.starts_with('-') {
        return flags(&help::global_flags(), current, &[&global::HELP], names);
    }
    let members = help::members(&path).into_iter().map(|(word, about)| (word.to_owned(), about.to_owned()));
    Answer::of(members.collect()).beginning_with(current)
}

/// How many words are global flags and their values; the flag whose value comes next, if it is the last.
fn skip_flags(words: &[String]) -> Result<usize, &'static Flag> {
    let mut used = 0;
    while let Some(word) = words.get(used).filter(|word| word.starts_with('-')) {
        used += 1;
        let named =
            global::OPTIONS.iter().find(|row| word.strip_prefix("--").is_some_and(|name| row.flag.has_name(name)));
        if let Some(row) = named {
            used += 1;
            if used > words.len() {
                return Err(&row.flag);
            }
        }
    }
    Ok(used)
}

fn in_command(command: &'static Command, before: &[String], current: &str, names: Names<'_>) -> Answer {
    let own = command.all_flags();
    let flags_here = dispatch::flags_beside(command, &own);
    let mut operands = 0;
    let mut ended = false;
    let mut words = before.iter();
    while let Some(word) = words.next() {
        if ended || !word.starts_with('-') || word == "-" {
            operands += 1;
            ended |= command.order == Order::FlagsFirst || command.verb.is_some();
        } else if word == "--" {
            ended = true;
        } else if let Some(flag) = wants_value(&flags_here, word) {
            if words.next().is_none() {
                return value(flag, current, "", names);
            }
        }
    }
    if !ended && current.starts_with('-') {
        return flags(&own, current, &[&global::HELP], names);
    }
    match command.complete.get(operands).or(command.complete.last()) {
        Some(complete) => offered(*complete, current, names),
        None => Answer::of(Vec::new()),
    }
}

/// The flag of this word, if its value is the next word.
fn wants_value<'a>(flags: &[&'a Flag], word: &str) -> Option<&'a Flag> {
    let required = |flag: &&&Flag| matches!(flag.value, Value::Required(_));
    if let Some(name) = word.strip_prefix("--") {
        let found = flags.iter().find(|flag| flag.has_name(name));
        return found.filter(required).copied();
    }
    // Of letters joined as in -itv, the first that takes a value ends the word.
    let mut letters = word.chars().skip(1);
    while let Some(letter) = letters.next() {
        let flag = flags.iter().find(|flag| flag.short == Some(letter))?;
        if required(&flag) {
            return letters.next().is_none().then_some(*flag);
        }
    }
    None
}

/// Names of flags, or the value after `--flag=`.
fn flags(own: &[&Flag], current: &str, others: &[&Flag], names: Names<'_>) -> Answer {
    if let Some((name, begun)) = current.strip_prefix("--").and_then(|word| word.split_once('=')) {
        return match own.iter().find(|flag| flag.has_name(name)) {
            Some(flag) => value(flag, begun, &format!("--{name}="), names),
            None => Answer::of(Vec::new()),
        };
    }
    let all = own.iter().chain(others);
    Answer::of(all.map(|flag| (format!("--{}", flag.long), flag.help.to_owned())).collect()).beginning_with(current)
}

/// What a flag takes; `prefix` stands before it in the same word.
fn value(flag: &Flag, begun: &str, prefix: &str, names: Names<'_>) -> Answer {
    let mut answer = match flag.value {
        Value::Switch => Answer::of(["true", "false"].map(plain).to_vec()).beginning_with(begun),
        _ => offered(flag.complete, begun, names),
    };
    for (candidate, _) in &mut answer.candidates {
        candidate.insert_str(0, prefix);
    }
    answer
}

fn plain(word: &str) -> (String, String) {
    (word.to_owned(), String::new())
}

fn offered(complete: Complete, begun: &str, names: Names<'_>) -> Answer {
    let empty = |directive| Answer { candidates: Vec::new(), directive };
    match complete {
        Complete::Nothing => empty(Directive::None),
        Complete::File => empty(Directive::File),
        Complete::Directory => empty(Directive::Directory),
        Complete::Words(words) => Answer::of(words.iter().map(|word| plain(word)).collect()).beginning_with(begun),
        Complete::Signals => {
            let signals = (1..=64).filter_map(spec::signal::Signal::from_number);
            Answer::of(signals.map(|signal| plain(&signal.to_string())).collect()).beginning_with(begun)
        }
        live => Answer::of(names(live)).beginning_with(begun),
    }
}

impl Answer {
    fn of(candidates: Vec<(String, String)>) -> Self {
        Self { candidates, directive: Directive::None }
    }

    fn beginning_with(mut self, begun: &str) -> Self {
        self.candidates.retain(|(candidate, _)| candidate.starts_with(begun));
        self
    }

    /// As lines for the scripts; control characters cannot forge any.
    pub(crate) fn lines(&self) -> String {
        use crate::output::{Keep, escape};
        let mut text = String::new();
        for (candidate, about) in &self.candidates {
            text.push_str(&escape(candidate, Keep::Nothing));
            if !about.is_empty() {
                text.push('\t');
                text.push_str(&escape(about, Keep::Nothing));
            }
            text.push('\n');
        }
        text.push_str(self.directive.word());
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let names = |wanted: Complete| match wanted {
            Complete::Containers => vec![("web".to_owned(), "an image".to_owned()), ("db".to_owned(), String::new())],
            Complete::Images => vec![("alpine:latest".to_owned(), String::new())],
            _ => Vec::new(),
        };
        answer(&words, &names).candidates.into_iter().map(|(candidate, _)| candidate).collect()
    }

    #[test]
    fn operands_and_values_are_told_apart() {
        assert_eq!(candidates(&["rm", "w"]), ["web"]);
        assert_eq!(candidates(&["rm", "-f", "web", ""]), ["web", "db"]);
        assert_eq!(candidates(&["container", "rm", "--time", "3", "d"]), ["db"]);
        assert_eq!(candidates(&["run", "-it", "--name", "x", "al"]), ["alpine:latest"]);
        assert_eq!(candidates(&["run", "alpine", "al"]), Vec::<String>::new());
        assert_eq!(candidates(&["run", "alpine", "--rm"]), Vec::<String>::new());
        assert_eq!(candidates(&["run", "--pull", "ne"]), ["never", "newer"]);
        assert_eq!(candidates(&["run", "--pull=al"]), ["--pull=always"]);
        assert_eq!(candidates(&["kill", "-s", "SIGK"]), ["SIGKILL"]);
        assert_eq!(candidates(&["--root", "/x", "rm", "w"]), ["web"]);
        assert_eq!(candidates(&["volume", "cr"]), ["create"]);
        assert_eq!(candidates(&["rm", "--", "w"]), ["web"]);
    }

    proptest::proptest! {
        #[test]
        fn no_words_make_it_panic(words in proptest::collection::vec("--?[a-z=]{0,8}|run|rm|volume|--|-|.{0,5}", 0..6)) {
            let _ = answer(&words, &|_| Vec::new());
        }
    }
}
