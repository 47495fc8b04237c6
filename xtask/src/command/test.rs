//! `cargo xtask test …`

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use xtask::suite::{self, Tier};

/// Runs the tiers and the filter that the words name; all of them without words.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let (mut tiers, mut filter) = (Vec::new(), None);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "--tier" => tiers.push(Tier::parse(words.next().context("--tier: no tier given")?)?),
            option if option.starts_with('-') => bail!("test: no such option: {option}"),
            word if filter.is_none() => filter = Some(word),
            word => bail!("test: a second filter: {word}"),
        }
    }
    let tiers = if tiers.is_empty() { Tier::ALL.to_vec() } else { tiers };
    let tally = suite::run(&tiers, filter)?;
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
