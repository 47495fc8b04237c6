//! `lodger volume inspect`

use super::Environment;

#[test]
fn a_volume_is_shown_with_its_directory() {
    let environment = Environment::new();
    environment.ok(&["volume", "create", "--label", "app=web", "data"]);
    let json = environment.json(&["volume", "inspect", "data"]);
    let path = json[0]["Mountpoint"].as_str().unwrap();
    assert!(path.ends_with("/store/volumes/data/data") && std::path::Path::new(path).is_dir(), "{path}");
    assert_eq!(json[0]["Labels"], serde_json::json!({"app": "web"}));
    assert_eq!(environment.ok(&["volume", "inspect", "-a", "-f", "{{.Name}} {{.Driver}}"]), "data local\n");
    let outcome = environment.run(&["volume", "inspect", "data", "nope"]);
    assert_eq!(outcome.code, 125);
    assert!(outcome.stderr.contains("no such volume") && outcome.stdout.contains("\"Name\": \"data\""));
}
