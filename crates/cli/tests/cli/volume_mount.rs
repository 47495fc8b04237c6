//! `lodger volume mount`

use super::Environment;

#[test]
fn a_volume_is_a_directory_all_the_time() {
    let environment = Environment::new();
    environment.ok(&["volume", "create", "data"]);
    let path = environment.ok(&["volume", "mount", "data"]);
    assert!(std::path::Path::new(path.trim_end()).is_dir(), "{path}");
    environment.ok(&["volume", "create", "-o", "type=none", "-o", "device=/srv", "-o", "o=bind", "bound"]);
    assert_eq!(environment.ok(&["volume", "mount", "bound"]), "/srv\n");
    environment.ok(&["volume", "create", "-o", "type=tmpfs", "memory"]);
    assert!(environment.refused(&["volume", "mount", "memory"]).contains("volume memory is memory"));
    assert!(environment.refused(&["volume", "mount", "nosuch"]).contains("no such volume"));
}
