//! `lodger export`

use super::Environment;
use std::process::Command;

#[test]
fn a_container_becomes_an_archive_with_owners_as_inside() {
    let Some(environment) = Environment::with_busybox() else { return };
    let script = "chown 33:44 /etc/group; rm /bin/vi; echo x >/data/hidden; ln /etc/group /same";
    environment.ok(&["run", "--name", "one", "--network=none", "-v", "data:/data", "busybox", "sh", "-c", script]);
    environment.ok(&["export", "--output", "one.tar", "one"]);
    let path = environment.home.path().join("one.tar");
    let listing = Command::new("tar").args(["tvf", path.to_str().unwrap(), "--numeric-owner"]).output().unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let line = |name: &str| listing.lines().find(|line| line.split(" -> ").next().unwrap().ends_with(name));
    assert!(line(" etc/group").unwrap().contains("33/44"), "{listing}");
    assert!(line(" same link to etc/group").is_some() && line(" bin/busybox").is_some(), "{listing}");
    assert!(line(" bin/vi").is_none() && line("hidden").is_none(), "{listing}");
    let piped = environment.lodger().args(["export", "one"]).output().unwrap();
    assert!(piped.stdout == std::fs::read(&path).unwrap());
    assert!(environment.refused(&["export", "nosuch"]).contains("no such container"));
    assert!(environment.refused(&["export", "-o", "/nosuch/x", "one"]).contains("create \"/nosuch/x\""));
}
