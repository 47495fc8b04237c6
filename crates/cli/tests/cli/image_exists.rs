//! `lodger image exists`

use super::Environment;

#[test]
fn the_exit_code_alone_says_it() {
    let Some(environment) = Environment::with_image() else { return };
    assert_eq!(environment.ok(&["image", "exists", "web:1"]), "");
    assert_eq!(environment.fails(1, &["image", "exists", "web:2"]), "");
}
