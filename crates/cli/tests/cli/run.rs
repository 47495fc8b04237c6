//! `lodger run`

use super::Environment;
use std::io::Write;
use std::process::Stdio;

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let environment = Environment::new();
    assert!(environment.refused(&["run"]).starts_with("Error: requires at least 1 arg(s), only received 0\n"));
    assert!(
        environment
            .refused(&["run", "--attach", "stdout", "x"])
            .starts_with("Error: --attach=stdout is not supported by lodger: ")
    );
    assert!(environment.refused(&["run", "-d", "-a", "stdout", "x"]).starts_with("Error: conflicting options: "));
    assert!(environment.refused(&["run", "--nmae", "x", "y"]).ends_with("hint: did you mean --name?\n"));
    assert!(environment.refused(&["run", "--pull", "never", "nope"]).contains("nope: image not known"));
    assert_eq!(environment.ok(&["ps", "-aq"]), "");
    assert!(environment.ok(&["run", "--help"]).contains("\nUsage:\n  lodger run [options] IMAGE [COMMAND [ARG...]]\n"));
    // -h is the host name, as in podman.
    assert!(environment.refused(&["run", "-h"]).starts_with("Error: flag needs an argument: 'h' in -h\n"));
}

#[test]
fn a_command_runs_and_leaves_its_exit_code() {
    let Some(environment) = Environment::with_busybox() else { return };
    let run = |words: &[&str]| {
        let words: Vec<&str> = ["run", "--rm", "--network=none"].iter().chain(words).copied().collect();
        let outcome = environment.run(&words);
        (outcome.code, outcome.stdout, outcome.stderr)
    };
    assert_eq!(run(&["busybox", "echo", "--rm", "-x"]), (0, "--rm -x\n".into(), String::new()));
    assert_eq!(
        run(&["-e", "A=b", "busybox", "sh", "-c", "echo $A; echo err >&2; exit 3"]),
        (3, "b\n".into(), "err\n".into())
    );
    assert_eq!(run(&["busybox", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"]).0, 137);
    assert_eq!(environment.ok(&["ps", "-aq"]), "");
    let (code, out, error) = run(&["busybox", "no-such-program"]);
    assert_eq!((code, out.as_str()), (127, ""));
    assert!(error.starts_with("Error: executable file `no-such-program` not found in $PATH"), "{error}");
    assert_eq!(run(&["busybox", "/etc"]).0, 126);
}

#[test]
fn standard_input_reaches_the_container_only_when_asked() {
    let Some(environment) = Environment::with_busybox() else { return };
    for (flag, expected) in [("--interactive", "hello"), ("--interactive=false", "")] {
        let words = ["run", "--rm", "--network=none", flag, "busybox", "cat"];
        let mut child = environment.lodger().args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // A container that does not read closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(b"hello");
        assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), expected, "{flag}");
    }
}
