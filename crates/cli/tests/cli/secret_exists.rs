//! `lodger secret exists`

use super::Environment;

#[test]
fn the_exit_code_says_it() {
    let environment = Environment::new();
    environment.ok(&["secret", "create", "--env", "password", "PATH"]);
    assert_eq!(environment.ok(&["secret", "exists", "password"]), "");
    environment.fails(1, &["secret", "exists", "nosuch"]);
}
