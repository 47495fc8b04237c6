//! Small text forms that many options share: one word of a list, plain text, whole numbers.
//!
//! A list of words holds the canonical spelling of each value before its aliases.

use crate::ParseError;
use std::str::FromStr;

/// The value that `text` stands for; the error lists the canonical words.
pub(crate) fn choose<T: Copy + PartialEq>(what: &str, text: &str, words: &[(&str, T)]) -> Result<T, ParseError> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let canonical: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(at, (_, value))| words[..*at].iter().all(|(_, before)| before != value))
        .map(|(_, (word, _))| *word)
        .collect();
    Err(ParseError::new(what, text, &format!("expected {}", listed(&canonical))))
}

/// The canonical word for `value`, which every list has.
pub(crate) fn word_of<T: PartialEq>(value: &T, words: &[(&'static str, T)]) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}

/// `a, b or c`
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// Text that ends up in files, units and paths: not empty, and without control characters, which could forge lines.
pub(crate) fn plain(what: &str, text: &str) -> Result<String, ParseError> {
    if text.is_empty() {
        return Err(ParseError::new(what, text, "must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(ParseError::new(what, text, "must not contain control characters"));
    }
    Ok(text.to_owned())
}

/// As `plain`, and without white space: names that stand in a line of several.
pub(crate) fn solid(what: &str, text: &str) -> Result<String, ParseError> {
    if text.contains(char::is_whitespace) {
        return Err(ParseError::new(what, text, "must not contain white space"));
    }
    plain(what, text)
}

/// An absolute path inside a container, cleaned of doubled and trailing slashes, `.` and `..` as Go's `path.Clean`
/// does; what it leads to is found only when it is opened.
pub(crate) fn inside(what: &str, text: &str) -> Result<String, ParseError> {
    if !text.starts_with('/') {
        return Err(ParseError::new(what, text, "must be an absolute path"));
    }
    plain(what, text)?;
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Ok(format!("/{}", parts.join("/")))
}

/// A whole number within bounds, which the error names.
pub(crate) fn number<T>(what: &str, text: &str, lowest: T, highest: T) -> Result<T, ParseError>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let parsed = text.parse::<T>().ok().filter(|value| *value >= lowest && *value <= highest);
    parsed.ok_or_else(|| ParseError::new(what, text, &format!("expected a whole number from {lowest} to {highest}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_is_answered_with_the_right_ones() {
        let words = [("always", 1), ("newer", 2), ("ifnewer", 2), ("never", 3)];
        assert_eq!(choose("pull policy", "ifnewer", &words).unwrap(), 2);
        assert_eq!(word_of(&2, &words), "newer");
        let error = choose("pull policy", "daily", &words).unwrap_err();
        assert_eq!(error.0, "invalid pull policy \"daily\": expected always, newer or never");
    }

    #[test]
    fn paths_inside_are_cleaned() {
        for (given, clean) in [("/a", "/a"), ("//a/./b/", "/a/b"), ("/a/../../b", "/b"), ("/", "/"), ("/..", "/")] {
            assert_eq!(inside("path", given).unwrap(), clean);
        }
        for bad in ["", "a", "./a", "/a\nb"] {
            assert!(inside("path", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_cannot_be_forged() {
        assert!(plain("name", "a\nb").is_err());
        assert!(solid("name", "a b").is_err());
        assert!(solid("name", "a\u{a0}b").is_err());
        assert_eq!(solid("name", "a=b").unwrap(), "a=b");
    }
}
