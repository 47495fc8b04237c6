//! `lodger system df`

use super::Environment;

#[test]
fn what_takes_room() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["volume", "create", "data"]);
    let json = environment.json(&["system", "df", "--format", "json"]);
    assert_eq!(
        (json[0]["Type"].as_str(), json[0]["Total"].as_i64(), json[0]["Active"].as_i64()),
        (Some("Images"), Some(1), Some(0))
    );
    assert_eq!(json[0]["RawSize"], json[0]["RawReclaimable"]);
    environment.create(&["--name", "user", "-v", "data:/data", "web:1"]);
    let rows = environment.ok(&["system", "df", "--format", "{{.Type}} {{.Total}} {{.Active}} {{.Reclaimable}}"]);
    assert_eq!(rows, "Images 1 1 0B (0%)\nContainers 1 0 0B (0%)\nLocal Volumes 1 1 0B (0%)\n");
    let verbose = environment.ok(&["system", "df", "-v"]);
    for words in ["Images space usage:", "registry.example/team/web", "CONTAINER ID", "user", "VOLUME NAME", "data"] {
        assert!(verbose.contains(words), "{words}: {verbose}");
    }
    environment.refused(&["system", "df", "-v", "--format", "json"]);
}
