//! The words of `cargo xtask`.

mod host;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
usage: cargo xtask TASK

  host up|down|reboot|crash [NAME]      boot, end, reboot or kill-and-boot a test host (NAME: dev)
  host run [--user USER] [--no-session] NAME -- CMD…
                                        run a command in it (as root without --user)
  host shell [--user USER] [NAME]       a login shell in it (as alice)
  host list                             the hosts there are
";

/// Runs the task that the words name.
pub(crate) fn run(words: Vec<String>) -> Result<ExitCode> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.split_first() {
        Some((&"host", rest)) => host::run(rest),
        Some((&("help" | "--help" | "-h"), _)) => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some((task, _)) => bail!("no such task: {task}\n{HELP}"),
        None => bail!("no task given\n{HELP}"),
    }
}
