//! What a list or document looks like: podman's tables, `--format` with Go templates, JSON.
//!
//! `--format` is `json` (also `{{json .}}`), `table …` (a template for each row, with a heading) or a template. Rows and
//! documents are [`View`]s: one typed struct for JSON and templates both.

mod functions;
mod heading;
pub(crate) mod json;
pub(crate) mod size;
pub(crate) mod tabwriter;
mod template;
pub(crate) mod time;
pub(crate) mod yaml;

use crate::error::{CliError, Result};
use gotmpl::Value;
use jiff::Timestamp;
use json::Style;
use serde::Serialize;
use std::sync::Arc;
use template::Template;

/// Something that a list or document shows.
pub(crate) trait View: Serialize {
    /// Headings that do not follow from the field's name: `("ID", "CONTAINER ID")`.
    const HEADINGS: &'static [(&'static str, &'static str)] = &[];
    /// Fields that hold a time, by path (`State.StartedAt`): RFC 3339 in JSON, Go's own form in a template.
    const TIMES: &'static [&'static str] = &[];
    /// Fields that are null in JSON when empty, as Go has them, by path; a template finds them empty.
    const NULLS: &'static [(&'static str, Empty)] = &[];

    /// What a template sees beside the fields, or instead of them.
    fn methods(&self, show: Show) -> Vec<(&'static str, Value)> {
        let _ = show;
        Vec::new()
    }
}

/// What a template finds where JSON has null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    /// `map[]`
    Map,
    /// `[]`
    List,
}

/// How much is shown, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Show {
    /// Whether IDs and commands are cut.
    pub(crate) width: Width,
    /// What ages are counted from.
    pub(crate) now: Timestamp,
}

/// Whether IDs and commands are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// IDs to 12 digits, commands to 17 characters.
    Short,
    /// `--no-trunc`
    Full,
}

impl Show {
    /// Short, at this moment.
    pub(crate) fn now() -> Self {
        Self { width: Width::Short, now: Timestamp::now() }
    }

    /// An ID as this shows it.
    pub(crate) fn id(self, id: &str) -> &str {
        match self.width {
            Width::Short => id.get(..12).unwrap_or(id),
            Width::Full => id,
        }
    }
}

/// Whether a table begins with its headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    /// Yes.
    Shown,
    /// `--noheading`
    Hidden,
}

/// How a list is shown.
pub(crate) struct List<'a> {
    /// The command, for messages.
    pub(crate) name: &'a str,
    /// `--format`
    pub(crate) format: Option<&'a str>,
    /// The row when there is no `--format`: placeholders separated by tabs.
    pub(crate) row: &'a str,
    /// Whether a table has headings.
    pub(crate) heading: Heading,
    /// How podman indents this list's JSON.
    pub(crate) json: Style,
    /// How much is shown.
    pub(crate) show: Show,
}

/// The list as text.
pub(crate) fn list<V: View>(rows: &[V], list: &List<'_>) -> Result<String> {
    if list.format.is_some_and(is_json) {
        return json::text(rows, list.json);
    }
    let format = Format::of(list.format, list.row);
    let template = Template::compile(list.name, &format.text, format.kind, Over::Rows)?;
    let fields = template.plain_fields();
    let values = rows
        .iter()
        .map(|row| match fields.as_deref().and_then(|fields| shown_fields(row, list.show, fields)) {
            Some(value) => Ok(value),
            None => value_of(row, list.show),
        })
        .collect::<Result<Vec<_>>>()?;
    let mut text = String::new();
    if format.kind == Kind::Table && list.heading == Heading::Shown {
        text.push_str(&template.heading(V::HEADINGS));
    }
    text.push_str(&template.render(&Value::List(values.into()))?);
    Ok(if format.kind == Kind::Table { tabwriter::align(&text) } else { text })
}

/// Documents as `inspect` shows them: JSON, or a template for each.
pub(crate) fn documents<V: View>(rows: &[V], name: &str, format: Option<&str>, show: Show) -> Result<String> {
    let Some(format) = format.filter(|format| !is_json(format)) else {
        return json::text(rows, Style::INSPECT);
    };
    let template = Template::compile(name, &normalize(format), Kind::Custom, Over::Rows)?;
    let values = rows.iter().map(|row| value_of(row, show)).collect::<Result<Vec<_>>>()?;
    template.render(&Value::List(values.into()))
}

/// One document by a `--format`.
pub(crate) fn document<V: View>(document: &V, name: &str, format: &str, show: Show) -> Result<String> {
    if is_json(format) {
        return json::text(document, Style::LIST);
    }
    Template::compile(name, &normalize(format), Kind::Custom, Over::Document)?.render(&value_of(document, show)?)
}

/// Whether `--format` asks for JSON.
pub(crate) fn is_json(format: &str) -> bool {
    let word = format.trim();
    let inner = word.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
    let inner = inner.map(|inner| inner.split_whitespace().collect::<Vec<_>>());
    word == "json" || inner.is_some_and(|words| matches!(words.as_slice(), ["json"] | ["json", "."]))
}

/// What a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Aligned columns with a heading; cells hold no control characters.
    Table,
    /// Text as the user wants it.
    Custom,
}

/// What a template's dot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Each row in turn, unless the template ranges over them itself.
    Rows,
    /// One document.
    Document,
}

struct Format {
    text: String,
    kind: Kind,
}

impl Format {
    fn of(format: Option<&str>, row: &str) -> Self {
        let Some(format) = format else {
            return Self { text: format!("{row}\n"), kind: Kind::Table };
        };
        match format.strip_prefix("table") {
            // The word alone is the default table.
            Some(rest) if rest.trim().is_empty() => Self::of(None, row),
            Some(rest) if rest.starts_with(char::is_whitespace) => {
                let columns = ended(outside(rest.trim_start(), |text| escapes(text).replace(' ', "\t")));
                Self { text: columns, kind: Kind::Table }
            }
            _ => Self { text: normalize(format), kind: Kind::Custom },
        }
    }
}

/// A user's template with its escapes made real and a line end at its end.
fn normalize(format: &str) -> String {
    ended(outside(format, escapes))
}

fn escapes(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n")
}

fn ended(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Applies `change` to what stands outside of `{{ }}`; string literals inside have Go's own escapes.
fn outside(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let end = rest[start..].find("}}").map_or(rest.len(), |end| start + end + 2);
        changed.push_str(&change(&rest[..start]));
        changed.push_str(&rest[start..end]);
        rest = &rest[end..];
    }
    changed.push_str(&change(rest));
    changed
}

/// Only what a template shows of a row, where all of it is made for people: nothing else need be taken apart, which for
/// 1000 rows is most of the work.
fn shown_fields<V: View>(row: &V, show: Show, fields: &[&str]) -> Option<Value> {
    let methods = row.methods(show);
    let all = fields.iter().all(|field| methods.iter().any(|(name, _)| name == field));
    let shown = methods.into_iter().filter(|(name, _)| fields.contains(name));
    all.then(|| template::with_methods(Value::Map(Arc::default()), shown.collect()))
}

/// A row as a template sees it.
fn value_of<V: View>(row: &V, show: Show) -> Result<Value> {
    let mut value = gotmpl::to_value(row)
        .map_err(|error| CliError::Invalid { message: format!("show a row: {error}"), hint: None })?;
    for path in V::TIMES {
        template::change(&mut value, path, &|value| {
            if let Value::String(text) = value {
                *text = time::go_form(text).into();
            }
        });
    }
    for (path, empty) in V::NULLS {
        template::change(&mut value, path, &|value| {
            if *value == Value::Nil {
                *value = match empty {
                    Empty::Map => Value::Map(Arc::default()),
                    Empty::List => Value::List(Vec::new().into()),
                };
            }
        });
    }
    Ok(template::with_methods(value, row.methods(show)))
}

#[cfg(test)]
mod tests;
