//! `lodger container inspect`

use super::Environment;

#[test]
fn only_containers_count() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert_eq!(environment.json(&["container", "inspect", "one"])[0]["Name"], "one");
    assert_eq!(environment.ok(&["container", "inspect", "--latest", "--format", "{{.Name}}"]), "one\n");
    let outcome = environment.run(&["container", "inspect", "web:1"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (125, "[]\n"));
    assert!(outcome.stderr.contains("no such container"), "{}", outcome.stderr);
}
