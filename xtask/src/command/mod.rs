//! The words of `cargo xtask`.

mod host;
mod images;
mod test;
mod vm;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use xtask::bench::{self, measure};
use xtask::demo;

const HELP: &str = "\
usage: cargo xtask TASK

  host up|down|reboot|crash [NAME]      boot, end, reboot or kill-and-boot a test host (NAME: dev)
  host run [--user USER] [--no-session] NAME -- CMD…
                                        run a command in it (as root without --user)
  host shell [--user USER] [NAME]       a login shell in it (as alice)
  host list                             the hosts there are
  vm up|down|reboot|crash [NAME]        boot, end, reboot a virtual machine, or cut its power (NAME: dev)
  vm run [--user USER] [--no-session] NAME -- CMD…
                                        run a command in it (as root without --user)
  vm list                               the machines there are
  images [NAME…]                        make the images of tests and benchmarks
  images push [HOST [NAME…]]            and copy them into a host's registries
  test [--tier lint|unit|ns|cli|host|vm] [FILTER]
                                        run all tests, or those of a tier, or those named so
  fuzz [TARGET] [--seconds N]           inputs that nobody wrote, for all that reads words from outside (N: 60)
  torture [kill|crowd|soak|pieces|disk] [--rounds N] [--seed S] [--minutes M]
                                        kills, crowds, long runs and full disks (N: 1000, M: 10)
  demo                                  a service in a container, from nothing to a page
  bench [ROW]                           lodger beside its peers, into docs/benchmarks.md
  check-imports                         who imports whom, and the other rules of the tree
";

/// Runs the task that the words name.
pub(crate) fn run(words: Vec<String>) -> Result<ExitCode> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.split_first() {
        Some((&"host", rest)) => host::run(rest),
        Some((&"vm", rest)) => vm::run(rest),
        Some((&"images", rest)) => images::run(rest),
        Some((&"test", rest)) => test::run(rest),
        Some((&"fuzz", rest)) => fuzz_for(rest),
        Some((&"torture", rest)) => xtask::torture::run(rest),
        Some((&"demo", _)) => demo::run().map(|()| ExitCode::SUCCESS),
        Some((&"bench", rest)) => bench::run(rest.first().copied()).map(|()| ExitCode::SUCCESS),
        Some((&"measure", [plan])) => print(&measure::measure(plan)?),
        Some((&"pss", [cgroup, payload])) => print(&measure::pss(cgroup, payload)?),
        Some((&"check-imports", _)) => check_rules(),
        Some((&("help" | "--help" | "-h"), _)) => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some((task, _)) => bail!("no such task: {task}\n{HELP}"),
        None => bail!("no task given\n{HELP}"),
    }
}

fn fuzz_for(words: &[&str]) -> Result<ExitCode> {
    let (target, seconds) = match words {
        [] => (None, "60"),
        ["--seconds", seconds] => (None, *seconds),
        [target] => (Some(*target), "60"),
        [target, "--seconds", seconds] | ["--seconds", seconds, target] => (Some(*target), *seconds),
        _ => bail!("fuzz: want [TARGET] [--seconds N]"),
    };
    xtask::fuzz::run(target, seconds.parse().with_context(|| format!("fuzz: {seconds:?} is no number of seconds"))?)
}

fn check_rules() -> Result<ExitCode> {
    let broken = xtask::rules::check()?;
    broken.iter().for_each(|rule| println!("{rule}"));
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(value: &impl std::fmt::Display) -> Result<ExitCode> {
    println!("{value}");
    Ok(ExitCode::SUCCESS)
}
