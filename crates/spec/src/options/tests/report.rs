//! `docs/options.md` is written from the table; this test fails when it is out of date.
//!
//! `UPDATE=1 cargo test -p spec options` writes it.

use super::super::{
    COMMAND_FLAGS, Flag, Form, InUnit, Items, Opt, UNIT_KEYS, UNSUPPORTED, UNSUPPORTED_VALUES, Value, Verbs, table,
};
use std::fmt::Write;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/options.md");

const HEAD: &str = "\
<!-- Written by `UPDATE=1 cargo test -p spec options`; changes go to crates/spec/src/options. -->
# Options of a container

Each option of `lodger run` and `lodger create` and each key of the `[Container]` section of a Quadlet file. Names,
letters and values are podman's; podman-run(1) and podman-systemd.unit(5) describe them at length.

How a key's values are written:

| form | means |
|---|---|
| one | the last assignment counts; a pair of double quotes around it is dropped |
| yes/no | `1`, `yes`, `true`, `on` mean yes, everything else no |
| line | one value for each assignment; may be given several times |
| words | values parted by white space, quotes keep one together; may be given several times |
| shell words | words with C escapes such as `\\n`; may be given several times |
| pairs | shell words that each are `key=value`; may be given several times |
| command | shell words; the last assignment counts |

An empty assignment drops the earlier ones. \"With commas\", and `[,...]` after a flag's value, mean that commas part
values too.
";

fn form(form: Form) -> &'static str {
    match form {
        Form::Single | Form::SingleOrEmpty => "one",
        Form::Switch => "yes/no",
        Form::Lines => "line",
        Form::Words => "words",
        Form::ShellWords => "shell words",
        Form::Pairs => "pairs",
        Form::Command => "command",
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn flag(flag: &Flag, items: Items) -> String {
    let more = if items == Items::One { "" } else { "[,...]" };
    let value = match flag.value {
        Value::Switch => String::new(),
        Value::Required(value) => format!("={value}{more}"),
        Value::Optional(value, _) => format!("[={value}]"),
    };
    let aliases: String = flag.aliases.iter().map(|alias| format!(", `--{alias}`")).collect();
    format!("`{}{}`{aliases}", flag.title(), cell(&value))
}

fn row(row: &Opt) -> String {
    let verbs = match row.verbs {
        Verbs::Both => "",
        Verbs::Run => " (run)",
        Verbs::Create => " (create)",
    };
    let (name, help) = match &row.flag {
        Some(it) => (format!("{}{verbs}", flag(it, row.items)), cell(it.help)),
        None => (String::new(), row.key().map_or(String::new(), |key| cell(key.help))),
    };
    let commas = if row.items == Items::Commas { ", with commas" } else { "" };
    let key = match &row.unit {
        InUnit::Key(key) => format!("`{}=` {}{commas}", key.name, form(key.form)),
        InUnit::PodmanArgs => String::new(),
        InUnit::OtherKeys(_) => "the keys below".to_owned(),
    };
    format!("| {name} | {key} | {help} |\n")
}

fn report() -> String {
    let mut text = HEAD.to_owned();
    let mut group = None;
    for it in table() {
        if group != Some(it.group) {
            write!(text, "\n## {}\n\n| flag | key | |\n|---|---|---|\n", it.group.title()).unwrap();
            group = Some(it.group);
        }
        text.push_str(&row(it));
    }
    text.push_str("\n## The command and the service\n\nThese say nothing of the container.\n\n| flag | |\n|---|---|\n");
    COMMAND_FLAGS.iter().for_each(|it| writeln!(text, "| {} | {} |", flag(it, Items::One), cell(it.help)).unwrap());
    text.push_str("\n| key | |\n|---|---|\n");
    for key in UNIT_KEYS {
        writeln!(text, "| `{}=` {} | {} |", key.name, form(key.form), key.help).unwrap();
    }
    text.push_str(
        "\n## What podman has and lodger lacks\n\nUsing one of these is an error that says why and what to do \
         instead.\n\n| flag | key | why | instead | planned |\n|---|---|---|---|---|\n",
    );
    for it in UNSUPPORTED {
        let flag = it.flag.map(|flag| format!("`--{}`", flag.long)).unwrap_or_default();
        let key = it.key.map(|key| format!("`{}=`", key.name)).unwrap_or_default();
        let planned = if it.planned { "yes" } else { "no" };
        writeln!(text, "| {flag} | {key} | {} | {} | {planned} |", cell(it.reason), cell(it.hint)).unwrap();
    }
    text.push_str("\n## Values that lodger lacks\n\n| such as | why | instead |\n|---|---|---|\n");
    for it in UNSUPPORTED_VALUES {
        writeln!(text, "| `{}` | {} | {} |", it.words, cell(it.reason), cell(it.hint)).unwrap();
    }
    text
}

#[test]
fn the_list_of_options_is_up_to_date() {
    let wanted = report();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PATH, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(found == wanted, "docs/options.md is out of date: run UPDATE=1 cargo test -p spec options");
}
