//! `lodger exec`

use super::Environment;

#[test]
fn only_what_runs_can_be_entered() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    let error = environment.fails(255, &["exec", "one", "true"]);
    assert!(error.contains("can only create exec sessions on running containers: container state improper"), "{error}");
    assert!(environment.refused(&["exec", "nope", "true"]).contains("no such container"));
    assert!(environment.refused(&["exec", "one"]).starts_with("Error: must provide a non-empty command"));
    assert!(environment.refused(&["exec"]).starts_with("Error: exec requires the name or ID of a container"));
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
    assert!(environment.fails(127, &["exec", "--workdir", "/nope", "one", "true"]).contains("workdir \"/nope\""));
    assert!(environment.fails(255, &["exec", "--user", "nope", "one", "true"]).contains("no matching entries"));
    let id = environment.ok(&["exec", "--detach", "one", "sh", "-c", "sleep 0.2; echo x >/made; sleep 1000"]);
    assert_eq!(id.trim_end().len(), 64);
    environment.ok(&["exec", "one", "sh", "-c", "until test -s /made; do sleep 0.02; done"]);
    environment.refused(&["exec", "--detach", "one", "nope"]);
    // Neither a terminal nor a file of the caller's can be reached through what it reads and writes.
    let streams = environment.ok(&["exec", "one", "sh", "-c", "for n in 1 2; do readlink /proc/$$/fd/$n; done"]);
    assert!(streams.lines().all(|line| line.starts_with("pipe:")), "{streams}");
    environment.ok(&["rm", "-f", "-t", "0", "one"]);
}
