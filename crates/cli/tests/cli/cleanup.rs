//! `lodger container cleanup`, as a user calls it

use super::Environment;

#[test]
fn it_names_what_it_looked_at_and_removes_on_demand() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert_eq!(environment.ok(&["container", "cleanup", "one"]), "one\n");
    assert_eq!(environment.ok(&["container", "cleanup", "nosuch"]), "");
    assert_eq!(environment.ok(&["container", "cleanup", "--rm", "one"]), "one\n");
    assert_eq!(environment.ok(&["ps", "-aq"]), "");
}
