//! `lodger cp`

use super::Environment;

#[test]
fn files_go_in_and_out_of_a_container_that_does_not_run() {
    let Some(environment) = Environment::with_busybox() else { return };
    environment.create(&["--name", "one", "--network=none", "-v", "data:/data", "busybox", "true"]);
    let home = environment.home.path();
    std::fs::create_dir_all(home.join("d/sub")).unwrap();
    std::fs::write(home.join("d/sub/f"), "text").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", home.join("d/link")).unwrap();
    assert_eq!(environment.ok(&["cp", "d", "one:/data"]), "");
    assert_eq!(environment.ok(&["cp", "d/.", "one:new"]), "");
    assert_eq!(environment.ok(&["cp", "one:/data/d", "out"]), "");
    assert_eq!(std::fs::read_to_string(home.join("out/sub/f")).unwrap(), "text");
    assert_eq!(std::fs::read_link(home.join("out/link")).unwrap().to_str(), Some("/etc/passwd"));
    // The link leads to the container's file, not to the host's.
    assert_eq!(environment.ok(&["cp", "one:/new/link", "passwd"]), "");
    assert!(!std::fs::read_to_string(home.join("passwd")).unwrap().contains("systemd"));
    assert!(environment.refused(&["cp", "nosuch", "one:/"]).contains("\"nosuch\" could not be found on the host"));
    assert!(environment.refused(&["cp", "one:/nosuch", "."]).contains("could not be found on container one"));
    assert!(environment.refused(&["cp", "d", "one:/etc/passwd"]).contains("destination must be a directory"));
    assert!(environment.refused(&["cp", "d", "two:/"]).contains("container \"two\" does not exist"));
    assert!(environment.refused(&["cp", "d", "e"]).contains("CONTAINER:PATH"));
}
