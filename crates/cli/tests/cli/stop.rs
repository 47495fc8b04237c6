//! `lodger stop`

use super::Environment;

#[test]
fn a_container_that_does_not_run_is_stopped_already() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert_eq!(environment.ok(&["stop", "one"]), "one\n");
    assert_eq!(environment.ok(&["stop", "--all"]), "");
    assert_eq!(environment.ok(&["stop", "--ignore", "nope"]), "");
    assert!(environment.refused(&["stop", "nope"]).contains("no such container"));
    assert!(
        environment
            .refused(&["stop", "--time", "soon", "one"])
            .starts_with("Error: invalid argument \"soon\" for \"-t, --time\" flag: ")
    );
    environment.refused(&["stop"]);
}

#[test]
fn a_running_container_ends() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sleep", "1000"]) {
        return;
    }
    assert_eq!(environment.ok(&["stop", "-t", "0", "one"]), "one\n");
    assert_eq!(environment.ok(&["ps", "-a", "--format", "{{.State}} {{.ExitCode}}"]), "exited 137\n");
}
