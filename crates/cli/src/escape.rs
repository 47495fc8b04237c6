//! Nothing that came from outside reaches a terminal as an escape of its.

use std::borrow::Cow;

/// Which characters [`escape`] leaves alone beside the printable ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// None: for the cell of a table.
    Nothing,
    /// Line ends and tabs: for text.
    Lines,
}

/// The text with every character that could control a terminal, or reorder what is read, written as an escape.
pub(crate) fn escape(text: &str, keep: Keep) -> Cow<'_, str> {
    let dangerous = |c: char| controls(c) && !(keep == Keep::Lines && matches!(c, '\n' | '\t'));
    if !text.chars().any(dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if !dangerous(c) => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if u32::from(c) < 0x100 => safe.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(safe)
}

/// C0 and C1 controls, delete, line separators, and the marks that reorder text (Unicode's bidirectional controls).
fn controls(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_the_cursor_passes() {
        assert_eq!(escape("web-1 ü 漢", Keep::Nothing), "web-1 ü 漢");
        assert_eq!(escape("a\x1b[2Jb\r\u{9b}c\u{7f}", Keep::Nothing), "a\\x1b[2Jb\\r\\x9bc\\x7f");
        assert_eq!(escape("a\tb\nc", Keep::Nothing), "a\\tb\\nc");
        assert_eq!(escape("a\tb\nc\x07", Keep::Lines), "a\tb\nc\\x07");
        assert_eq!(escape("\u{202e}gpj", Keep::Lines), "\\u202egpj");
    }
}
