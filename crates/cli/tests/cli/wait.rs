//! `lodger wait`

use super::Environment;

#[test]
fn what_has_no_exit_code_is_minus_one() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert_eq!(environment.ok(&["wait", "one"]), "-1\n");
    assert_eq!(environment.ok(&["wait", "--condition", "created,running", "one"]), "-1\n");
    assert_eq!(environment.ok(&["wait", "--ignore", "nope"]), "-1\n");
    assert!(environment.refused(&["wait", "nope"]).contains("no such container"));
    assert!(environment.refused(&["wait", "--condition", "happy", "one"]).contains("choose from configured, created"));
}

#[test]
fn the_exit_code_is_printed() {
    let Some(environment) = Environment::with_busybox() else { return };
    environment.run(&["run", "--name", "one", "--network=none", "busybox", "sh", "-c", "exit 9"]);
    assert_eq!(environment.ok(&["wait", "--interval", "10ms", "one"]), "9\n");
}

#[test]
fn the_first_of_several_is_enough_if_that_is_asked_for() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "long", "busybox", "sleep", "1000"]) {
        return;
    }
    environment.starts(&["--name", "short", "busybox", "sh", "-c", "exit 4"]);
    assert_eq!(environment.ok(&["wait", "--exit-first-match", "-i", "10ms", "long", "short"]), "4\n");
    assert_eq!(environment.ok(&["wait", "--condition", "running,paused", "long", "long"]), "-1\n-1\n");
    environment.ok(&["rm", "-f", "-t", "0", "long"]);
}
