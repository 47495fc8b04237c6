//! `lodger save`

use super::Environment;

fn ids(environment: &Environment) -> String {
    environment.ok(&["images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"])
}

#[test]
fn what_is_saved_is_loaded_again() {
    let Some(environment) = Environment::with_image() else { return };
    let before = ids(&environment);
    for (format, output) in [("docker-archive", "d.tar"), ("oci-archive", "o.tar"), ("oci-dir", "od")] {
        environment.ok(&["save", "--format", format, "-o", output, "web:1"]);
        environment.ok(&["rmi", "--all"]);
        environment.ok(&["load", "-i", output]);
        assert_eq!(ids(&environment), before, "{format}");
    }
    environment.ok(&["save", "--format=docker-dir", "-o", "dd", "web:1"]);
    environment.ok(&["rmi", "--all"]);
    environment.ok(&["load", "-i", "dd"]);
    let id = before.split(' ').nth(1).unwrap();
    assert_eq!(ids(&environment), format!("<none>:<none> {id}"));
}

#[test]
fn further_operands_are_names_or_images() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["save", "-o", "a.tar", "web:1", "other", "x.example/y:2"]);
    environment.ok(&["rmi", "--all"]);
    let loaded = environment.ok(&["load", "-i", "a.tar"]);
    let names = ["registry.example/team/web:1", "localhost/other:latest", "x.example/y:2"];
    assert_eq!(loaded, names.map(|name| format!("Loaded image: {name}\n")).concat());
    assert!(
        environment
            .refused(&["save", "-m", "-o", "b.tar", "web:1", "nope"])
            .starts_with("Error: nope: image not known")
    );
    let exists = environment.refused(&["save", "-o", "a.tar", "web:1"]);
    assert!(exists.contains("docker-archive doesn't support modifying existing images"), "{exists}");
    environment.refused(&["save", "--format", "oci-dir", "web:1"]);
    environment.refused(&["save", "--format", "zip", "-o", "x", "web:1"]);
    environment.refused(&["save", "--compress", "-o", "x", "web:1"]);
    assert!(!environment.home.path().join("x").exists());
}
