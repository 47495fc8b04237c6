//! Templates and tables as podman's users write them.

use super::*;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    id: &'static str,
    names: Vec<&'static str>,
    labels: BTreeMap<&'static str, &'static str>,
    state: State,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    started_at: &'static str,
    pid: u32,
}

impl View for Row {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[("ID", "CONTAINER ID")];
    const TIMES: &'static [&'static str] = &["State.StartedAt"];

    fn methods(&self, show: Show) -> Vec<(&'static str, Value)> {
        vec![("ID", Value::String(show.id(self.id).into()))]
    }
}

fn rows() -> Vec<Row> {
    let row = |id, name, label| Row {
        id,
        names: vec![name, "alias"],
        labels: BTreeMap::from([("app", label)]),
        state: State { started_at: "2026-11-22T02:36:48.5Z", pid: 7 },
    };
    vec![row("0123456789abcdef", "web", "front"), row("fedcba9876543210", "db", "b\x1b[1m\tack")]
}

fn shown(format: Option<&str>) -> String {
    try_shown(format).unwrap()
}

fn try_shown(format: Option<&str>) -> Result<String, CliError> {
    let spec = List {
        name: "ps",
        format,
        row: "{{.ID}}\t{{join .Names \",\"}}",
        heading: Heading::Shown,
        json: Style::LIST,
        show: Show::now(),
    };
    list(&rows(), &spec)
}

#[test]
fn the_default_is_a_table() {
    let expected = "CONTAINER ID  NAMES\n0123456789ab  web,alias\nfedcba987654  db,alias\n";
    assert_eq!(shown(None), expected);
    assert_eq!(shown(Some("table")), expected);
}

#[test]
fn a_table_has_headings_and_a_template_has_none() {
    let table = "CONTAINER ID  STARTED AT                       APP\n\
                 0123456789ab  2026-11-22 02:36:48.5 +0000 UTC  front\n\
                 fedcba987654  2026-11-22 02:36:48.5 +0000 UTC  b\\x1b[1m\\tack\n";
    assert_eq!(shown(Some("table {{.ID}}\\t{{.State.StartedAt}} {{.Labels.app}}")), table);
    assert_eq!(shown(Some("{{.ID}}:{{.State.Pid}}")), "0123456789ab:7\nfedcba987654:7\n");
    assert_eq!(shown(Some("{{.ID}}\\n{{.State.Pid}}\\t")), "0123456789ab\n7\t\nfedcba987654\n7\t\n");
}

#[test]
fn a_template_may_range_over_the_rows_itself() {
    assert_eq!(shown(Some("{{range .}}{{.ID}} {{end}}")), "0123456789ab fedcba987654 \n");
    assert_eq!(shown(Some("{{range .Names}}{{.}} {{end}}")), "web alias \ndb alias \n");
    assert_eq!(shown(Some("{{ range $i, $r := . }}{{$i}}{{$r.ID}} {{ end -}}")), "00123456789ab 1fedcba987654 ");
}

#[test]
fn functions_are_podmans() {
    let of = |text: &str| shown(Some(text)).lines().next().unwrap_or_default().to_owned();
    assert_eq!(of("{{upper (index .Names 0)}} {{lower \"ABC\"}} {{title \"up since\"}}"), "WEB abc Up Since");
    assert_eq!(of("{{index (split \"a/b/c\" \"/\") 1}}"), "b");
    assert_eq!(of("{{truncate .Id 3}}|{{pad \"x\" 1 2}}|{{pad \"\" 1 2}}|"), "012| x  ||");
    assert_eq!(of("{{json .State}}"), r#"{"Pid":7,"StartedAt":"2026-11-22T02:36:48.5Z"}"#);
    assert_eq!(of("{{json .Names}}{{len .Names}}"), r#"["web","alias"]2"#);
    assert_eq!(of("{{.Label \"app\"}} {{index .Labels \"app\"}}"), "front front");
    assert_eq!(of("{{if eq .State.Pid 7}}seven{{else}}other{{end}}"), "seven");
}

#[test]
fn an_absent_label_is_no_error_and_an_unknown_field_is() {
    let of = |text: &str| shown(Some(text)).lines().next().unwrap_or_default().to_owned();
    assert_eq!(of("[{{.Label \"nope\"}}{{index .Labels \"nope\"}}]"), "[]");
    assert_eq!(of("{{.Labels.nope}}"), "<no value>");
    assert_eq!(of("{{if .Labels.nope}}yes{{else}}no{{end}}"), "no");
    let error = |text: &str| try_shown(Some(text)).unwrap_err().text();
    assert_eq!(
        error("{{.State.StartdAt}}"),
        "Error: template: ps: can't evaluate field StartdAt\nhint: did you mean .StartedAt?\n"
    );
    assert_eq!(
        error("{{uper .ID}}"),
        "Error: template: ps:1: function \"uper\" not defined\nhint: did you mean upper?\n"
    );
    assert!(error("{{.ID").starts_with("Error: template: ps:1:"), "{}", error("{{.ID"));
    for unbalanced in ["{{if .ID}}x", "x{{end}}y", "{{range .}}{{.ID}}"] {
        assert!(error(unbalanced).starts_with("Error: template: ps:1: unexpected EOF or {{end}}"), "{unbalanced}");
    }
}

#[test]
fn json_may_be_asked_for_in_three_ways() {
    let expected = shown(Some("json"));
    assert!(expected.starts_with("[\n  {\n    \"Id\": \"0123456789abcdef\",\n    \"Names\": [\n"), "{expected}");
    for same in [" json ", "{{json .}}", "{{ json . }}", "{{json}}"] {
        assert_eq!(shown(Some(same)), expected);
    }
    assert!(!is_json("{{json .Names}}"));
}

#[test]
fn inspect_prints_documents_or_a_line_for_each() {
    let text = documents(&rows(), "inspect", Some("{{.Id}} {{.State.Pid}}"), Show::now()).unwrap();
    assert_eq!(text, "0123456789abcdef 7\nfedcba9876543210 7\n");
    let text = documents(&rows()[..1], "inspect", None, Show::now()).unwrap();
    assert!(text.starts_with("[\n     {\n          \"Id\": \"0123456789abcdef\",\n"), "{text}");
}

proptest::proptest! {
    #[test]
    fn no_template_makes_it_panic(text in "(\\{\\{|\\}\\}|range|end|if|\\.|Names|Labels|json|index|-|\\$|\"|[ a-zA-Z0-9\\n\\t|()])*") {
        let _ = try_shown(Some(&text));
        let _ = try_shown(Some(&format!("table {text}")));
    }
}
