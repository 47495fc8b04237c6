//! `lodger volume import`

use super::Environment;

#[test]
fn what_was_exported_comes_back() {
    let Some(environment) = Environment::with_image() else { return };
    for name in ["from", "to"] {
        environment.ok(&["volume", "create", name]);
    }
    let path = |name: &str| std::path::PathBuf::from(environment.ok(&["volume", "mount", name]).trim_end());
    std::fs::write(path("from").join("file"), "hello").unwrap();
    let archive = std::env::temp_dir().join(format!("lodger-import-{}.tar", std::process::id()));
    let archive = archive.to_str().unwrap();
    environment.ok(&["volume", "export", "--output", archive, "from"]);
    environment.ok(&["volume", "import", "to", archive]);
    assert_eq!(std::fs::read_to_string(path("to").join("file")).unwrap(), "hello");
    assert!(environment.refused(&["volume", "import", "nosuch", archive]).contains("no such volume"));
    let error = environment.refused(&["volume", "import", "to", "/etc/passwd"]);
    assert!(error.contains("malformed tar"), "{error}");
    environment.refused(&["volume", "import", "to", archive, "x"]);
    std::fs::remove_file(archive).unwrap();
}
