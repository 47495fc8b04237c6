//! `lodger info`

use super::Environment;

#[test]
fn it_is_yaml_or_json_or_what_a_template_asks_for() {
    let environment = Environment::new();
    let yaml = environment.ok(&["info"]);
    assert!(
        yaml.starts_with("host:\n  arch: ") && yaml.contains("\nstore:\n") && yaml.contains("\nversion:\n"),
        "{yaml}"
    );
    let json = environment.json(&["system", "info", "--format", "json"]);
    assert_eq!(json["store"]["containerStore"]["number"], 0);
    let root = environment.ok(&["info", "--format", "{{.Store.GraphRoot}}"]);
    assert_eq!(json["store"]["graphRoot"], root.trim_end());
    assert!(root.trim_end().ends_with("/store"));
    assert_eq!(
        environment.ok(&["info", "-f", "{{.Host.OCIRuntime.Name}} {{.Host.Security.Rootless}}"]).split(' ').next(),
        Some("lodger")
    );
}
