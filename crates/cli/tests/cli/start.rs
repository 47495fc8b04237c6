//! `lodger start`

use super::Environment;

#[test]
fn which_containers_must_be_said() {
    let Some(environment) = Environment::with_image() else { return };
    assert!(environment.refused(&["start"]).starts_with("Error: you must provide at least one name or id\n"));
    assert!(environment.refused(&["start", "nope"]).contains("no such container"));
    environment.create(&["--name", "one", "web:1"]);
    environment.create(&["--name", "two", "web:1"]);
    assert!(
        environment
            .refused(&["start", "--attach", "one", "two"])
            .starts_with("Error: you cannot start and attach multiple containers at once\n")
    );
}

#[test]
fn an_attached_start_exits_as_the_container_does() {
    let Some(environment) = Environment::with_busybox() else { return };
    environment.create(&["--name", "one", "--network=none", "busybox", "sh", "-c", "echo hello; exit 7"]);
    let outcome = environment.run(&["start", "--attach", "one"]);
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (7, "hello\n", ""));
    assert_eq!(environment.ok(&["ps", "-a", "--format", "{{.State}} {{.ExitCode}}"]), "exited 7\n");
}
