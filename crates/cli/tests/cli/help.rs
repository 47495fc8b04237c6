//! `lodger help`, `--help`

use super::Environment;

#[test]
fn a_commands_help_has_podmans_layout() {
    let environment = Environment::new();
    let expected = "\
Show the version of lodger

Description:
  Shows the version of lodger, and of the podman whose command line it follows.

Usage:
  lodger version [options]

Examples:
  lodger version
  lodger version --format '{{.Client.Version}}'

Options:
  -f, --format string   Change the output to json or a Go template
";
    assert_eq!(environment.ok(&["version", "--help"]), expected);
    assert_eq!(environment.ok(&["version", "-h"]), expected);
    assert_eq!(environment.ok(&["help", "version"]), expected);
}

#[test]
fn lodgers_own_help_lists_every_command_once() {
    let environment = Environment::new();
    let help = environment.ok(&["--help"]);
    assert_eq!(environment.ok(&["help"]), help);
    assert_eq!(help.lines().filter(|line| line.trim_start().starts_with("version ")).count(), 1);
    assert!(!help.contains("__complete"), "{help}");
    for command in commands(&help) {
        let text = environment.ok(&["help", &command]);
        assert!(text.contains(&format!("Usage:\n  lodger {command}")), "{text}");
    }
}

/// The names in the help's list of commands.
fn commands(help: &str) -> Vec<String> {
    let list = help.split("Available Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}
