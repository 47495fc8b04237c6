//! `lodger tag`

use super::Environment;

#[test]
fn an_image_gets_further_names() {
    let Some(environment) = Environment::with_image() else { return };
    assert_eq!(environment.ok(&["tag", "web:1", "short", "registry.example/long:2"]), "");
    let json = environment.json(&["image", "inspect", "short"]);
    let names = serde_json::json!(["localhost/short:latest", "registry.example/long:2", "registry.example/team/web:1"]);
    assert_eq!(json[0]["RepoTags"], names);
    assert_eq!(
        environment.refused(&["tag", "web:1"]).lines().next(),
        Some("Error: requires at least 2 arg(s), only received 1")
    );
    assert!(environment.refused(&["tag", "nope", "x"]).starts_with("Error: nope: image not known\n"));
    assert!(environment.refused(&["tag", "web:1", "UPPER"]).starts_with("Error: invalid image name \"UPPER\""));
}
