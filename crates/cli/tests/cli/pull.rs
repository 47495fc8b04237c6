//! `lodger pull`

use super::Environment;

#[test]
fn what_cannot_be_is_refused_before_anything_is_fetched() {
    let environment = Environment::new();
    assert!(environment.refused(&["pull"]).starts_with("Error: requires at least 1 arg(s), only received 0\n"));
    assert!(environment.refused(&["pull", "--policy", "sometimes", "x"]).contains("--policy"));
    assert!(
        environment
            .refused(&["pull", "--platform", "linux/arm64", "--arch", "arm64", "x"])
            .contains("--platform option can not be specified with --arch, --os or --variant")
    );
    assert!(environment.refused(&["pull", "UPPER"]).starts_with("Error: invalid image name \"UPPER\""));
    let error = environment.refused(&["pull", "--creds", ":secret", "registry.invalid/x"]);
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn an_image_that_is_there_need_not_be_fetched() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.ok(&["images", "--no-trunc", "-q"]);
    let pulled = environment.ok(&["pull", "--policy", "missing", "-q", "web:1"]);
    assert_eq!(format!("sha256:{pulled}"), id);
    assert!(environment.refused(&["pull", "--policy", "never", "nope"]).contains("nope: image not known"));
}
