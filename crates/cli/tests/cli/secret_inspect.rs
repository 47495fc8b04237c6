//! `lodger secret inspect`

use super::Environment;

#[test]
fn a_value_is_shown_only_when_it_is_asked_for() {
    let environment = Environment::new();
    environment.ok(&["secret", "create", "--env", "--label", "a=b", "place", "HOME"]);
    let shown = environment.json(&["secret", "inspect", "place"]);
    assert_eq!((&shown[0]["Spec"]["Name"], &shown[0]["Spec"]["Labels"]["a"]), (&"place".into(), &"b".into()));
    assert_eq!(shown[0]["SecretData"], serde_json::Value::Null);
    let value = environment.ok(&["secret", "inspect", "--showsecret", "--format", "{{.SecretData}}", "place"]);
    assert!(value.starts_with('/'), "{value}");
    assert!(environment.ok(&["secret", "inspect", "--pretty", "place"]).contains("Driver:            file\n"));
    let missing = environment.lodger().args(["secret", "inspect", "nosuch"]).output().unwrap();
    assert_eq!((missing.status.code(), missing.stdout), (Some(125), b"[]\n".to_vec()));
}
