//! `lodger volume export`

use super::Environment;

#[test]
fn an_archive_goes_to_a_file_or_to_standard_output() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["volume", "create", "data"]);
    let path = environment.ok(&["volume", "mount", "data"]);
    std::fs::write(std::path::Path::new(path.trim_end()).join("file"), "hello").unwrap();
    let archive = environment.ok(&["volume", "export", "data"]);
    assert!(archive.starts_with("file\0") && archive.contains("hello"), "{archive:?}");
    environment.ok(&["volume", "export", "--output", "data.tar", "data"]);
    assert!(environment.refused(&["volume", "export", "nosuch"]).contains("no such volume"));
    assert!(environment.refused(&["volume", "export", "-o", "/nosuch/x", "data"]).contains("create \"/nosuch/x\""));
}
