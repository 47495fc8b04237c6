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
    assert!(
        environment
            .refused(&["volume", "create", "--opt", "type=tmpfs", "x"])
            .contains("--opt is not supported by lodger")
    );
}
