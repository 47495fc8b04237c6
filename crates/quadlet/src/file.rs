//! The syntax of unit files: sections, assignments, comments, continued lines (systemd.syntax(7)).
//!
//! Nothing is interpreted; every value knows where each of its characters stands. Input is bounded by `FILE_LIMIT`.

use crate::diagnostic::{Diagnostic, Position};

/// The largest file that is read, in bytes: 1 MiB, systemd's own limit for a line.
pub const FILE_LIMIT: usize = 1 << 20;

/// A file's sections in their order; one that occurs twice is there twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// In the order of the file.
    pub sections: Vec<Section>,
}

/// `[Name]` and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Without the brackets.
    pub name: String,
    /// Of the opening bracket.
    pub at: Position,
    /// In the order of the file.
    pub entries: Vec<Entry>,
}

/// `Key=value`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Without white space around it.
    pub key: String,
    /// Of the key's first character.
    pub at: Position,
    /// What follows the sign.
    pub value: Value,
}

/// The right side of an assignment: trimmed, continued lines joined by a space each, nothing unquoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The text.
    pub text: String,
    /// Byte offsets in the text where a line of the file begins, with the place of that character; the first is 0.
    lines: Vec<(usize, Position)>,
}

impl Value {
    /// The place in the file of the character at a byte offset of the text.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.lines.iter().rfind(|(start, _)| *start <= offset);
        let (start, first) = line.copied().unwrap_or((0, Position { line: 1, column: 1 }));
        let between = self.text.get(start..offset).unwrap_or_default().chars().count();
        Position { line: first.line, column: first.column + between }
    }
}

impl File {
    /// Reads a file's text; the mistakes are in the order of the file.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let (file, wrong) = Self::parse_what_can_be(text);
        if wrong.is_empty() { Ok(file) } else { Err(wrong) }
    }

    /// The lines that are well formed, and what is wrong with the others.
    pub(crate) fn parse_what_can_be(text: &str) -> (Self, Vec<Diagnostic>) {
        let mut file = Self::default();
        let start = Position { line: 1, column: 1 };
        if text.len() > FILE_LIMIT {
            return (file, vec![Diagnostic::new(start, format!("larger than {} KiB", FILE_LIMIT >> 10))]);
        }
        let mut wrong = Vec::new();
        for line in logical_lines(text) {
            if let Err(mistake) = file.take(line) {
                wrong.push(mistake);
            }
        }
        (file, wrong)
    }

    /// Every entry of the sections of this name.
    pub fn entries(&self, section: &str) -> impl Iterator<Item = &Entry> {
        self.sections.iter().filter(move |known| known.name == section).flat_map(|known| &known.entries)
    }

    /// Takes a line that is neither empty nor a comment.
    fn take(&mut self, line: Value) -> Result<(), Diagnostic> {
        let at = line.position(0);
        let text = &line.text;
        if let Some(zero) = text.find('\0') {
            return Err(Diagnostic::new(line.position(zero), "a zero byte"));
        }
        if let Some(rest) = text.strip_prefix('[') {
            let name = rest.strip_suffix(']').filter(|name| !name.is_empty() && !name.contains(['[', ']']));
            let name = name.ok_or_else(|| Diagnostic::new(at, format!("invalid section header {text:?}")))?;
            self.sections.push(Section { name: name.to_owned(), at, entries: Vec::new() });
            return Ok(());
        }
        let Some((key, _)) = text.split_once('=') else {
            return Err(Diagnostic::new(at, format!("expected Key=value, found {text:?}")));
        };
        let value = line.part(key.len() + 1);
        let key = key.trim_end_matches(BLANK);
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Diagnostic::new(at, format!("invalid key {key:?}")));
        }
        let section = self.sections.last_mut();
        let section = section.ok_or_else(|| Diagnostic::new(at, format!("{key}= stands before any [Section]")))?;
        section.entries.push(Entry { key: key.to_owned(), at, value });
        Ok(())
    }
}

/// What systemd trims.
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

impl Value {
    /// The text from an offset on, trimmed.
    fn part(&self, offset: usize) -> Self {
        let rest = &self.text[offset..];
        let start = offset + (rest.len() - rest.trim_start_matches(BLANK).len());
        let text = self.text[start..].trim_end_matches(BLANK).to_owned();
        let later = self.lines.iter().filter(|(line, _)| *line > start).map(|(line, at)| (line - start, *at));
        let lines = std::iter::once((0, self.position(start))).chain(later).collect();
        Self { text, lines }
    }
}

/// The lines of a file with continued ones joined, without comments and empty lines, trimmed.
fn logical_lines(text: &str) -> Vec<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    let mut open: Option<Value> = None;
    for (number, line) in text.split('\n').enumerate() {
        let start = line.trim_start_matches(BLANK);
        if start.starts_with(['#', ';']) || (open.is_none() && start.is_empty()) {
            continue;
        }
        let mut whole = open.take().unwrap_or(Value { text: String::new(), lines: Vec::new() });
        whole.lines.push((whole.text.len(), Position { line: number + 1, column: 1 }));
        let line = line.strip_suffix('\r').unwrap_or(line);
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            whole.text.push_str(&line[..line.len() - 1]);
            whole.text.push(' ');
            open = Some(whole);
        } else {
            whole.text.push_str(line);
            lines.push(whole.part(0));
        }
    }
    lines.extend(open.map(|line| line.part(0)));
    lines.retain(|line| !line.text.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn sections_keys_comments_and_continued_lines() {
        let text = "\u{feff}# head\n[Unit]\nDescription = A  web server \r\n\n[Container]\n; note\nExec=sh \\\n# in between\n  \
                    -c 'é \\\nx'\nPath=a\\\\\n[Unit]\nAfter=\n";
        let file = File::parse(text).unwrap();
        let names: Vec<&str> = file.sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["Unit", "Container", "Unit"]);
        assert_eq!(file.sections[1].at, at(5, 1));
        let unit: Vec<(&str, &str)> =
            file.entries("Unit").map(|entry| (entry.key.as_str(), entry.value.text.as_str())).collect();
        assert_eq!(unit, [("Description", "A  web server"), ("After", "")]);
        let exec = file.entries("Container").next().unwrap();
        assert_eq!(exec.value.text, "sh    -c 'é  x'");
        assert_eq!((exec.at, exec.value.position(0)), (at(7, 1), at(7, 6)));
        assert_eq!(exec.value.position(exec.value.text.find("-c").unwrap()), at(9, 3));
        assert_eq!(exec.value.position(exec.value.text.find('x').unwrap()), at(10, 1));
        assert_eq!(exec.value.position(exec.value.text.find('é').unwrap() + 2), at(9, 8));
        assert_eq!(file.entries("Container").nth(1).unwrap().value.text, "a\\\\");
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let text = "Image=x\n[Container\n[Container]\nimage\n =x\nKey with space=1\nImage=ok\n";
        let (file, wrong) = File::parse_what_can_be(text);
        let shown: Vec<String> = wrong.iter().map(Diagnostic::to_string).collect();
        assert_eq!(
            shown,
            [
                "1:1: Image= stands before any [Section]",
                "2:1: invalid section header \"[Container\"",
                "4:1: expected Key=value, found \"image\"",
                "5:2: invalid key \"\"",
                "6:1: invalid key \"Key with space\"",
            ]
        );
        assert_eq!(file.entries("Container").count(), 1);
        assert!(File::parse(&"#\n".repeat(FILE_LIMIT)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([\\[\\]=#; \t\r\\\\\n\u{0}aé]|\\PC){0,80}") {
            let (file, wrong) = File::parse_what_can_be(&text);
            let lines = text.split('\n').count();
            for entry in file.sections.iter().flat_map(|section| &section.entries) {
                for (offset, _) in entry.value.text.char_indices() {
                    prop_assert!((1..=lines).contains(&entry.value.position(offset).line));
                }
            }
            prop_assert!(wrong.iter().all(|mistake| (1..=lines).contains(&mistake.at.line)));
        }
    }
}
