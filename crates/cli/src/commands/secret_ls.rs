//! `lodger secret ls`: which secrets there are.

use crate::command::{Command, Invocation, Opt, flags_of, push, switch, text};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::filter::{Sense, Term, pattern};
use crate::format::json::Style;
use crate::format::{Heading, List, Show, list};
use crate::view::secret::Row;
use crate::{output, selection};
use engine::secrets::SecretRecord;
use spec::options::Flag;

pub(crate) const COMMAND: Command = Command {
    paths: &["secret ls", "secret list"],
    summary: "List secrets",
    about: "Lists the secrets there are, without their values.",
    examples: &["lodger secret ls", "lodger secret ls --filter name=pass --quiet"],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    filters: Vec<String>,
    format: Option<String>,
    noheading: bool,
    quiet: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("filter", "stringArray", "Only secrets that match, by name= or id=").short('f'),
        set: |options, value| push(&mut options.filters, value),
    },
    Opt {
        flag: Flag::with_value("format", "string", "Show json, a table of chosen columns, or a Go template for each"),
        set: |options, value| text(&mut options.format, value),
    },
    Opt {
        flag: Flag::switch("noheading", "Leave out the headings").short('n'),
        set: |options, value| switch(&mut options.noheading, value),
    },
    Opt {
        flag: Flag::switch("quiet", "Show IDs alone").short('q'),
        set: |options, value| switch(&mut options.quiet, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.quiet && options.format.is_some() {
        return Err(call.usage("quiet and format flags cannot be used together"));
    }
    let terms = options.filters.iter().map(|text| Term::parse(text, &["name", "id"])).collect::<Result<Vec<_>>>()?;
    let engine = call.engine()?;
    let mut rows = Vec::new();
    for secret in engine.secrets(&mut selection::warn)? {
        if accept(&terms, &secret)? {
            rows.push(Row::of(&secret));
        }
    }
    let text = if options.quiet {
        rows.iter().map(|row| format!("{}\n", row.id)).collect()
    } else {
        let spec = List {
            name: "secret ls",
            format: options.format.as_deref(),
            row: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}",
            heading: if options.noheading { Heading::Hidden } else { Heading::Shown },
            json: Style::LIST,
            show: Show::now(),
        };
        list(&rows, &spec)?
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Values of one key are alternatives; both keys must match.
fn accept(terms: &[Term<'_>], secret: &SecretRecord) -> Result<bool> {
    for key in ["name", "id"] {
        let text = if key == "name" { &secret.name } else { &secret.id };
        let mut of_key = terms.iter().filter(|term| term.key == key).peekable();
        if of_key.peek().is_none() {
            continue;
        }
        let mut any = false;
        for term in of_key {
            any |= pattern(key, term.value)?.is_match(text) == (term.sense == Sense::Keep);
        }
        if !any {
            return Ok(false);
        }
    }
    Ok(true)
}
