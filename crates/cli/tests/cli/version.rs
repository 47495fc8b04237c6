//! `lodger version`

use super::Environment;

#[test]
fn it_has_podmans_fields() {
    let environment = Environment::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(environment.ok(&["version", "--format", "{{.Client.Version}}"]), format!("{version}\n"));
    let json: serde_json::Value = serde_json::from_str(&environment.ok(&["version", "-f", "json"])).unwrap();
    assert_eq!(json["Client"]["Version"], version);
    assert!(environment.ok(&["version"]).starts_with(&format!("Client:       lodger\nVersion:      {version}\n")));
    assert_eq!(
        environment.refused(&["version", "-f", "{{.Client.Versoin}}"]),
        "Error: template: version: can't evaluate field Versoin\nhint: did you mean .Version?\n"
    );
}
