//! `lodger volume unmount`

use super::Environment;

#[test]
fn the_name_is_the_answer() {
    let environment = Environment::new();
    environment.ok(&["volume", "create", "data"]);
    assert_eq!(environment.ok(&["volume", "unmount", "data"]), "data\n");
    assert!(environment.refused(&["volume", "unmount", "nosuch"]).contains("no such volume"));
}
