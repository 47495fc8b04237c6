//! `lodger restart`

use super::Environment;

#[test]
fn which_containers_must_be_said() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert!(environment.refused(&["restart"]).starts_with("Error: you must provide at least one name or id\n"));
    assert_eq!(environment.ok(&["restart", "--running"]), "");
    assert_eq!(environment.ok(&["restart", "--running", "one"]), "");
    assert!(environment.refused(&["restart", "nope"]).contains("no such container"));
}

#[test]
fn a_container_runs_anew() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sleep", "1000"]) {
        return;
    }
    let pid = || environment.ok(&["inspect", "--format", "{{.State.Pid}}", "one"]);
    let before = pid();
    assert_eq!(environment.ok(&["restart", "-t", "0", "one"]), "one\n");
    assert_ne!(pid(), before);
    environment.ok(&["rm", "-f", "-t", "0", "one"]);
}
