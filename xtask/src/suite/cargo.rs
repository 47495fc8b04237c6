//! The tiers that cargo runs: lints, and every `#[test]`, whose results are read from its output.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Tally, Verdict, report};
use crate::build::cargo;
use crate::{process, rules};

/// Format, clippy, and our own rules; each counts as one test.
pub(super) fn lint() -> Tally {
    let mut tally = Tally::default();
    let all = ["--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
    let checks: [(&str, &dyn Fn() -> Verdict); 3] = [
        ("lint: format", &|| component("fmt", &["--all", "--", "--check"])),
        ("lint: clippy", &|| component("clippy", &all)),
        ("lint: rules", &check_rules),
    ];
    for (name, check) in checks {
        let started = Instant::now();
        let verdict = check();
        report(name, &verdict, started.elapsed().as_secs_f64());
        tally.count(&verdict);
    }
    tally
}

/// Runs a part of the toolchain that may not be installed.
fn component(name: &str, arguments: &[&str]) -> Verdict {
    if !process::succeeds(cargo().args([name, "--version"])) {
        return Verdict::unable(&format!("the toolchain has no cargo {name}"));
    }
    match process::check(cargo().arg(name).args(arguments)) {
        Ok(()) => Verdict::Passed,
        Err(error) => Verdict::Failed(format!("{error:#}")),
    }
}

fn check_rules() -> Verdict {
    match rules::check() {
        Ok(broken) if broken.is_empty() => Verdict::Passed,
        Ok(broken) => Verdict::Failed(broken.join("\n")),
        Err(error) => Verdict::Failed(format!("{error:#}")),
    }
}

/// Runs `cargo test` with a choice of targets and counts what it reports.
pub(super) fn test(choice: &[&str], filter: Option<&str>) -> Result<Tally> {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast", "--locked"]).args(choice).arg("--");
    // A test that must skip says so on its output, which is shown only on demand.
    command.args(filter).arg("--show-output").stdout(Stdio::piped());
    let mut child = command.spawn().context("start cargo test")?;
    let output = child.stdout.take().context("no output of cargo test")?;
    let mut count = Count::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("read the output of cargo test")?;
        if count.read(&line) == Line::ToShow {
            println!("{line}");
        }
    }
    let status = child.wait().context("wait for cargo test")?;
    Ok(count.finish(status.success()))
}

/// Counts the results in the lines of test programs.
#[derive(Debug, Default)]
struct Count {
    tally: Tally,
    /// Tests that passed but said that they, or a part of them, were skipped.
    skipped: usize,
    /// The current test has said so.
    said_so: bool,
    /// Inside what tests that passed have printed.
    in_successes: bool,
}

/// Whether a line is worth a reader's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    ToShow,
    ToPassOver,
}

impl Count {
    fn read(&mut self, line: &str) -> Line {
        if line.starts_with("skipped: ") {
            self.skipped += usize::from(!self.said_so);
            self.said_so = true;
            return Line::ToShow;
        }
        if line.starts_with("---- ") {
            self.said_so = false;
        }
        match line {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            _ => {}
        }
        if let Some(results) = line.strip_prefix("test result: ") {
            self.in_successes = false;
            self.tally.passed += number(results, " passed");
            self.tally.failed += number(results, " failed");
            self.tally.skipped += number(results, " ignored");
        }
        let passed = line.starts_with("test ") && line.ends_with(" ... ok");
        if self.in_successes || passed || line.is_empty() { Line::ToPassOver } else { Line::ToShow }
    }

    /// A test that says it skipped has "passed" for cargo, but not for us.
    fn finish(self, succeeded: bool) -> Tally {
        let mut tally = self.tally;
        let skipped = self.skipped.min(tally.passed);
        tally.passed -= skipped;
        tally.skipped += skipped;
        // It did not build, or a test program died without a result.
        if !succeeded && self.tally.failed == 0 {
            tally.failed += 1;
        }
        tally
    }
}

fn number(results: &str, unit: &str) -> usize {
    let words = results.split(unit).next().unwrap_or_default();
    words.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_programs_add_up() {
        let mut count = Count::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            count.read(line);
        }
        assert_eq!(count.finish(false), Tally { passed: 13, failed: 2, skipped: 1 });
    }

    #[test]
    fn only_what_passed_is_passed_over() {
        let mut count = Count::default();
        let lines = [
            ("running 2 tests", Line::ToShow),
            ("test a ... ok", Line::ToPassOver),
            ("test b ... FAILED", Line::ToShow),
            ("successes:", Line::ToPassOver),
            ("---- a stdout ----", Line::ToPassOver),
            ("skipped: no pasta", Line::ToShow),
            ("failures:", Line::ToShow),
            ("---- b stdout ----", Line::ToShow),
            ("test result: FAILED. 1 passed; 1 failed; 0 ignored", Line::ToShow),
        ];
        for (line, want) in lines {
            assert_eq!(count.read(line), want, "{line}");
        }
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        assert_eq!(Count::default().finish(false).failed, 1);
    }

    #[test]
    fn a_test_that_says_it_skipped_did_not_pass() {
        let mut count = Count::default();
        for line in [
            "successes:",
            "---- a stdout ----",
            "skipped: no user namespaces",
            "skipped: no pasta",
            "---- b stdout ----",
            "skipped: no zsh",
            "test result: ok. 3 passed; 0 failed; 0 ignored",
        ] {
            count.read(line);
        }
        assert_eq!(count.finish(true), Tally { passed: 1, failed: 0, skipped: 2 });
    }
}
