//! `cargo xtask vm …`

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use xtask::host::Owner;
use xtask::vm::{self, Vm};

use super::host::{name, status, to_run};

/// Runs one of the words below `vm`.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let (&verb, rest) = words.split_first().context("vm: up, down, reboot, crash, run or list?")?;
    match verb {
        "run" => {
            let (who, name, command) = to_run(rest)?;
            return status(&mut Vm::open(name)?.enter_words(&who, &command));
        }
        "list" => vm::names()?.iter().for_each(|name| println!("{name}")),
        "up" => up(name(rest)?)?,
        "down" => Vm::down(name(rest)?)?,
        "reboot" => Vm::open(name(rest)?)?.reboot()?,
        "crash" => Vm::open(name(rest)?)?.crash()?,
        other => bail!("vm: no such verb: {other}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn up(name: &str) -> Result<()> {
    vm::reap()?;
    Vm::up(name, Owner::Nobody)?;
    println!("machine {name} is up: alice lingers and has subordinate ids; busybox.tar is in /images");
    println!("  cargo xtask vm run --user alice {name} -- CMD…     in a login session");
    println!("  cargo xtask vm crash {name}                        cut its power and boot it again");
    Ok(())
}
