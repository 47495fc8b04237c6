//! `lodger history`

use super::Environment;

#[test]
fn the_steps_of_an_image() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.json(&["image", "inspect", "web:1"])[0]["Id"].as_str().unwrap().to_owned();
    let table = environment.ok(&["history", "web:1"]);
    assert_eq!(
        table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["ID", "CREATED", "CREATED", "BY", "SIZE", "COMMENT"]
    );
    assert_eq!(environment.ok(&["history", "-q", "web:1"]).lines().next(), Some(&id[..12]));
    assert_eq!(environment.ok(&["image", "history", "--no-trunc", "-q", "web:1"]).lines().next(), Some(&id[..]));
    let json = environment.json(&["history", "--format", "json", "web:1"]);
    assert_eq!(
        (json[0]["id"].as_str(), json[0]["tags"][0].as_str()),
        (Some(&id[..]), Some("registry.example/team/web:1"))
    );
    assert!(environment.refused(&["history", "nope"]).starts_with("Error: nope: image not known\n"));
}
