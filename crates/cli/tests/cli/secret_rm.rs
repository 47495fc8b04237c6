//! `lodger secret rm`

use super::Environment;

#[test]
fn secrets_go_by_name_or_all() {
    let environment = Environment::new();
    let ids = ["one", "two", "three"].map(|name| environment.ok(&["secret", "create", "--env", name, "PATH"]));
    assert_eq!(environment.ok(&["secret", "rm", "one"]), ids[0]);
    assert!(environment.refused(&["secret", "rm", "one"]).contains("no such secret"));
    assert_eq!(environment.ok(&["secret", "rm", "--ignore", "one"]), "");
    assert_eq!(environment.ok(&["secret", "rm", "--all"]).lines().count(), 2);
    assert_eq!(environment.ok(&["secret", "ls", "-q"]), "");
    environment.refused(&["secret", "rm"]);
}
