//! `cargo xtask host …`

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use xtask::host::{self, Host, Owner, Who};

const DEFAULT: &str = "dev";

/// Runs one of the words below `host`.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let (&verb, rest) = words.split_first().context("host: up, down, reboot, crash, run, shell or list?")?;
    match verb {
        "run" => return enter(rest),
        "shell" => return shell(rest),
        "list" => host::names()?.iter().for_each(|name| println!("{name}")),
        "up" => up(name(rest)?)?,
        "down" => Host::down(name(rest)?)?,
        "reboot" => Host::open(name(rest)?)?.reboot()?,
        "crash" => Host::open(name(rest)?)?.crash()?,
        other => bail!("host: no such verb: {other}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn up(name: &str) -> Result<()> {
    host::reap()?;
    Host::up(name, Owner::Nobody)?;
    println!("host {name} is up: users alice and bob (lingering, subordinate ids), carol (neither)");
    println!("  cargo xtask host shell {name}                        as alice");
    println!("  cargo xtask host run --user alice {name} -- CMD…     in a login session");
    println!("  cargo xtask host run --user alice --no-session {name} -- CMD…   as a system service");
    println!("  registries: https://registry.test:5000 (alice, wonderland), http://127.0.0.1:5001,");
    println!("              https://registry.test:5002 (bearer tokens); images in /images");
    Ok(())
}

fn enter(words: &[&str]) -> Result<ExitCode> {
    let (who, name, command) = to_run(words)?;
    status(&mut Host::open(name)?.enter_words(&who, &command))
}

/// Options, a name, `--` and a command: as whom, where, and what.
pub(super) fn to_run<'a>(words: &[&'a str]) -> Result<(Who, &'a str, Vec<String>)> {
    let at = words.iter().position(|&word| word == "--").context("run: no -- before the command")?;
    let (options, command) = (&words[..at], &words[at + 1..]);
    let (user, session, name) = options_of(options)?;
    let who = match (user, session) {
        (None, _) => Who::Root,
        (Some(user), true) => Who::Login(user.to_owned()),
        (Some(user), false) => Who::Service(user.to_owned()),
    };
    Ok((who, name, command.iter().map(|word| (*word).to_owned()).collect()))
}

fn shell(words: &[&str]) -> Result<ExitCode> {
    let (user, _, name) = options_of(words)?;
    status(&mut Host::open(name)?.shell(user.unwrap_or("alice")))
}

/// The user, whether there is to be a session, and the host.
fn options_of<'a>(words: &[&'a str]) -> Result<(Option<&'a str>, bool, &'a str)> {
    let (mut user, mut session, mut names) = (None, true, Vec::new());
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "--user" => user = Some(words.next().context("--user: no user given")?),
            "--root" => user = None,
            "--no-session" => session = false,
            option if option.starts_with('-') => bail!("no such option: {option}"),
            word => names.push(word),
        }
    }
    Ok((user, session, name(&names)?))
}

/// The one name, or the name of whoever gave none.
pub(super) fn name<'a>(words: &[&'a str]) -> Result<&'a str> {
    match words {
        [] => Ok(DEFAULT),
        [name] => Ok(name),
        _ => bail!("more than one name: {words:?}"),
    }
}

/// Runs a command on this terminal; its exit status is ours.
pub(super) fn status(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().context("enter the host")?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255)))
}
