//! `lodger volume reload`

use super::Environment;

#[test]
fn there_is_nothing_to_ask() {
    let environment = Environment::new();
    assert_eq!(environment.ok(&["volume", "reload"]), "");
    environment.refused(&["volume", "reload", "x"]);
}
