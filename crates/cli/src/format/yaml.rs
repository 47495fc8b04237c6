//! YAML as `info` prints it: block style, keys in alphabetical order, two spaces for each level.
//!
//! Only what JSON can hold; a text that YAML would read as something else is quoted
//! (<https://yaml.org/spec/1.2.2/#103-core-schema>).

use crate::error::{CliError, Result};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The document as text.
pub(crate) fn text<T: Serialize>(value: &T) -> Result<String> {
    let value = serde_json::to_value(value)
        .map_err(|error| CliError::Invalid { message: format!("write YAML: {error}"), hint: None })?;
    let mut out = String::new();
    match &value {
        Value::Object(_) | Value::Array(_) => block(&value, 0, &mut out),
        other => {
            let _ = writeln!(out, "{}", scalar(other));
        }
    }
    Ok(out)
}

/// The lines of a collection that is not empty, or its one-line form.
fn block(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map.iter().collect::<BTreeMap<_, _>>() {
                let _ = write!(out, "{:depth$}{}:", "", quoted(key));
                // Lists are not indented below their key.
                let deeper = if value.is_array() { depth } else { depth + 2 };
                below(value, deeper, out);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                let mut item = String::new();
                block(value, depth + 2, &mut item);
                let _ = write!(out, "{:depth$}- {}", "", item.trim_start());
            }
        }
        other => {
            let _ = writeln!(out, "{}", scalar(other));
        }
    }
}

fn below(value: &Value, depth: usize, out: &mut String) {
    let collection = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    out.push(if collection { '\n' } else { ' ' });
    block(value, depth, out);
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// Plain where that is safe, else with double quotes and JSON's escapes, which YAML shares.
fn quoted(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_./+()@%, -".contains(c);
    let looks_like_another = text.parse::<f64>().is_ok()
        || text.starts_with(['-', ' ', '@', '%', ',', '+', '.'])
        || text.ends_with(' ')
        || text.is_empty()
        || ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
        || text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(|c: char| c.is_ascii_alphabetic());
    // A colon is safe inside a word: a digest, a path with a port.
    let plain = text.split(':').all(|part| part.chars().all(word)) && !text.contains(": ") && !text.ends_with(':');
    if plain && !looks_like_another { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_read_like_podmans() {
        let value = json!({
            "host": {"arch": "amd64", "cgroupControllers": ["cpu", "pids"], "idMappings": {"uidmap": [{"size": 1, "host_id": 1000}]}},
            "registries": {},
            "list": [],
            "text": {"empty": "", "number": "12", "word": "yes", "digest": "sha256:00", "line": "a\nb", "colon": "a: b"},
            "nothing": null,
        });
        let expected = "\
host:
  arch: amd64
  cgroupControllers:
  - cpu
  - pids
  idMappings:
    uidmap:
    - host_id: 1000
      size: 1
list: []
nothing: null
registries: {}
text:
  colon: \"a: b\"
  digest: sha256:00
  empty: \"\"
  line: \"a\\nb\"
  number: \"12\"
  word: \"yes\"
";
        assert_eq!(text(&value).unwrap(), expected);
    }
}
