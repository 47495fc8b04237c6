//! `--filter key=value`: what podman's filters mean, each kind of object in its own file.
//!
//! Values of one key are alternatives, labels excepted, which must all match; keys must all match. `key!=value` excludes.

pub(crate) mod containers;
pub(crate) mod events;
pub(crate) mod images;
pub(crate) mod volumes;

use crate::error::{CliError, Result};
use spec::options::suggest;
use std::collections::BTreeMap;

/// One `--filter`, cut up.
pub(crate) struct Term<'a> {
    /// Without the exclamation mark.
    pub(crate) key: &'a str,
    /// Whether it excludes.
    pub(crate) sense: Sense,
    /// After the equals sign.
    pub(crate) value: &'a str,
}

/// Whether what matches is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    /// `key=value`
    Keep,
    /// `key!=value`
    Drop,
}

impl Sense {
    /// What a match means.
    pub(crate) fn of(self, matched: bool) -> bool {
        matched == (self == Self::Keep)
    }
}

impl<'a> Term<'a> {
    /// `known` are the keys there are.
    pub(crate) fn parse(text: &'a str, known: &[&'static str]) -> Result<Self> {
        let (key, value) =
            text.split_once('=').ok_or_else(|| invalid(format!("invalid filter {text:?}: expected key=value")))?;
        let (key, sense) = match key.strip_suffix('!') {
            Some(key) => (key, Sense::Drop),
            None => (key, Sense::Keep),
        };
        if !known.contains(&key) {
            return Err(CliError::Invalid {
                message: format!("{key:?} is an invalid filter: choose from {}", known.join(", ")),
                hint: suggest(key, known.iter().copied()).map(|near| format!("did you mean {near}={value}?")),
            });
        }
        Ok(Self { key, sense, value })
    }
}

/// `label=key` or `label=key=value`.
pub(crate) fn label_matches(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
        None => labels.contains_key(wanted),
    }
}

/// A value that can only be yes or no.
pub(crate) fn yes_or_no(key: &str, value: &str) -> Result<bool> {
    spec::options::parse::parse_switch(value)
        .map_err(|error| invalid(format!("invalid filter {key}={value:?}: {error}")))
}

/// A regular expression, as podman matches names.
pub(crate) fn pattern(key: &str, value: &str) -> Result<regex_lite::Regex> {
    regex_lite::RegexBuilder::new(value)
        .size_limit(1 << 16)
        .build()
        .map_err(|error| invalid(format!("invalid filter {key}={value:?}: {error}")))
}

/// A moment.
pub(crate) fn moment(key: &str, value: &str) -> Result<jiff::Timestamp> {
    crate::moment::parse(value, jiff::Timestamp::now())
        .map_err(|error| invalid(format!("invalid filter {key}: {error}")))
}

/// A filter that means nothing.
pub(crate) fn invalid(message: String) -> CliError {
    CliError::Invalid { message, hint: None }
}
