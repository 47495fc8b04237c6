//! Comma-separated items as Go's `encoding/csv` reads one record, which is how pflag splits a `StringSlice`.
//!
//! An item with a comma, a quote or a line break stands in double quotes, with its quotes doubled.

use crate::ParseError;

/// The items of a text; an empty text has none.
pub(crate) fn split(text: &str) -> Result<Vec<String>, ParseError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut items = Vec::new();
    let mut rest = text;
    loop {
        let (item, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(text, quoted)?,
            None => {
                let (item, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                if item.contains('"') {
                    return Err(ParseError::new("list", text, "a quote inside an item: quote the whole item"));
                }
                (item.to_owned(), after)
            }
        };
        items.push(item);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(items),
            None => return Err(ParseError::new("list", text, "expected a comma after a quoted item")),
        }
    }
}

/// An item that began with a quote, and what follows its closing quote.
fn unquote<'a>(text: &str, mut rest: &'a str) -> Result<(String, &'a str), ParseError> {
    let mut item = String::new();
    loop {
        let (part, after) =
            rest.split_once('"').ok_or_else(|| ParseError::new("list", text, "a quote is not closed"))?;
        item.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                item.push('"');
                rest = more;
            }
            None => return Ok((item, after)),
        }
    }
}

/// The text that splits into these items.
pub(crate) fn join(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| quote(item)).collect();
    quoted.join(",")
}

/// One item as it stands in a list of any length.
pub(crate) fn quote(item: &str) -> String {
    if item.is_empty() || item.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", item.replace('"', "\"\""))
    } else {
        item.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_as_in_go_and_join_again() {
        for (text, items) in [
            ("", vec![]),
            ("a", vec!["a"]),
            ("a,b,,c", vec!["a", "b", "", "c"]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"hi\"\"\"", vec!["say \"hi\""]),
            ("\"\"", vec![""]),
            (" a, b", vec![" a", " b"]),
        ] {
            let split = split(text).unwrap();
            assert_eq!(split, items, "{text}");
            assert_eq!(super::split(&join(&split)).unwrap(), split);
        }
        for text in ["a\"b", "\"a", "\"a\"b", "\"a\"\"", "a,\"b"] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
