//! `lodger volume exists`

use super::Environment;

#[test]
fn the_exit_code_alone_says_it() {
    let environment = Environment::new();
    environment.ok(&["volume", "create", "data"]);
    assert_eq!(environment.ok(&["volume", "exists", "data"]), "");
    assert_eq!(environment.fails(1, &["volume", "exists", "other"]), "");
}
