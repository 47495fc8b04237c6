//! `lodger init`

use super::Environment;

#[test]
fn what_is_ready_is_shown_as_initialized_until_it_ran() {
    let Some(environment) = Environment::with_busybox() else { return };
    let id = environment.create(&["--name", "one", "--network=none", "busybox", "sh", "-c", "exit 3"]);
    assert_eq!(environment.ok(&["init", "one"]), "one\n");
    let state = || environment.ok(&["ps", "-a", "--format", "{{.State}}"]);
    assert_eq!(state(), "initialized\n");
    let error = environment.refused(&["init", "one"]);
    assert!(error.contains(&format!("container {id} has already been created in runtime")), "{error}");
    environment.fails(3, &["start", "--attach", "one"]);
    assert_eq!(state(), "exited\n");
    assert_eq!(environment.ok(&["init", "--all"]), format!("{id}\n"));
    assert_eq!(state(), "initialized\n");
}
