//! `lodger load`

use super::Environment;
use super::archive::archive;
use std::io::Write;
use std::process::Stdio;

#[test]
fn an_archive_comes_from_a_file_or_from_standard_input() {
    let Some(environment) = Environment::with_image() else { return };
    assert_eq!(environment.ok(&["load", "-q", "-i", "image.tar"]), "Loaded image: registry.example/team/web:1\n");
    let mut child = environment.lodger().arg("load").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&archive(&["registry.example/piped:2"])).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Loaded image: registry.example/piped:2\n");
}

#[test]
fn what_is_no_archive_is_refused() {
    let Some(environment) = Environment::with_image() else { return };
    let error = environment.refused(&["load", "-i", "nowhere.tar"]);
    assert!(error.starts_with("Error: ") && error.contains("nowhere.tar") && error.contains("No such file"), "{error}");
    std::fs::write(environment.home.path().join("junk"), "this is no archive").unwrap();
    environment.refused(&["load", "-i", "junk"]);
    assert_eq!(
        environment.refused(&["load", "web.tar"]),
        "Error: `lodger load` takes no arguments\nSee 'lodger load --help'\n"
    );
}
