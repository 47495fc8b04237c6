//! `lodger secret ls`

use super::Environment;

#[test]
fn secrets_are_listed_without_their_values() {
    let environment = Environment::new();
    assert!(environment.ok(&["secret", "ls"]).starts_with("ID "));
    for name in ["password", "token"] {
        environment.ok(&["secret", "create", "--env", name, "PATH"]);
    }
    let shown = environment.ok(&["secret", "ls", "--format", "{{.Name}} {{.Driver}}"]);
    assert_eq!(shown, "password file\ntoken file\n");
    assert_eq!(environment.ok(&["secret", "ls", "--filter", "name=pass", "--format", "{{.Name}}"]), "password\n");
    assert_eq!(environment.ok(&["secret", "ls", "-q"]).lines().map(str::len).collect::<Vec<_>>(), [25, 25]);
    assert!(environment.ok(&["secret", "ls", "-n"]).contains("ago"));
    assert!(environment.refused(&["secret", "ls", "--filter", "foo=x"]).contains("is an invalid filter"));
}
