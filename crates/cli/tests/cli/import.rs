//! `lodger import`

use super::Environment;
use std::process::{Command, Stdio};

#[test]
fn a_tar_becomes_an_image() {
    let Some(environment) = Environment::with_image() else { return };
    std::fs::write(environment.home.path().join("motd"), "hi\n").unwrap();
    let made = Command::new("tar").args(["-cf", "r.tar", "motd"]).current_dir(environment.home.path()).status();
    assert!(made.unwrap().success());
    let words = ["import", "-c", "CMD [\"/motd\"]", "--change=ENV A=1", "-m", "mine", "--arch=arm64", "r.tar", "imp:1"];
    let id = environment.ok(&words);
    let json = environment.json(&["image", "inspect", "imp:1"]);
    assert_eq!(format!("sha256:{}\n", json[0]["Id"].as_str().unwrap()), id);
    assert_eq!(json[0]["Config"]["Cmd"], serde_json::json!(["/motd"]));
    assert_eq!((json[0]["Architecture"].as_str(), json[0]["Config"]["Env"][0].as_str()), (Some("arm64"), Some("A=1")));
    assert!(environment.ok(&["history", "imp:1"]).contains("mine"));
    let input = std::fs::File::open(environment.home.path().join("r.tar")).unwrap();
    let output = environment.lodger().args(["import", "-q", "-"]).stdin(Stdio::from(input)).output().unwrap();
    assert!(output.status.success());
    assert!(environment.ok(&["images"]).contains("<none>"));
}

#[test]
fn what_is_no_tar_is_refused() {
    let Some(environment) = Environment::with_image() else { return };
    std::fs::write(environment.home.path().join("x"), "no tar at all").unwrap();
    assert!(environment.refused(&["import", "x", "y"]).starts_with("Error: "));
    assert!(environment.refused(&["import", "nosuch"]).starts_with("Error: error opening \"nosuch\""));
    assert!(environment.refused(&["import", "-c", "RUN x", "x"]).contains("invalid instruction RUN"));
    environment.refused(&["import"]);
    assert_eq!(environment.ok(&["images", "--format", "{{.Repository}}"]), "registry.example/team/web\n");
}
