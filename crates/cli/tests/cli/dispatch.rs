//! Words that lead to a command, and words that lead nowhere.

use super::Environment;
use std::io::Read;
use std::process::Stdio;

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
