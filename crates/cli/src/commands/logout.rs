//! `lodger logout`: credentials for a registry, forgotten.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::commands::login::{AUTHFILE, COMPAT_AUTH_FILE, not_logged_in, place};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use engine::Host;
use engine::config::RegistryOptions;
use engine::login::{Login, forget_all};
use spec::options::{Complete, Flag};

pub(crate) const COMMAND: Command = Command {
    paths: &["logout"],
    operands: "[REGISTRY]",
    summary: "Log out of a container registry",
    about: "Forgets the credentials that login has kept for a registry. The registry itself is not told.",
    examples: &["lodger logout quay.io", "lodger logout --all"],
    count: Count::AtMost(1),
    complete: &[Complete::Nothing],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

#[derive(Default)]
struct Options {
    all: bool,
    authfile: Option<String>,
    compat_auth_file: Option<String>,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt {
        flag: Flag::switch("all", "Forget the credentials for every registry").short('a'),
        set: |options, value| switch(&mut options.all, value),
    },
    Opt { flag: AUTHFILE, set: |options, value| text(&mut options.authfile, value) },
    Opt { flag: COMPAT_AUTH_FILE, set: |options, value| text(&mut options.compat_auth_file, value) },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let options: Options = call.options(OPTIONS)?;
    let place = place(&call, options.authfile.as_ref(), options.compat_auth_file.as_ref())?;
    let host = Host::read()?;
    if options.all {
        if !call.operands.is_empty() {
            return Err(call.usage("--all takes no arguments"));
        }
        forget_all(&host, &place)?;
        output::print_line("Removed login credentials for all registries")?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = call.operands.first().map(String::as_str);
    let login = Login::new(&host, name, &place, None, &RegistryOptions::default())?;
    match login.forget()? {
        true => output::print_line(&format!("Removed login credentials for {}", login.key()))?,
        false if login.known_elsewhere() => output::print_line(&format!(
            "Not logged into {} with current tool. Existing credentials were established via docker login. Please use docker logout instead.",
            login.key()
        ))?,
        false => return Err(not_logged_in(&login)),
    }
    Ok(ExitCode::SUCCESS)
}
