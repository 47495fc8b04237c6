//! `lodger untag`

use super::Environment;

#[test]
fn names_go_and_the_image_stays() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["tag", "web:1", "a", "b:2", "c"]);
    let names = |environment: &Environment| environment.json(&["images", "--format", "json"])[0]["Names"].to_string();
    environment.ok(&["untag", "web:1", "a", "b:2"]);
    assert_eq!(names(&environment), "[\"localhost/c:latest\",\"registry.example/team/web:1\"]");
    let missing = environment.refused(&["untag", "web:1", "c", "nope"]);
    assert!(missing.starts_with("Error: localhost/nope:latest: tag not known\n"), "{missing}");
    assert_eq!(names(&environment), "[\"localhost/c:latest\",\"registry.example/team/web:1\"]");
    environment.ok(&["image", "untag", "c"]);
    assert_eq!(environment.ok(&["images", "--format", "{{.Repository}}"]), "<none>\n");
    assert!(environment.refused(&["untag", "nope"]).starts_with("Error: nope: image not known\n"));
}
