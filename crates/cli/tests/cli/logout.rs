//! `lodger logout`

use super::Environment;

#[test]
fn a_login_is_forgotten() {
    let environment = Environment::new();
    let path = environment.home.path().join("auth.json");
    let text =
        r#"{"auths": {"a.example": {"auth": "bWU6c2VjcmV0"}, "b.example": {"auth": "bWU6c2VjcmV0"}}, "kept": 1}"#;
    std::fs::write(&path, text).unwrap();
    let file = ["--authfile", "auth.json"];
    let done = environment.ok(&["logout", file[0], file[1], "a.example"]);
    assert_eq!(done, "Removed login credentials for a.example\n");
    let left: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(left["auths"]["a.example"].is_null() && left["auths"]["b.example"].is_object() && left["kept"] == 1);
    let twice = environment.refused(&["logout", file[0], file[1], "a.example"]);
    assert_eq!(twice, "Error: not logged into a.example\n");
    environment.ok(&["logout", file[0], file[1], "--all"]);
    let left: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(left["auths"], serde_json::json!({}));
    assert!(environment.refused(&["logout"]).starts_with("Error: no registries found in registries.conf"));
}
