//! `lodger pause`

use super::Environment;

#[test]
fn only_what_runs_can_be_paused() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    let error = environment.refused(&["pause", "one"]);
    assert!(error.contains("\"created\" is not running, can't pause: container state improper"), "{error}");
    assert_eq!(environment.ok(&["pause", "--all"]), "");
    assert!(environment.refused(&["pause", "--all", "one"]).contains("no arguments are needed with --all"));
    assert!(environment.refused(&["pause"]).contains("you must provide at least one name or id"));
}
