//! What a registry says went wrong, made fit to print.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>

use serde::Deserialize;

/// The longest text that is passed on, in characters.
const LENGTH_LIMIT: usize = 300;
/// The most errors of one answer that are passed on.
const COUNT_LIMIT: usize = 4;

/// A registry's errors, read from the body of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    /// The first code, such as `MANIFEST_UNKNOWN`.
    pub(super) code: String,
    /// For people; one line.
    pub(super) words: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Entry>,
    /// Token services.
    #[serde(default)]
    details: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Complaint {
    /// Reads a body; one that is not a registry's error has no words.
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return Self::default() };
        let code = body.errors.first().map(|entry| plain_words(&entry.code)).unwrap_or_default();
        let one =
            |entry: &Entry| if entry.message.is_empty() { entry.code.to_lowercase() } else { entry.message.clone() };
        let mut words: Vec<String> = body.errors.iter().take(COUNT_LIMIT).map(one).collect();
        if words.is_empty() {
            words
                .extend([body.details, body.error_description, body.message].into_iter().find(|text| !text.is_empty()));
        }
        Self { code, words: plain_words(&words.join("; ")) }
    }
}

/// Text from outside as one bounded line without anything that moves a cursor or turns the writing direction.
pub(crate) fn plain_words(text: &str) -> String {
    let hidden =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let mut words = String::new();
    for char in text.chars().take(LENGTH_LIMIT) {
        let plain = if char.is_control() || hidden(char) { ' ' } else { char };
        if plain != ' ' || !words.ends_with(' ') {
            words.push(plain);
        }
    }
    words.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_token_services_are_understood() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}},{"code":"DENIED"}]}"#;
        let complaint = Complaint::read(body);
        assert_eq!((&*complaint.code, &*complaint.words), ("MANIFEST_UNKNOWN", "manifest unknown; denied"));
        assert_eq!(Complaint::read(br#"{"details":"incorrect username"}"#).words, "incorrect username");
        assert_eq!(Complaint::read(b"<html>"), Complaint::default());
        assert_eq!(Complaint::read(br#"{"errors": 3}"#), Complaint::default());
    }

    #[test]
    fn a_message_cannot_paint_the_terminal() {
        let body = "{\"errors\":[{\"message\":\"a\\u001b[2J\\n\\u202eb\"}]}";
        assert_eq!(Complaint::read(body.as_bytes()).words, "a [2J b");
        assert_eq!(plain_words(&"é".repeat(5000)).chars().count(), LENGTH_LIMIT);
    }
}
