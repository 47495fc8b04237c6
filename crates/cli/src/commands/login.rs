//! `lodger login`: credentials for a registry, tried and kept.

use crate::command::{Command, Count, Invocation, Opt, flags_of, switch, text};
use crate::error::{CliError, Result};
use crate::exit::ExitCode;
use crate::remote::{self, Remote};
use crate::{output, password};
use engine::login::{AuthPlace, Login};
use engine::{Host, Secret};
use spec::options::{Complete, Flag};
use std::io::Read;

pub(crate) const COMMAND: Command = Command {
    paths: &["login"],
    operands: "[REGISTRY]",
    summary: "Log in to a container registry",
    about: "Tries a user name and a password at a registry, and keeps them for pull, push and run, in the file that podman and skopeo read too. A path below the registry makes the login hold for that path alone.",
    examples: &[
        "lodger login quay.io",
        "echo $TOKEN | lodger login --username me --password-stdin registry.example:5000/team",
        "lodger login --get-login quay.io",
    ],
    count: Count::AtMost(1),
    complete: &[Complete::Nothing],
    flags: || flags_of(OPTIONS),
    run,
    ..Command::PLAIN
};

/// The most bytes of a password on standard input.
const PASSWORD_LIMIT: u64 = 64 << 10;

/// `--authfile`, for what changes the file.
pub(super) const AUTHFILE: Flag = Flag {
    help: "Keep credentials in this file (default $REGISTRY_AUTH_FILE, then a file that the next boot forgets)",
    ..remote::AUTHFILE
};
/// `--compat-auth-file`
pub(super) const COMPAT_AUTH_FILE: Flag =
    Flag::with_value("compat-auth-file", "string", "Keep credentials in this file of Docker's form")
        .complete(Complete::File);

#[derive(Default)]
struct Options {
    remote: Remote,
    compat_auth_file: Option<String>,
    get_login: bool,
    password: Option<String>,
    password_stdin: bool,
    secret: Option<String>,
    username: Option<String>,
    verbose: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt { flag: AUTHFILE, set: |options, value| options.remote.set(&AUTHFILE, value) },
    Opt { flag: remote::CERT_DIR, set: |options, value| options.remote.set(&remote::CERT_DIR, value) },
    Opt { flag: COMPAT_AUTH_FILE, set: |options, value| text(&mut options.compat_auth_file, value) },
    Opt {
        flag: Flag::switch("get-login", "Print who is logged in, and try nothing"),
        set: |options, value| switch(&mut options.get_login, value),
    },
    Opt {
        flag: Flag::with_value("password", "string", "The password; other users see it in the list of processes")
            .short('p'),
        set: |options, value| text(&mut options.password, value),
    },
    Opt {
        flag: Flag::switch("password-stdin", "Read the password from standard input"),
        set: |options, value| switch(&mut options.password_stdin, value),
    },
    Opt {
        flag: Flag::with_value(
            "secret",
            "string",
            "Take the password from this secret, whose name is the user's unless one is given",
        ),
        set: |options, value| text(&mut options.secret, value),
    },
    Opt { flag: remote::TLS_VERIFY, set: |options, value| options.remote.set(&remote::TLS_VERIFY, value) },
    Opt {
        flag: Flag::with_value("username", "string", "The user's name").short('u'),
        set: |options, value| text(&mut options.username, value),
    },
    Opt {
        flag: Flag::switch("verbose", "Say where the login is kept").short('v'),
        set: |options, value| switch(&mut options.verbose, value),
    },
];

fn run(call: Invocation) -> Result<ExitCode> {
    let mut options: Options = call.options(OPTIONS)?;
    let place = place(&call, options.remote.pull.authfile.as_ref(), options.compat_auth_file.as_ref())?;
    if options.password_stdin && options.username.is_none() {
        return Err(call.usage("must provide --username with --password-stdin"));
    }
    if options.password_stdin && options.password.is_some() {
        return Err(call.usage("can't specify both --password-stdin and --password"));
    }
    if let Some(secret) = &options.secret {
        if options.password.is_some() || options.password_stdin {
            return Err(call.usage("--secret can not be used with --password options"));
        }
        options.username.get_or_insert_with(|| secret.clone());
        options.password = Some(password_of(&call, secret)?);
    }
    let name = call.operands.first().map(String::as_str);
    let registry = options.remote.options(&call.path)?;
    let login = Login::new(&Host::read()?, name, &place, options.remote.pull.tls_verify, &registry)?;
    if options.get_login {
        let user = login.user()?.ok_or_else(|| not_logged_in(&login))?;
        output::print_line(&user)?;
        return Ok(ExitCode::SUCCESS);
    }
    if options.username.is_none() && options.password.is_none() && still_valid(&login)? {
        return Ok(ExitCode::SUCCESS);
    }
    let user = match &options.username {
        Some(user) => user.clone(),
        None => password::ask_openly("Username: ")?,
    };
    if user.is_empty() || user.contains(':') {
        return Err(CliError::Invalid {
            message: "a user name without a colon is needed".to_owned(),
            hint: Some("--username NAME --password-stdin, where there is no terminal".to_owned()),
        });
    }
    login.try_and_keep(&user, &password(&options)?)?;
    output::print_line("Login Succeeded!")?;
    if options.verbose {
        output::print_line(&format!("Used: {}", login.file().display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The value of a secret.
fn password_of(call: &Invocation, name: &str) -> Result<String> {
    let engine = call.engine()?;
    let value = engine.secret_value(&engine.secret(name)?)?;
    String::from_utf8(value)
        .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(|_| CliError::Invalid { message: format!("secret {name} is no text"), hint: None })
}

/// Where the login goes.
pub(super) fn place(call: &Invocation, authfile: Option<&String>, docker: Option<&String>) -> Result<AuthPlace> {
    match (authfile, docker) {
        (Some(_), Some(_)) => Err(call.usage("options for paths to the credential file and to the Docker-compatible credential file can not be set simultaneously")),
        (Some(path), None) => Ok(AuthPlace::File(path.into())),
        (None, Some(path)) => Ok(AuthPlace::Docker(path.into())),
        (None, None) => Ok(AuthPlace::Usual),
    }
}

/// The error of those who are not.
pub(super) fn not_logged_in(login: &Login) -> CliError {
    CliError::Invalid { message: format!("not logged into {}", login.key()), hint: None }
}

/// Whether what is kept already does.
fn still_valid(login: &Login) -> Result<bool> {
    if login.user()?.is_none() {
        return Ok(false);
    }
    output::print_line(&format!("Authenticating with existing credentials for {}", login.key()))?;
    match login.existing_works() {
        Ok(()) => {
            output::print_line(&format!("Existing credentials are valid. Already logged in to {}", login.key()))?;
            Ok(true)
        }
        Err(error) if matches!(error.kind, engine::Kind::Unauthorized(_)) => {
            output::print_line("Existing credentials are invalid, please enter valid username and password")?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn password(options: &Options) -> Result<Secret> {
    if let Some(password) = &options.password {
        return Ok(Secret::new(password.clone()));
    }
    if !options.password_stdin {
        return password::ask("Password: ").map(Secret::new);
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(PASSWORD_LIMIT)
        .read_to_string(&mut text)
        .map_err(|source| CliError::Io { operation: "read the password from standard input".to_owned(), source })?;
    // As written by `echo`: line ends are not part of it.
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
