//! `lodger secret inspect`: everything about secrets; their values only when that is asked for.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, OWN, Result};
use crate::exit::ExitCode;
use crate::format::json::{self, Style};
use crate::format::{Show, documents, is_json};
use crate::output;
use crate::selection::outcome;
use crate::view::secret::Secret;
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["secret inspect"],
    operands: "SECRET [SECRET...]",
    summary: "Inspect a secret",
    about: "Shows what is known of secrets as JSON, or what a Go template asks for. With --showsecret their values too.",
    examples: &[
        "lodger secret inspect password",
        "lodger secret inspect --showsecret --format '{{.SecretData}}' password",
    ],
    count: Count::AtLeast(1),
    complete: &[Complete::Secrets],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    format: Option<String>,
    pretty: bool,
    showsecret: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("format", "string", "Show json, or what a Go template asks for").short('f'),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("pretty", "Show it as lines for people"),
        set: |options, value| switch(&mut options.pretty, value),
    },
    Opt {
        flag: Flag::switch("showsecret", "Show the value too"),
        set: |options, value| switch(&mut options.showsecret, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.pretty && options.format.is_some() {
        return Err(call.usage("--format and --pretty cannot be used together"));
    }
    let engine = call.engine()?;
    let mut errors: Vec<CliError> = Vec::new();
    let mut rows = Vec::new();
    for name in &call.operands {
        match engine.secret(name) {
            Ok(secret) => rows.push(Secret::of(&secret, &engine, options.showsecret)?),
            Err(error) => errors.push(error.within("inspecting secret").into()),
        }
    }
    let text = match &options.format {
        _ if options.pretty => rows.iter().map(Secret::pretty).collect(),
        Some(format) if !is_json(format) => documents(&rows, "secret inspect", Some(format), Show::now())?,
        _ => json::text(rows.as_slice(), Style::SECRETS)?,
    };
    output::print(&text)?;
    outcome(errors, |_| OWN)
}
