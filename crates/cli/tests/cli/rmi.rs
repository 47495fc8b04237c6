//! `lodger rmi`

use super::Environment;

#[test]
fn a_name_goes_first_and_the_image_with_its_last_name() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["tag", "web:1", "other"]);
    assert_eq!(environment.ok(&["rmi", "other"]), "Untagged: localhost/other:latest\n");
    let id = environment.json(&["image", "inspect", "web:1"])[0]["Id"].as_str().unwrap().to_owned();
    let gone = format!("Untagged: registry.example/team/web:1\nDeleted: {id}\n");
    assert_eq!(environment.ok(&["image", "rm", "web:1"]), gone);
    assert_eq!(environment.ok(&["images", "-q"]), "");
}

#[test]
fn the_exit_code_says_why_an_image_stays() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "user", "web:1"]);
    assert!(environment.fails(2, &["rmi", "web:1"]).contains("is being used by the following container(s)"));
    assert!(environment.fails(1, &["rmi", "nope"]).starts_with("Error: nope: image not known\n"));
    assert_eq!(environment.ok(&["rmi", "--ignore", "nope"]), "");
    assert_eq!(environment.run(&["rmi", "nope", "web:1"]).code, 2);
    assert!(environment.ok(&["rmi", "--force", "web:1"]).starts_with("Untagged: registry.example/team/web:1\n"));
    assert_eq!(environment.ok(&["ps", "-aq"]), "");
    environment.refused(&["rmi"]);
}
