//! JSON as podman indents it, with nothing that could control a terminal.

use crate::error::{CliError, Result};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io;

/// How a document is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    indent: Indent,
    escape: Escape,
}

#[derive(Debug, Clone, Copy)]
enum Indent {
    None,
    By(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// `<`, `>` and `&` too, as Go does unless told otherwise.
    Html,
    /// What JSON asks for.
    Plain,
}

impl Style {
    /// `ps`, `volume ls`, `info`, `version`.
    pub(crate) const LIST: Self = Self { indent: Indent::By("  "), escape: Escape::Html };
    /// `stats`
    pub(crate) const STATS: Self = Self { indent: Indent::By(" "), escape: Escape::Html };
    /// `images`
    pub(crate) const IMAGES: Self = Self { indent: Indent::By("    "), escape: Escape::Html };
    /// `secret inspect`
    pub(crate) const SECRETS: Self = Self { indent: Indent::By("    "), escape: Escape::Plain };
    /// `mount`, `image mount`
    pub(crate) const MOUNTS: Self = Self { indent: Indent::By(" "), escape: Escape::Html };
    /// `inspect`
    pub(crate) const INSPECT: Self = Self { indent: Indent::By("     "), escape: Escape::Plain };
    /// `{{json .Field}}`
    pub(crate) const INLINE: Self = Self { indent: Indent::None, escape: Escape::Html };
}

/// A document on lines of its own.
pub(crate) fn text<T: Serialize + ?Sized>(value: &T, style: Style) -> Result<String> {
    let fail = |why: String| CliError::Invalid { message: format!("write JSON: {why}"), hint: None };
    let mut bytes = Vec::new();
    let escape = style.escape;
    let done = match style.indent {
        Indent::None => value.serialize(&mut Serializer::with_formatter(&mut bytes, Compact(escape))),
        Indent::By(indent) => {
            let formatter = Pretty { inner: PrettyFormatter::with_indent(indent.as_bytes()), escape };
            value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        }
    };
    done.map_err(|error| fail(error.to_string()))?;
    let mut text = String::from_utf8(bytes).map_err(|error| fail(error.to_string()))?;
    if let Indent::By(_) = style.indent {
        text.push('\n');
    }
    Ok(text)
}

/// A list or map that is null when it is empty, as a nil one of Go's.
pub(crate) fn null_if_empty<T, S>(value: &T, serializer: S) -> std::result::Result<S::Ok, S::Error>
where
    T: Serialize,
    for<'a> &'a T: IntoIterator,
    S: serde::Serializer,
{
    match value.into_iter().next() {
        Some(_) => value.serialize(serializer),
        None => serializer.serialize_none(),
    }
}

/// Writes a piece of a string, which has no quotes, backslashes or C0 controls any more.
fn fragment<W: io::Write + ?Sized>(writer: &mut W, fragment: &str, escape: Escape) -> io::Result<()> {
    let special = |c: char| {
        (escape == Escape::Html && matches!(c, '<' | '>' | '&'))
            || matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut rest = fragment;
    while let Some(start) = rest.find(special) {
        let c = rest[start..].chars().next().unwrap_or_default();
        writer.write_all(&rest.as_bytes()[..start])?;
        write!(writer, "\\u{:04x}", u32::from(c))?;
        rest = &rest[start + c.len_utf8()..];
    }
    writer.write_all(rest.as_bytes())
}

/// On one line.
struct Compact(Escape);

impl Formatter for Compact {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        fragment(writer, text, self.0)
    }
}

/// Indented.
struct Pretty {
    inner: PrettyFormatter<'static>,
    escape: Escape,
}

impl Formatter for Pretty {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        fragment(writer, text, self.escape)
    }
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_array(writer)
    }
    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_array(writer)
    }
    fn begin_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_array_value(writer, first)
    }
    fn end_array_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_array_value(writer)
    }
    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_object(writer)
    }
    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_object(writer)
    }
    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_object_key(writer, first)
    }
    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_object_value(writer)
    }
    fn end_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        list: Vec<u8>,
        none: Option<u8>,
    }

    #[test]
    fn layout_and_escapes_are_gos() {
        let rows = [Row { name: "<none>\u{9b}\u{1b}&", list: vec![], none: None }];
        let list = "[\n  {\n    \"name\": \"\\u003cnone\\u003e\\u009b\\u001b\\u0026\",\n    \"list\": [],\n    \"none\": null\n  }\n]\n";
        assert_eq!(text(&rows, Style::LIST).unwrap(), list);
        let rows = [Row { name: "<none>", list: vec![1], none: None }];
        let inspect = "[\n     {\n          \"name\": \"<none>\",\n          \"list\": [\n               1\n          ],\n          \"none\": null\n     }\n]\n";
        assert_eq!(text(&rows, Style::INSPECT).unwrap(), inspect);
        assert_eq!(text(&["a"], Style::INLINE).unwrap(), "[\"a\"]");
        assert_eq!(text::<[u8]>(&[], Style::LIST).unwrap(), "[]\n");
    }
}
