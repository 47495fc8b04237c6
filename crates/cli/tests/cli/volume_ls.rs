//! `lodger volume ls`

use super::Environment;

#[test]
fn volumes_are_listed_by_name() {
    let environment = Environment::new();
    assert_eq!(environment.ok(&["volume", "ls"]), "");
    environment.ok(&["volume", "create", "two"]);
    environment.ok(&["volume", "create", "--label", "app=web", "one"]);
    assert_eq!(environment.ok(&["volume", "ls"]), "DRIVER      VOLUME NAME\nlocal       one\nlocal       two\n");
    assert_eq!(environment.ok(&["volume", "ls", "-q"]), "one\ntwo\n");
    assert_eq!(environment.ok(&["volume", "ls", "--format", "{{.Name}}:{{.Label \"app\"}}"]), "one:web\ntwo:\n");
    for (filter, expected) in [
        ("label=app=web", "one\n"),
        ("name=^tw", "two\n"),
        ("dangling=true", "one\ntwo\n"),
        ("anonymous=true", ""),
        ("label!=app", "two\n"),
    ] {
        assert_eq!(environment.ok(&["volume", "ls", "-q", "--filter", filter]), expected, "{filter}");
    }
}
