//! `lodger secret create`: a value that containers can be given.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::output;
use engine::Kind;
use engine::secrets::{NewSecret, Taken};
use spec::ParseError;
use spec::options::{Complete, Flag};
use std::collections::BTreeMap;
use std::io::Read;

pub(crate) const COMMAND: Command = Command {
    paths: &["secret create"],
    operands: "NAME FILE|-",
    summary: "Create a new secret",
    about: "Makes a secret of what a file, standard input (-) or with --env a variable holds, and prints its ID. Containers get it with --secret.",
    examples: &[
        "lodger secret create password ./password.txt",
        "printf %s \"$PASSWORD\" | lodger secret create password -",
        "lodger secret create --env password PASSWORD",
    ],
    count: Count::Exactly(2),
    complete: &[Complete::Nothing, Complete::File],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// More than any secret may have.
const LIMIT: u64 = 1 << 20;

#[derive(Default)]
struct Options {
    driver: Option<String>,
    driver_opts: BTreeMap<String, String>,
    env: bool,
    ignore: bool,
    labels: BTreeMap<String, String>,
    replace: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::with_value("driver", "string", "Only file").short('d'),
        set: |options, value| match value {
            "file" => text(&mut options.driver, value),
            _ => Err(ParseError("there is no driver but file".to_owned())),
        },
    },
    Opt {
        flag: Flag::with_value(
            "driver-opts",
            "stringToString",
            "Kept with the secret and shown by inspect: NAME=VALUE",
        ),
        set: |options, value| pair(&mut options.driver_opts, value),
    },
    Opt {
        flag: Flag::switch("env", "The second operand is the name of a variable"),
        set: |options, value| switch(&mut options.env, value),
    },
    Opt {
        flag: Flag::switch("ignore", "An existing secret of this name is no error"),
        set: |options, value| switch(&mut options.ignore, value),
    },
    Opt {
        flag: Flag::with_value("label", "stringArray", "Label the secret: NAME=VALUE").short('l'),
        set: |options, value| pair(&mut options.labels, value),
    },
    Opt {
        flag: Flag::switch("replace", "An existing secret of this name gets the new value"),
        set: |options, value| switch(&mut options.replace, value),
    },
];

fn pair(pairs: &mut BTreeMap<String, String>, value: &str) -> Result<(), ParseError> {
    let (name, value) = value.split_once('=').unwrap_or((value, ""));
    pairs.insert(name.to_owned(), value.to_owned());
    Ok(())
}

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    if options.ignore && options.replace {
        return Err(call.usage("--ignore and --replace cannot be used together"));
    }
    let (name, from) = (call.operands[0].clone(), call.operands[1].as_str());
    let value = match options.env {
        true => variable(from)?,
        false => read(from)?,
    };
    let engine = call.engine()?;
    let new = NewSecret {
        name,
        labels: options.labels,
        options: options.driver_opts,
        value,
        taken: if options.replace { Taken::Replace } else { Taken::Refuse },
    };
    let id = match engine.create_secret(new) {
        Err(error) => match &error.kind {
            Kind::SecretExists(name) if options.ignore => engine.secret(name)?.id,
            _ => return Err(error.into()),
        },
        Ok(secret) => secret.id,
    };
    output::print_line(&id)?;
    Ok(ExitCode::SUCCESS)
}

fn variable(name: &str) -> Result<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    let value = std::env::var_os(name).map(OsStringExt::into_vec);
    value.ok_or_else(|| {
        CliError::Plain(format!("cannot create store secret data: environment variable {name} is not set"))
    })
}

fn read(path: &str) -> Result<Vec<u8>> {
    let fail = |what: &str, source| CliError::Io { operation: format!("{what} {path}"), source };
    let mut value = Vec::new();
    let read = match path {
        "-" => std::io::stdin().lock().take(LIMIT).read_to_end(&mut value),
        path => {
            let file = std::fs::File::open(path).map_err(|error| fail("open", error))?;
            file.take(LIMIT).read_to_end(&mut value)
        }
    };
    read.map_err(|error| fail("read", error))?;
    Ok(value)
}
