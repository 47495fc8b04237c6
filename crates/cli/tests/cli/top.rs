//! `lodger top`

use super::Environment;

#[test]
fn only_what_runs_has_processes() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "web:1"]);
    assert!(environment.refused(&["top", "one"]).contains("top can only be used on running containers"));
    let error = environment.refused(&["top", "one", "pdi"]);
    assert!(error.ends_with("hint: did you mean pid?\n"), "{error}");
    environment.refused(&["top"]);
}

#[test]
fn processes_have_the_numbers_they_see_themselves() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sleep", "1000"]) {
        return;
    }
    assert_eq!(
        environment.ok(&["top", "one", "pid,ppid", "user", "args"]),
        "PID         PPID        USER        COMMAND\n1           0           root        sleep 1000\n"
    );
    assert!(environment.ok(&["top", "one"]).starts_with("USER        PID         PPID        %CPU        ELAPSED"));
    environment.ok(&["rm", "-f", "-t", "0", "one"]);
}
