//! All tests of the project, in tiers from quick to thorough, with one count at the end.
//!
//! | tier | what | how |
//! |---|---|---|
//! | `lint` | format, clippy, import and file rules | cargo, `rules` |
//! | `unit` | pure code, inside the crates | `cargo test --lib --bins`, `--doc` |
//! | `ns` | the kernel's calls, in namespaces of their own | `cargo test --test '*'` of the library crates |
//! | `cli` | the command line | `cargo test -p cli --test '*'` |
//! | `host` | lodger on a booted host with systemd | `cases` |
//! | `vm` | limits, reboots and power cuts, on an emulated machine with Linux 6.1 | `vm::cases` |
//!
//! What the machine cannot run is counted as skipped, with the reason. With `CI=true` a whole tier that
//! cannot run is a failure.

mod cargo;
mod cases;
mod host;
mod vm;

use std::fmt;
use std::io::Write as _;

use anyhow::{Result, bail};

/// A tier of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Format, lints, import and file rules.
    Lint,
    /// Pure code.
    Unit,
    /// Calls to the kernel, in namespaces.
    Ns,
    /// The command line.
    Cli,
    /// A booted host.
    Host,
    /// A virtual machine.
    Vm,
}

impl Tier {
    /// Every tier, quick ones first.
    pub const ALL: [Tier; 6] = [Tier::Lint, Tier::Unit, Tier::Ns, Tier::Cli, Tier::Host, Tier::Vm];

    /// Reads the name of a tier.
    pub fn parse(name: &str) -> Result<Tier> {
        match name {
            "lint" => Ok(Tier::Lint),
            "unit" => Ok(Tier::Unit),
            "ns" => Ok(Tier::Ns),
            "cli" => Ok(Tier::Cli),
            "host" => Ok(Tier::Host),
            "vm" => Ok(Tier::Vm),
            other => bail!("no such tier: {other} (lint, unit, ns, cli, host, vm)"),
        }
    }
}

/// How many tests passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that ran and held.
    pub passed: usize,
    /// Tests that ran and did not.
    pub failed: usize,
    /// Tests that could not run here, or are marked as ignored.
    pub skipped: usize,
}

impl Tally {
    /// One test more.
    pub fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Skipped(_) => self.skipped += 1,
        }
    }

    fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { passed, failed, skipped } = self;
        write!(out, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Passed,
    /// It did not, for this reason.
    Failed(String),
    /// It could not run here, for this reason.
    Skipped(String),
}

impl Verdict {
    /// A test that could not run: skipped, but a failure where nothing may be skipped.
    fn unable(reason: &str) -> Verdict {
        match must_run_all() {
            true => Verdict::Failed(format!("not run, with CI=true: {reason}")),
            false => Verdict::Skipped(reason.to_owned()),
        }
    }
}

/// Runs the tests of some tiers whose names contain the filter, prints each and the sum.
pub fn run(tiers: &[Tier], filter: Option<&str>) -> Result<Tally> {
    let mut sum = Tally::default();
    for &tier in tiers {
        let tally = match tier {
            Tier::Lint => cargo::lint(),
            Tier::Unit => {
                let mut tally = cargo::test(&["--workspace", "--lib", "--bins"], filter)?;
                tally.add(cargo::test(&["--workspace", "--doc"], filter)?);
                tally
            }
            Tier::Ns => cargo::test(&["--workspace", "--exclude=cli", "--test=*"], filter)?,
            Tier::Cli => {
                // Its tests use images where they are made; without them they say what they skip.
                if let Err(error) = host::make_images() {
                    println!("no images: {error:#}");
                }
                cargo::test(&["--package=cli", "--test=*"], filter)?
            }
            Tier::Host => host::run(filter)?,
            Tier::Vm => vm::run(filter)?,
        };
        sum.add(tally);
    }
    println!("{sum}");
    Ok(sum)
}

/// A host for one run of something, named after it: it goes with this process.
pub(crate) fn fresh_host(name: &str) -> Result<crate::host::Host> {
    host::prepare(name)
}

/// Says how one test ended, with its reason indented below it.
fn report(name: &str, verdict: &Verdict, seconds: f64) {
    let (word, reason) = match verdict {
        Verdict::Passed => ("ok", ""),
        Verdict::Failed(reason) => ("FAILED", reason.as_str()),
        Verdict::Skipped(reason) => ("skipped", reason.as_str()),
    };
    println!("{name} ... {word} ({seconds:.1} s)");
    for line in reason.lines() {
        println!("    {line}");
    }
    let _ = std::io::stdout().flush();
}

fn must_run_all() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
