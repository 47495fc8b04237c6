//! `lodger run`

use super::Environment;
use std::io::Write;
use std::process::Stdio;

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let environment = Environment::new();
    assert!(environment.refused(&["run"]).starts_with("Error: requires at least 1 arg(s), only received 0\n"));
    assert!(environment.refused(&["run", "--attach", "console", "x"]).starts_with("Error: invalid stream \"console\""));
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
    // What keeps it from starting once it is made.
    for words in [&["--workdir", "/nope"][..], &["--user", "nope"], &["--user", "0:nope"], &["--group-add", "nope"]] {
        let words: Vec<&str> = words.iter().chain(&["busybox", "true"]).copied().collect();
        assert_eq!(run(&words).0, 126, "{words:?}");
    }
    assert_eq!(run(&["--user", ":33", "busybox", "id"]).1, "uid=0(root) gid=33(www) groups=33(www)\n");
    assert_eq!(run(&["--user", "7:8", "busybox", "id"]).1, "uid=7(7) gid=8(8) groups=8(8)\n");
}

#[test]
fn the_steps_of_a_start_are_shown_and_nothing_stays() {
    let Some(environment) = Environment::with_busybox() else { return };
    let ops = environment.ok(&["run", "--show-ops", "--network=none", "-v", "/data", "busybox", "touch", "/x"]);
    assert!(ops.lines().count() > 20 && ops.lines().last().unwrap().contains("touch"), "{ops}");
    assert_eq!(environment.ok(&["ps", "-aq"]) + &environment.ok(&["volume", "ls", "-q"]), "");
}

#[test]
fn the_callers_files_are_out_of_the_containers_reach() {
    let Some(environment) = Environment::with_busybox() else { return };
    let path = environment.home.path().join("out");
    let words = [
        "run",
        "--rm",
        "--network=none",
        "-i",
        "busybox",
        "sh",
        "-c",
        "for n in 0 1 2; do readlink /proc/$$/fd/$n; done; \
        echo again >/dev/stdout; echo err >/dev/stderr",
    ];
    let file = || std::fs::File::options().create(true).append(true).open(&path).unwrap();
    let input = std::fs::File::open("/dev/null").unwrap();
    assert!(environment.lodger().args(words).stdin(input).stdout(file()).stderr(file()).status().unwrap().success());
    let text = std::fs::read_to_string(&path).unwrap();
    let pipes = text.lines().filter(|line| line.starts_with("pipe:")).count();
    assert!(pipes == 3 && text.contains("again\n") && text.contains("err\n"), "{text}");
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
