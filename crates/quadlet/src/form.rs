//! The forms of values: how items are quoted in an assignment.
//!
//! `decode` reads the assignments that count, `encode` writes what `decode` reads back. Quoting is that of systemd: quotes of
//! either kind, anywhere in a word; C escapes in the forms that have them (systemd.syntax(7)).

use crate::file::Value;
use spec::options::Form;

/// An item of a value, with the byte offset at which it begins there.
pub(crate) type Item = (usize, String);

/// Why a value cannot be read, with the byte offset of the trouble.
pub(crate) type Trouble = (usize, String);

/// Whether backslashes begin an escape.
#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    Ordinary,
    C,
}

/// The items of one assignment.
pub(crate) fn decode(form: Form, value: &Value) -> Result<Vec<Item>, Trouble> {
    let text = value.text.as_str();
    match form {
        Form::Single | Form::SingleOrEmpty => {
            let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            Ok(vec![inner.map_or_else(|| (0, text.to_owned()), |inner| (1, inner.to_owned()))])
        }
        Form::Switch => Ok(vec![(0, is_yes(text).to_string())]),
        Form::Lines => Ok(vec![(0, text.to_owned())]),
        Form::Words => words(text, Escapes::Ordinary),
        Form::ShellWords | Form::Pairs | Form::Command => words(text, Escapes::C),
    }
}

/// The right sides of the assignments that give these items; nothing if the form cannot say one of them.
pub(crate) fn encode(form: Form, items: &[String]) -> Option<Vec<String>> {
    if items.iter().any(|item| item.contains('\0')) {
        return None;
    }
    match form {
        Form::Single | Form::SingleOrEmpty => items.iter().map(|item| single(item)).collect(),
        Form::Switch => Some(items.to_vec()),
        Form::Lines => items.iter().map(|item| line(item)).collect(),
        Form::Words => items.iter().map(|item| plain_word(item)).collect(),
        Form::ShellWords | Form::Pairs => Some(items.iter().map(|item| shell_word(item)).collect()),
        Form::Command if items.is_empty() => Some(Vec::new()),
        Form::Command => Some(vec![items.iter().map(|item| shell_word(item)).collect::<Vec<_>>().join(" ")]),
    }
}

/// Podman's yes; everything else is no.
fn is_yes(text: &str) -> bool {
    ["1", "yes", "true", "on"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn words(text: &str, escapes: Escapes) -> Result<Vec<Item>, Trouble> {
    let mut items = Vec::new();
    let mut at = 0;
    loop {
        let rest = text[at..].trim_start_matches(is_blank);
        at = text.len() - rest.len();
        if rest.is_empty() {
            return Ok(items);
        }
        let (word, end) = word(text, at, escapes)?;
        items.push((at, word));
        at = end;
    }
}

/// The word that begins at `start`, and where it ends.
fn word(text: &str, start: usize, escapes: Escapes) -> Result<(String, usize), Trouble> {
    let mut word = Vec::new();
    let mut quote: Option<(usize, char)> = None;
    let mut at = start;
    while let Some(c) = text[at..].chars().next() {
        let next = at + c.len_utf8();
        match quote {
            None if is_blank(c) => break,
            None if matches!(c, '"' | '\'') => quote = Some((at, c)),
            Some((_, open)) if c == open => quote = None,
            _ if c == '\\' && escapes == Escapes::C => {
                at = next + unescape(&text[next..], &mut word).map_err(|why| (at, why))?;
                continue;
            }
            _ => word.extend_from_slice(&text.as_bytes()[at..next]),
        }
        at = next;
    }
    if let Some((at, _)) = quote {
        return Err((at, "this quote is not closed".to_owned()));
    }
    let word = String::from_utf8(word).map_err(|_| (start, "not UTF-8 after its escapes".to_owned()))?;
    Ok((word, at))
}

/// Reads an escape after its backslash into `word`; returns how many bytes of the text it took.
fn unescape(text: &str, word: &mut Vec<u8>) -> Result<usize, String> {
    let letter = text.chars().next().ok_or("a backslash at the end escapes nothing")?;
    let simple = match letter {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        's' => b' ',
        '\\' | '"' | '\'' => letter as u8,
        'x' => return numbered(text, 1, 2, 16, word),
        'u' => return numbered(text, 1, 4, 16, word),
        'U' => return numbered(text, 1, 8, 16, word),
        '0'..='7' => return numbered(text, 0, 3, 8, word),
        other => return Err(format!("unknown escape \\{other}; a backslash is written \\\\")),
    };
    word.push(simple);
    Ok(1)
}

/// A byte or character by its number, in so many digits after what is skipped.
fn numbered(text: &str, skip: usize, digits: usize, radix: u32, word: &mut Vec<u8>) -> Result<usize, String> {
    let bad = || format!("expected {digits} digits of a number that is not zero after the backslash");
    let end = skip + digits;
    let number = text.get(skip..end).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit())).ok_or_else(bad)?;
    let number = u32::from_str_radix(number, radix).ok().filter(|number| *number != 0).ok_or_else(bad)?;
    if digits < 4 {
        word.push(u8::try_from(number).map_err(|_| bad())?);
    } else {
        let c = char::from_u32(number).ok_or_else(bad)?;
        word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Ok(end)
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn single(item: &str) -> Option<String> {
    if item.contains(char::is_control) {
        return None;
    }
    let quoted = item.len() > 1 && item.starts_with('"') && item.ends_with('"');
    let trimmed = item.starts_with(is_blank) || item.ends_with(is_blank) || item.ends_with('\\');
    Some(if item.is_empty() || quoted || trimmed { format!("\"{item}\"") } else { item.to_owned() })
}

fn line(item: &str) -> Option<String> {
    let trimmed = item.is_empty() || item.starts_with(is_blank) || item.ends_with(is_blank) || item.ends_with('\\');
    (!trimmed && !item.contains(char::is_control)).then(|| item.to_owned())
}

fn plain_word(item: &str) -> Option<String> {
    if item.contains(char::is_control) {
        return None;
    }
    if !item.is_empty() && !item.contains(|c| is_blank(c) || matches!(c, '"' | '\'' | '\\')) {
        return Some(item.to_owned());
    }
    let quote = ['"', '\''].into_iter().find(|quote| !item.contains(*quote))?;
    Some(format!("{quote}{item}{quote}"))
}

fn shell_word(item: &str) -> String {
    if !item.is_empty() && !item.contains(|c: char| is_blank(c) || c.is_control() || matches!(c, '"' | '\'' | '\\')) {
        return item.to_owned();
    }
    let mut word = String::from("\"");
    for c in item.chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            '\n' => word.push_str("\\n"),
            '\t' => word.push_str("\\t"),
            c if c.is_control() => word.push_str(&format!("\\u{:04x}", c as u32)),
            c => word.push(c),
        }
    }
    word.push('"');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::File;
    use proptest::prelude::*;

    /// What an assignment reads as, through the syntax of files.
    fn read(form: Form, right: &str) -> Result<Vec<String>, Trouble> {
        let file = File::parse(&format!("[S]\nK={right}\n")).unwrap();
        let entry = file.entries("S").next().unwrap();
        Ok(decode(form, &entry.value)?.into_iter().map(|(_, item)| item).collect())
    }

    #[test]
    fn values_are_read_as_systemd_reads_them() {
        for (form, right, items) in [
            (Form::Single, "a b", vec!["a b"]),
            (Form::Single, "\"a b \"", vec!["a b "]),
            (Form::Single, "\"a\" b", vec!["\"a\" b"]),
            (Form::Single, "\"", vec!["\""]),
            (Form::Switch, "Yes", vec!["true"]),
            (Form::Switch, "enabled", vec!["false"]),
            (Form::Lines, "\"a b\"", vec!["\"a b\""]),
            (Form::Words, "a  b\t'c d' e\"f g\"", vec!["a", "b", "c d", "ef g"]),
            (Form::Words, "a\\nb", vec!["a\\nb"]),
            (Form::ShellWords, "a\\nb '\\'' \"\\\"\" \"\"", vec!["a\nb", "'", "\"", ""]),
            (Form::ShellWords, "\\x41\\101\\u00e9\\U0001f600\\xc3\\xa9\\s", vec!["AA\u{e9}\u{1f600}\u{e9} "]),
            (Form::Pairs, "A=1 \"B=2 3\" 'C=4'", vec!["A=1", "B=2 3", "C=4"]),
        ] {
            assert_eq!(read(form, right).unwrap(), items, "{right}");
        }
    }

    #[test]
    fn trouble_has_its_place() {
        for (right, at, why) in [
            ("a 'b c", 2, "not closed"),
            ("a \\q", 2, "unknown escape \\q"),
            ("\\x0", 0, "expected 2 digits"),
            ("a\\x00", 1, "not zero"),
            ("\\u12+4", 0, "expected 4 digits"),
            ("\\U00110000", 0, "expected 8 digits"),
            ("\\777", 0, "expected 3 digits"),
            ("ok \\xff", 3, "not UTF-8"),
        ] {
            let (offset, what) = read(Form::ShellWords, right).unwrap_err();
            assert_eq!(offset, at, "{right}");
            assert!(what.contains(why), "{right}: {what}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            form in prop::sample::select(vec![
                Form::Single, Form::Lines, Form::Words, Form::ShellWords, Form::Pairs, Form::Command,
            ]),
            items in prop::collection::vec("[ -~\n\t\\\\\"'é\u{85}]{0,12}|\\PC{0,5}", 1..4),
        ) {
            let Some(rights) = encode(form, &items) else {
                prop_assert!(!matches!(form, Form::ShellWords | Form::Pairs | Form::Command));
                return Ok(());
            };
            let mut again = Vec::new();
            for right in rights {
                again.extend(read(form, &right).map_err(|(_, why)| TestCaseError::fail(why))?);
            }
            prop_assert_eq!(again, items);
        }

        #[test]
        fn any_value_is_read_or_refused(right in "[\\\\\"'a0xuU é]{0,20}") {
            let file = File::parse(&format!("[S]\nK=x{right}\n\n")).unwrap();
            let value = &file.entries("S").next().unwrap().value;
            if let Err((at, _)) = decode(Form::ShellWords, value) {
                prop_assert!(value.text.is_char_boundary(at));
            }
        }
    }
}
