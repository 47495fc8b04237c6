//! `lodger rename`

use super::Environment;

#[test]
fn a_container_is_found_by_its_new_name_alone() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    environment.create(&["--name", "two", "web:1"]);
    assert_eq!(environment.ok(&["rename", "one", "three"]), "");
    assert_eq!(environment.ok(&["rename", "three", "three"]), "");
    assert_eq!(environment.ok(&["ps", "-a", "--sort", "names", "--format", "{{.Names}}"]), "three\ntwo\n");
    environment.fails(1, &["container", "exists", "one"]);
    assert!(environment.refused(&["rename", "three", "two"]).contains("that name is already in use"));
    assert!(environment.refused(&["rename", "three", "a b"]).contains("a b"));
    assert!(environment.refused(&["rename", "nosuch", "x"]).contains("no such container"));
    assert!(environment.refused(&["rename", "three"]).contains("accepts 2 arg(s), received 1"));
}
