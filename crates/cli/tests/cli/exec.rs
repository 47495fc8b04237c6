//! `lodger exec`

use super::Environment;

#[test]
fn only_what_runs_can_be_entered() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert!(
        environment.refused(&["exec", "one", "true"]).contains("container one is created: container state improper")
    );
    assert!(environment.refused(&["exec", "nope", "true"]).contains("no such container"));
    assert!(environment.refused(&["exec", "one"]).starts_with("Error: must provide a non-empty command"));
    assert!(environment.refused(&["exec"]).starts_with("Error: exec requires the name or ID of a container"));
    assert!(
        environment.refused(&["exec", "-d", "one", "true"]).starts_with("Error: --detach is not supported by lodger: ")
    );
}

#[test]
fn a_command_runs_inside_and_its_exit_code_comes_back() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sleep", "1000"]) {
        return;
    }
    let outcome =
        environment.run(&["exec", "--env", "A=1", "--workdir", "/tmp", "one", "sh", "-c", "echo $A $PWD; exit 4"]);
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (4, "1 /tmp\n", ""));
    assert!(environment.fails(127, &["exec", "one", "nope"]).contains("executable file `nope` not found"));
    environment.fails(126, &["exec", "one", "/etc"]);
    environment.ok(&["rm", "-f", "-t", "0", "one"]);
}
