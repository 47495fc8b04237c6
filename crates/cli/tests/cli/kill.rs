//! `lodger kill`

use super::Environment;

#[test]
fn only_what_runs_can_be_killed() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    let error = environment.refused(&["kill", "one"]);
    assert!(error.contains("is in state created: container state improper"), "{error}");
    assert_eq!(environment.ok(&["kill", "--all"]), "");
    assert!(environment.refused(&["kill", "--signal", "LOUD", "one"]).contains("invalid signal \"LOUD\""));
}

#[test]
fn a_running_container_gets_the_signal() {
    let Some(environment) = Environment::with_busybox() else { return };
    let trap = "trap 'exit 5' USR1; while :; do sleep 0.05; done";
    if !environment.starts(&["--name", "one", "busybox", "sh", "-c", trap]) {
        return;
    }
    assert_eq!(environment.ok(&["kill", "--signal", "USR1", "one"]), "one\n");
    assert!(["5\n", "138\n"].contains(&environment.ok(&["wait", "one"]).as_str()));
}
