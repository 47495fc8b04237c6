//! `lodger unpause`

use super::Environment;

#[test]
fn only_what_is_paused_can_go_on() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "one", "web:1"]);
    let error = environment.refused(&["unpause", "one"]);
    assert!(error.contains(&format!("{id:?} is not paused, can't unpause: container state improper")), "{error}");
    assert_eq!(environment.ok(&["unpause", "--all"]), "");
}
