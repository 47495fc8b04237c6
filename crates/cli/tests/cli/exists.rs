//! `lodger container exists`

use super::Environment;

#[test]
fn the_exit_code_alone_says_it() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert_eq!(environment.ok(&["container", "exists", "one"]), "");
    assert_eq!(environment.fails(1, &["container", "exists", "--external", "two"]), "");
    environment.refused(&["container", "exists"]);
}
