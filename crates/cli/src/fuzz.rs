//! Templates and words of the command line that nobody wrote. See `xtask::fuzz`.

use crate::format::{Show, View, document};
use crate::moment;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use xtask::fuzz::Target;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    id: &'static str,
    names: Vec<&'static str>,
    labels: BTreeMap<&'static str, &'static str>,
    size: u64,
    created: &'static str,
    nothing: Option<String>,
}

impl View for Document {
    const TIMES: &'static [&'static str] = &["Created"];
}

#[test]
fn template() {
    let shown = Document {
        id: "0123456789abcdef",
        names: vec!["web", "alias"],
        labels: BTreeMap::from([("app", "front")]),
        size: 7,
        created: "2026-11-22T02:36:48.5Z",
        nothing: None,
    };
    let seeds: [&[u8]; 6] = [
        b"{{.ID}}\\t{{join .Names \",\"}}",
        b"{{range $i, $n := .Names}}{{$i}}={{$n | upper}}{{else}}none{{end}}",
        b"{{if and .Size (gt .Size 5)}}{{printf \"%5.2f %q %v\" 1.5 .Id .Labels}}{{end}}",
        b"{{json .Labels}} {{index .Labels \"app\"}} {{slice .Id 0 5}} {{len .Names}}",
        b"{{with .Labels.app}}{{.}}{{end}}{{define \"x\"}}y{{end}}{{template \"x\" .}}",
        b"table {{.ID}} {{/* comment */}}{{- .Size -}} {{.Nothing}}",
    ];
    let words = [
        "{{",
        "}}",
        "{{end}}",
        "{{if ",
        "{{range ",
        "{{with ",
        "{{else}}",
        "{{- ",
        " -}}",
        ".Names",
        ".Labels",
        ".Nothing",
        "index ",
        "slice ",
        "printf \"%",
        "%s",
        "%d",
        "%999d",
        "%*d",
        "join ",
        "split ",
        "json ",
        "len ",
        "eq ",
        "lt ",
        "html ",
        "\"",
        "`",
        "|",
        "(",
        ")",
        "$x := ",
        "nil",
        "-1",
        "call ",
        "println ",
        "{{define \"t\"}}",
        "{{template \"t\" .}}",
        "{{block \"t\" .}}",
        "{{break}}",
        "{{continue}}",
        "'a'",
    ];
    Target { name: "template", seeds: &seeds, words: &words }.run(|input| {
        match document(&shown, "inspect", &String::from_utf8_lossy(input), Show::now()) {
            Ok(text) => format!("fine {}", text.len().min(40)),
            Err(error) => error.to_string(),
        }
    });
}

#[test]
fn moments() {
    let seeds: [&[u8]; 5] =
        [b"2026-11-22T02:36:48.5+01:00", b"10m30s", b"1764000000.123456789", b"2026-11-22", b"-1.5h"];
    let words = ["h", "m", "s", "ms", ".", "-", "+", "T", "Z", ":", "99999999999999999999", "0"];
    let now = Timestamp::UNIX_EPOCH;
    Target { name: "moments", seeds: &seeds, words: &words }.run(|input| {
        let text = String::from_utf8_lossy(input);
        format!("{:?} {:?}", moment::parse(&text, now).is_ok(), moment::parse_ahead(&text, now).is_ok())
    });
}
