//! What a template can call beside Go's own functions: podman's, and two of lodger's that no template can name.

use super::json::{self, Style};
use super::time;
use crate::output::{Keep, escape};
use gotmpl::{FuncMap, TemplateError, Value, ValueFunc};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::sync::Arc;

/// Prints a value: what Go would print, without what [`Keep`] forbids.
pub(super) const SHOW: &str = " show";
/// A key of a map, or nothing.
pub(super) const FIELD: &str = " field";
/// Go's own.
pub(super) const BUILTIN: &[&str] = &[
    "and", "call", "eq", "ge", "gt", "html", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println",
    "slice", "urlquery",
];

type Outcome = Result<Value, TemplateError>;

/// Every function. Without `keep`, text is printed as it is.
pub(super) fn all(keep: Option<Keep>) -> FuncMap {
    let mut map = FuncMap::new();
    let mut add = |name: &str, function: fn(&[Value]) -> Outcome| {
        map.insert(name.to_owned(), Arc::new(function) as ValueFunc);
    };
    add("json", |args| to_json(one(args)?));
    add("join", join);
    add("lower", |args| Ok(text(one(args)?).to_lowercase().as_str().into_value()));
    add("upper", |args| Ok(text(one(args)?).to_uppercase().as_str().into_value()));
    add("title", |args| Ok(title(&text(one(args)?)).as_str().into_value()));
    add("split", split);
    add("truncate", truncate);
    add("pad", pad);
    add("index", index);
    add(FIELD, |args| Ok(two(args)?.0.field(&text(two(args)?.1)).cloned().unwrap_or(Value::Nil)));
    map.insert(SHOW.to_owned(), Arc::new(move |args: &[Value]| Ok(show(one(args)?, keep))));
    map
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::String(self.into())
    }
}

fn wrong(name: &str, expected: usize, got: usize) -> TemplateError {
    TemplateError::ArgCount { name: name.to_owned(), expected, got }
}

fn one(args: &[Value]) -> Result<&Value, TemplateError> {
    args.first().ok_or_else(|| wrong("function", 1, 0))
}

fn two(args: &[Value]) -> Result<(&Value, &Value), TemplateError> {
    match args {
        [first, second] => Ok((first, second)),
        _ => Err(wrong("function", 2, args.len())),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        other => other.to_string(),
    }
}

fn show(value: &Value, keep: Option<Keep>) -> Value {
    let plain = match value {
        Value::Nil => return "<no value>".into_value(),
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    };
    match keep {
        Some(keep) => escape(&plain, keep).as_ref().into_value(),
        None => plain.as_str().into_value(),
    }
}

/// `join LIST SEPARATOR`; a text stands for a list of one.
fn join(args: &[Value]) -> Outcome {
    let (list, separator) = two(args)?;
    Ok(match list {
        Value::List(list) => list.iter().map(text).collect::<Vec<_>>().join(&text(separator)).as_str().into_value(),
        other => text(other).as_str().into_value(),
    })
}

/// `split TEXT SEPARATOR`
fn split(args: &[Value]) -> Outcome {
    let (whole, separator) = two(args)?;
    let (whole, separator) = (text(whole), text(separator));
    let parts: Vec<Value> = if separator.is_empty() {
        whole.chars().map(|c| c.to_string().as_str().into_value()).collect()
    } else {
        whole.split(&separator).map(IntoValue::into_value).collect()
    };
    Ok(Value::List(parts.into()))
}

/// `truncate TEXT LENGTH`, in characters.
fn truncate(args: &[Value]) -> Outcome {
    let (whole, length) = two(args)?;
    let length = usize::try_from(length.as_int().unwrap_or(0)).unwrap_or(0);
    Ok(text(whole).chars().take(length).collect::<String>().as_str().into_value())
}

/// `pad TEXT BEFORE AFTER`, in spaces; nothing is padded around nothing. More than a line's worth is refused.
fn pad(args: &[Value]) -> Outcome {
    const MOST: i64 = 1024;
    let [whole, before, after] = args else { return Err(wrong("pad", 3, args.len())) };
    let whole = text(whole);
    if whole.is_empty() {
        return Ok(whole.as_str().into_value());
    }
    let spaces = |count: &Value| match count.as_int() {
        Some(count @ 0..=MOST) => Ok(" ".repeat(usize::try_from(count).unwrap_or(0))),
        _ => Err(TemplateError::Exec(format!("pad takes 0 to {MOST} spaces, not {count}"))),
    };
    Ok(format!("{}{whole}{}", spaces(before)?, spaces(after)?).as_str().into_value())
}

/// `index COLLECTION KEY…`; an absent key of a map is the empty text, as of Go's `map[string]string`.
fn index(args: &[Value]) -> Outcome {
    let mut value = one(args)?.clone();
    for key in &args[1..] {
        value = match (&value, value.index(key)?) {
            (Value::Map(_), Value::Nil) => "".into_value(),
            (_, found) => found,
        };
    }
    Ok(value)
}

fn title(text: &str) -> String {
    let mut begin = true;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        match begin && c.is_alphabetic() {
            true => titled.extend(c.to_uppercase()),
            false => titled.push(c),
        }
        begin = !(c.is_alphanumeric() || c == '_' || c == '\'');
    }
    titled
}

fn to_json(value: &Value) -> Outcome {
    let text = json::text(&Plain(value), Style::INLINE).map_err(|error| TemplateError::Exec(error.to_string()))?;
    Ok(text.as_str().into_value())
}

/// A template's value as JSON; times, which templates see in Go's form, as RFC 3339.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Nil | Value::Function(_) => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Uint(value) => serializer.serialize_u64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::String(text) => match time::from_go_form(text) {
                Some(time) => serializer.serialize_str(&time),
                None => serializer.serialize_str(text),
            },
            Value::List(list) => {
                let mut out = serializer.serialize_seq(Some(list.len()))?;
                for value in list.iter() {
                    out.serialize_element(&Plain(value))?;
                }
                out.end()
            }
            Value::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map.iter() {
                    out.serialize_entry(&**key, &Plain(value))?;
                }
                out.end()
            }
        }
    }
}
