//! `cargo xtask images …`

use std::process::ExitCode;

use anyhow::Result;
use xtask::host::Host;
use xtask::image::catalogue;

/// Makes images, and with `push HOST` copies them into a host's registries.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let (host, names) = match words {
        ["push", host, names @ ..] => (Some(Host::open(host)?), names),
        ["push"] => (Some(Host::open("dev")?), &[] as &[&str]),
        names => (None, names),
    };
    let names = if names.is_empty() { &catalogue::NAMES } else { names };
    for name in names {
        catalogue::ensure(name)?;
        match &host {
            Some(host) => host.push(name)?,
            None => println!("{}", catalogue::directory()?.join(format!("{name}.tar")).display()),
        }
    }
    Ok(ExitCode::SUCCESS)
}
