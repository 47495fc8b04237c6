//! `lodger container prune`

use super::Environment;
use std::io::Write;
use std::process::Stdio;

#[test]
fn it_asks_and_only_yes_removes() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "one", "web:1"]);
    let answered = |answer: &str| {
        let mut command = environment.lodger();
        command.args(["container", "prune"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let question = "WARNING! This will remove all non running containers.\nAre you sure you want to continue? [y/N] ";
    assert_eq!(answered("n\n"), question);
    assert_eq!(answered("y\n"), format!("{question}{id}\n"));
}

#[test]
fn filters_choose() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "one", "--label", "a=1", "web:1"]);
    environment.create(&["--name", "two", "web:1"]);
    let prune = |filter: &str| environment.ok(&["container", "prune", "-f", "--filter", filter]);
    assert_eq!(prune("until=1h"), "");
    assert_eq!(prune("label=a=2"), "");
    assert_eq!(prune("label=a"), format!("{id}\n"));
    assert_eq!(environment.ok(&["ps", "-a", "--format", "{{.Names}}"]), "two\n");
    assert!(environment.refused(&["container", "prune", "-f", "--filter", "name=two"]).contains("invalid filter"));
}
