//! `lodger attach`

use super::Environment;

#[test]
fn only_what_runs_can_be_attached_to() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert!(environment.refused(&["attach", "one"]).contains("you can only attach to running containers"));
    assert!(environment.refused(&["attach"]).contains("one running container or the latest flag"));
    assert!(environment.refused(&["attach", "--detach-keys", "ctrl-1", "one"]).contains("ctrl-X"));
    assert!(environment.refused(&["attach", "nosuch"]).contains("no such container"));
}
