//! `lodger volume create`

use super::Environment;

#[test]
fn a_volume_has_the_name_it_was_given_or_one_made_up() {
    let environment = Environment::new();
    assert_eq!(environment.ok(&["volume", "create", "data"]), "data\n");
    assert_eq!(environment.ok(&["volume", "create"]).trim_end().len(), 64);
    let error = environment.refused(&["volume", "create", "data"]);
    assert!(error.contains("volume already exists\nhint: --ignore "), "{error}");
    assert_eq!(environment.ok(&["volume", "create", "--ignore", "data"]), "data\n");
    environment.refused(&["volume", "create", "../x"]);
    assert!(
        environment.refused(&["volume", "create", "--driver", "nfs", "x"]).contains("there is no driver but local")
    );
    environment.ok(&["volume", "create", "--opt", "type=tmpfs", "--opt", "o=size=1m,uid=5", "memory"]);
    let options = environment.ok(&["volume", "inspect", "--format", "{{json .Options}} {{.UID}}", "memory"]);
    assert_eq!(options, "{\"SIZE\":\"1m\",\"UID\":\"5\",\"o\":\"size=1m,uid=5\",\"type\":\"tmpfs\"} 5\n");
    let error = environment.refused(&["volume", "create", "--opt", "type=nfs", "--opt", "device=:/x", "x"]);
    assert!(error.contains("only root of the host may mount it"), "{error}");
}
