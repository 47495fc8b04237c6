//! `lodger secret create`

use super::Environment;

fn create<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["secret", "create"], words].concat()
}

#[test]
fn a_secret_is_of_a_file_or_a_variable_and_of_some_length() {
    let environment = Environment::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let id = environment.ok(&create(&["one", file]));
    assert_eq!(id.trim_end().len(), 25);
    let error = environment.refused(&create(&["one", file]));
    assert!(error.contains("one: secret name in use\nhint: --replace "), "{error}");
    assert_eq!(environment.ok(&create(&["--ignore", "one", file])), id);
    assert_ne!(environment.ok(&create(&["--replace", "one", file])), id);
    environment.ok(&create(&["--env", "--label", "a=b", "two", "PATH"]));
    assert!(environment.refused(&create(&["--env", "three", "NOSUCH"])).contains("NOSUCH is not set"));
    for empty in ["/dev/null", "-"] {
        assert!(environment.refused(&create(&["three", empty])).contains("larger than 0 and less than 512000 bytes"));
    }
    assert!(environment.refused(&create(&["three", "/dev/zero"])).contains("less than 512000 bytes"));
    assert!(environment.refused(&create(&["a/b", file])).contains("invalid secret name"));
    assert!(environment.refused(&create(&["three", "/nosuch"])).contains("open /nosuch"));
    assert!(environment.refused(&create(&["--driver", "pass", "three", file])).contains("no driver but file"));
}
