//! `lodger push`; what a registry gets is tested with a whole host.

use super::Environment;

#[test]
fn an_image_goes_to_files_too() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.ok(&["images", "-q", "--no-trunc"]);
    for (to, path) in [
        ("oci:od:x/y:2", "od"),
        ("dir:dd", "dd"),
        ("oci-archive:o.tar:x/y:2", "o.tar"),
        ("docker-archive:d.tar", "d.tar"),
    ] {
        environment.ok(&["push", "-q", "web:1", to]);
        environment.ok(&["rmi", "--all"]);
        environment.ok(&["load", "-i", path]);
        assert_eq!(environment.ok(&["images", "-q", "--no-trunc"]), id, "{to}");
        environment.ok(&["tag", id.trim_end().strip_prefix("sha256:").unwrap(), "registry.example/team/web:1"]);
    }
}

#[test]
fn where_it_goes_must_be_clear() {
    let Some(environment) = Environment::with_image() else { return };
    assert!(environment.refused(&["push", "web:1", "web"]).contains("names no registry"));
    assert!(environment.refused(&["push", "nope", "dir:x"]).starts_with("Error: nope: image not known"));
    let unreachable = environment.refused(&["push", "-q", "--retry=0", "web:1", "127.0.0.1:1/web:1"]);
    assert!(
        unreachable.starts_with("Error: push 127.0.0.1:1/web:1: ") && unreachable.contains("cannot connect"),
        "{unreachable}"
    );
    assert!(
        environment.refused(&["push", "--compression-format", "zstd", "web:1"]).contains("not supported by lodger")
    );
}
