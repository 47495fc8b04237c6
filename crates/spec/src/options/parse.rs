//! Command lines to flags and positionals, as Go's pflag reads them, which is what podman's users are used to.
//!
//! Pure: nothing is set here; every occurrence is reported in the order given. The rules are those of
//! <https://pkg.go.dev/github.com/spf13/pflag>: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`,
//! switches joined as in `-it`, a switch or optional value takes its value only with `=`, `--` ends the flags, `-`
//! alone is a positional.

use super::{Flag, Value, suggest};
use crate::ParseError;

/// Whether flags may follow a positional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Flags anywhere: `ps NAME --all`.
    Interspersed,
    /// The first positional ends the flags: `run IMAGE COMMAND --its-own-flag`.
    FlagsFirst,
}

/// What a command line says, before it is known what that means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Index into the flags and value, in the order given. A switch's value is `true` or `false`; a flag with an
    /// optional value that had none has the word its row names.
    pub given: Vec<(usize, String)>,
    /// Everything else, in the order given.
    pub positionals: Vec<String>,
}

/// Why a command line cannot be read. The messages are pflag's where pflag has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// No such long flag.
    #[error("unknown flag: --{name}")]
    UnknownFlag {
        /// As written, without the dashes and the value.
        name: String,
        /// The known flag that was probably meant.
        suggestion: Option<&'static str>,
    },
    /// No such one-letter flag.
    #[error("unknown shorthand flag: {letter:?} in -{word}")]
    UnknownShort {
        /// The letter.
        letter: char,
        /// What was left of the word, from that letter.
        word: String,
    },
    /// The line ended where a value was due. The text is `--name` or `'n' in -n`.
    #[error("flag needs an argument: {flag}")]
    MissingValue {
        /// As written.
        flag: String,
    },
    /// `--=x`, `---x`
    #[error("bad flag syntax: {word}")]
    BadSyntax {
        /// As written.
        word: String,
    },
    /// A value that the flag cannot have.
    #[error("invalid argument {value:?} for {flag:?} flag: {source}")]
    BadValue {
        /// `-m, --memory`
        flag: String,
        /// As written.
        value: String,
        /// What was expected.
        source: ParseError,
    },
    /// A flag that podman has and lodger lacks.
    #[error("--{name} cannot be used: {reason}")]
    Unsupported {
        /// Without the dashes.
        name: String,
        /// Why.
        reason: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
    /// A positional that cannot be what it stands for.
    #[error("{0}")]
    BadOperand(ParseError),
}

impl UsageError {
    /// A value that `flag` refuses.
    pub fn bad_value(flag: &Flag, value: &str, source: ParseError) -> Self {
        Self::BadValue { flag: flag.title(), value: value.to_owned(), source }
    }

    /// What to try instead, as a sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownFlag { suggestion: Some(name), .. } => Some(format!("did you mean --{name}?")),
            Self::Unsupported { hint, .. } => Some((*hint).to_owned()),
            _ => None,
        }
    }
}

/// Reads a command line. Positionals are never interpreted.
pub fn parse(flags: &[&Flag], args: &[String], order: Order) -> Result<Parsed, UsageError> {
    let mut line = Line { flags, parsed: Parsed::default(), rest: args };
    while let Some((word, rest)) = line.rest.split_first() {
        line.rest = rest;
        if word == "--" {
            line.parsed.positionals.extend_from_slice(rest);
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            line.long(word, long)?;
        } else if word.len() > 1 && word.starts_with('-') {
            line.shorts(&word[1..])?;
        } else {
            line.parsed.positionals.push(word.clone());
            if order == Order::FlagsFirst {
                line.parsed.positionals.extend_from_slice(rest);
                break;
            }
        }
    }
    Ok(line.parsed)
}

/// `strconv.ParseBool` of Go.
pub fn parse_switch(text: &str) -> Result<bool, ParseError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(ParseError("expected true or false".to_owned())),
    }
}

/// A command line on its way to a `Parsed`.
struct Line<'a> {
    flags: &'a [&'a Flag],
    parsed: Parsed,
    rest: &'a [String],
}

impl Line<'_> {
    /// `text` is the word without the two dashes.
    fn long(&mut self, word: &str, text: &str) -> Result<(), UsageError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(UsageError::BadSyntax { word: word.to_owned() });
        }
        let Some(index) = self.flags.iter().position(|flag| flag.has_name(name)) else {
            let names = self.flags.iter().map(|flag| flag.long);
            return Err(UsageError::UnknownFlag { name: name.to_owned(), suggestion: suggest(name, names) });
        };
        let value = match (value, self.flags[index].value) {
            (Some(value), _) => value,
            (None, Value::Switch) => "true",
            (None, Value::Optional(_, word)) => word,
            (None, Value::Required(_)) => self.next(|| format!("--{name}"))?,
        };
        let value = value.to_owned();
        self.give(index, value)
    }

    /// `word` is the word without its dash: one or more letters, the last perhaps with its value.
    fn shorts(&mut self, word: &str) -> Result<(), UsageError> {
        let mut letters = word;
        while let Some(letter) = letters.chars().next() {
            let after = &letters[letter.len_utf8()..];
            let Some(index) = self.flags.iter().position(|flag| flag.short == Some(letter)) else {
                return Err(UsageError::UnknownShort { letter, word: letters.to_owned() });
            };
            let alone = match self.flags[index].value {
                Value::Switch => Some("true"),
                Value::Optional(_, word) => Some(word),
                Value::Required(_) => None,
            };
            let (value, left) = match (after.strip_prefix('=').filter(|value| !value.is_empty()), alone) {
                (Some(value), _) => (value, ""),
                (None, Some(word)) => (word, after),
                (None, None) if !after.is_empty() => (after, ""),
                (None, None) => (self.next(|| format!("{letter:?} in -{letters}"))?, ""),
            };
            let value = value.to_owned();
            self.give(index, value)?;
            letters = left;
        }
        Ok(())
    }

    fn next(&mut self, flag: impl Fn() -> String) -> Result<&str, UsageError> {
        let (value, rest) = self.rest.split_first().ok_or_else(|| UsageError::MissingValue { flag: flag() })?;
        self.rest = rest;
        Ok(value)
    }

    fn give(&mut self, index: usize, mut value: String) -> Result<(), UsageError> {
        if self.flags[index].value == Value::Switch {
            let on = parse_switch(&value).map_err(|source| UsageError::bad_value(self.flags[index], &value, source))?;
            value = on.to_string();
        }
        self.parsed.given.push((index, value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [&Flag; 6] = [
        &Flag::switch("interactive", "").short('i'),
        &Flag::switch("tty", "").short('t'),
        &Flag::with_value("env", "ENV", "").short('e'),
        &Flag::with_value("publish", "PORT", "").short('p'),
        &Flag { aliases: &["net"], ..Flag::with_value("network", "MODE", "") },
        &Flag { value: Value::Optional("POLICY", "always"), ..Flag::with_value("pull", "", "") },
    ];

    /// Reads a line split at spaces and shows it as `name=value … | positional …`.
    fn read(line: &str, order: Order) -> Result<String, UsageError> {
        let args: Vec<String> = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let parsed = parse(&FLAGS, &args, order)?;
        let given: Vec<String> =
            parsed.given.iter().map(|(index, value)| format!("{}={value}", FLAGS[*index].long)).collect();
        Ok(format!("{} | {}", given.join(" "), parsed.positionals.join(" ")))
    }

    #[test]
    fn flags_are_read_as_pflag_reads_them() {
        for (line, expected) in [
            ("-it image", "interactive=true tty=true | image"),
            ("-ite A=1 image", "interactive=true tty=true env=A=1 | image"),
            ("-e=A -eB -e C", "env=A env=B env=C | "),
            ("-e= x", "env== | x"),
            ("-p8080:80 --publish 1:2 --publish=3:4", "publish=8080:80 publish=1:2 publish=3:4 | "),
            ("--env=", "env= | "),
            ("--env --tty", "env=--tty | "),
            ("-t=false --interactive=0 --tty=T", "tty=false interactive=false tty=true | "),
            ("--tty false", "tty=true | false"),
            ("--net host", "network=host | "),
            ("--pull never --pull=newer", "pull=always | never --pull=newer"),
            ("-e A -- -t", "env=A | -t"),
            ("- -t", " | - -t"),
            ("image sh -c -t -- x", " | image sh -c -t -- x"),
        ] {
            assert_eq!(read(line, Order::FlagsFirst).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn interspersed_flags_go_on_after_positionals() {
        assert_eq!(read("a -t b -e X -- -i", Order::Interspersed).unwrap(), "tty=true env=X | a b -i");
    }

    #[test]
    fn mistakes_are_named_in_pflags_words() {
        for (line, message, hint) in [
            ("--pubish=1", "unknown flag: --pubish", Some("did you mean --publish?")),
            ("--qqqqqq", "unknown flag: --qqqqqq", None),
            ("-itx", "unknown shorthand flag: 'x' in -x", None),
            ("-xit", "unknown shorthand flag: 'x' in -xit", None),
            ("--env", "flag needs an argument: --env", None),
            ("--net", "flag needs an argument: --net", None),
            ("-te", "flag needs an argument: 'e' in -e", None),
            ("---tty", "bad flag syntax: ---tty", None),
            ("--=x", "bad flag syntax: --=x", None),
            ("-i=maybe", "invalid argument \"maybe\" for \"-i, --interactive\" flag: expected true or false", None),
        ] {
            let error = read(line, Order::FlagsFirst).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.hint().as_deref(), hint, "{line}");
        }
    }
}
