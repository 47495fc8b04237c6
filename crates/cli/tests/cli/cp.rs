//! `lodger cp`

use super::Environment;
use std::os::unix::fs::PermissionsExt;

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

#[test]
fn no_program_of_an_image_runs_as_its_owner_outside() {
    let Some(environment) = Environment::with_busybox() else { return };
    let script = "mkdir /d; cp /bin/busybox /d/su; chmod 6755 /d/su; chmod 2775 /d";
    environment.ok(&["run", "--name", "one", "--network=none", "busybox", "sh", "-c", script]);
    environment.create(&["--name", "two", "--network=none", "busybox", "stat", "-c", "%a", "/d/su", "/e/su"]);
    let mode =
        |path: &str| std::fs::metadata(environment.home.path().join(path)).unwrap().permissions().mode() & 0o7777;
    for archive in ["--archive=true", "--archive=false"] {
        environment.ok(&["cp", archive, "one:/d", "out"]);
        environment.ok(&["cp", archive, "one:/d/su", "su"]);
        assert_eq!([mode("out/su"), mode("su"), mode("out") & 0o2000], [0o755, 0o755, 0o2000], "{archive}");
        std::fs::remove_dir_all(environment.home.path().join("out")).unwrap();
    }
    environment.ok(&["cp", "one:/d", "two:/d"]);
    environment.ok(&["cp", "--archive=false", "one:/d", "two:/e"]);
    assert_eq!(environment.ok(&["start", "--attach", "two"]), "6755\n755\n");
}
