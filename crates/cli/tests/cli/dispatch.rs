//! Words that lead to a command, and words that lead nowhere.

use super::Environment;
use std::io::Read;
use std::process::{Command, Stdio};

#[test]
fn unknown_words_are_answered_with_the_nearest_known_one() {
    let environment = Environment::new();
    assert_eq!(
        environment.refused(&["verzion"]),
        "Error: unrecognized command `lodger verzion`\nTry 'lodger --help' for more information\nhint: did you mean `lodger version`?\n"
    );
    assert_eq!(
        environment.refused(&["volume", "zzzzzz"]),
        "Error: unrecognized command `lodger volume zzzzzz`\nTry 'lodger volume --help' for more information\n"
    );
    assert_eq!(
        environment.refused(&["version", "--frmat", "json"]),
        "Error: unknown flag: --frmat\nSee 'lodger version --help'\nhint: did you mean --format?\n"
    );
}

#[test]
fn a_missing_word_is_said() {
    let environment = Environment::new();
    assert_eq!(
        environment.refused(&[]),
        "Error: missing command 'lodger COMMAND'\nTry 'lodger --help' for more information\n"
    );
    assert_eq!(
        environment.refused(&["volume"]),
        "Error: missing command 'lodger volume COMMAND'\nTry 'lodger volume --help' for more information\n"
    );
    assert_eq!(
        environment.refused(&["version", "extra"]),
        "Error: `lodger version` takes no arguments\nSee 'lodger version --help'\n"
    );
}

#[test]
fn what_podman_has_and_lodger_lacks_is_refused_with_the_reason() {
    let environment = Environment::new();
    let error = environment.refused(&["--runtime", "runc", "version"]);
    assert_eq!(
        error,
        "Error: --runtime is not supported by lodger: lodger starts containers itself, without a separate runtime program\n"
    );
    assert_eq!(environment.refused(&["version", "--runtime=runc"]), error);
    let error = environment.refused(&["system", "connection", "add", "x"]);
    assert!(error.starts_with("Error: `lodger system connection` is not supported by lodger: "), "{error}");
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    let environment = Environment::new();
    let expected = environment.ok(&["version"]);
    for words in [
        &["--log-level", "debug", "version"][..],
        &["--log-level=debug", "version"],
        &["version", "--log-level", "debug"],
        &["--root", "/nowhere", "version"],
        &["--help=false", "version"],
    ] {
        assert_eq!(environment.ok(words), expected, "{words:?}");
    }
    let error = environment.refused(&["--log-level", "loud", "version"]);
    assert!(error.starts_with("Error: invalid argument \"loud\" for \"--log-level\" flag: "), "{error}");
}

#[test]
fn an_argument_cannot_draw_on_the_terminal() {
    let error = Environment::new().refused(&["\x1b[2Jx\nError: y"]);
    assert!(!error.contains('\x1b') && error.lines().filter(|line| line.starts_with("Error:")).count() == 1, "{error}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let environment = Environment::new();
    let mut child = environment.lodger().arg("--help").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    // Either it had written before the pipe closed, or it ends as a program does that SIGPIPE ends.
    assert_eq!(error, "");
    assert!(matches!(child.wait().unwrap().code(), Some(0 | 141)));
}

/// The program, started by a shell with its standard streams closed.
fn without_streams(environment: &Environment, words: &[&str]) -> i32 {
    let lodger = environment.lodger();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh"]).arg(lodger.get_program()).args(lodger.get_args()).args(words);
    shell.env_clear().current_dir(environment.home.path());
    shell.envs(lodger.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().unwrap().code().unwrap_or(-1)
}

#[test]
fn closed_streams_are_nobodys_files() {
    let Some(environment) = Environment::with_image() else { return };
    assert_eq!(without_streams(&environment, &["info"]), 0);
    // What is opened first would be standard input, and be written to by what is said.
    assert_eq!(without_streams(&environment, &["volume", "create", "--debug", "web"]), 125);
    assert_eq!(without_streams(&environment, &["volume", "create", "web"]), 0);
    assert_eq!(without_streams(&environment, &["create", "--name", "web", "registry.example/team/web:1", "true"]), 0);
    assert_eq!(environment.ok(&["volume", "ls", "--quiet"]), "web\n");
    assert_eq!(environment.ok(&["ps", "--all", "--format", "{{.Names}}"]), "web\n");
    assert_eq!(environment.run(&["system", "check"]).code, 0);
}

#[test]
fn lists_and_documents_end_quietly_with_their_reader() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["registry.example/team/web:1", "true"]);
    for words in
        [&["ps", "--all"][..], &["images"], &["info"], &["inspect", "--latest"], &["images", "--format", "json"]]
    {
        let mut command = environment.lodger();
        let mut child = command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{words:?}");
        assert!(matches!(output.status.code(), Some(0 | 141)), "{words:?}: {:?}", output.status);
    }
}
