//! `lodger update`

use super::Environment;

#[test]
fn what_is_named_changes_and_the_rest_stays() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "one", "--restart=on-failure:3", "web:1"]);
    let policy = || {
        environment.ok(&[
            "inspect",
            "--format",
            "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}",
            "one",
        ])
    };
    assert_eq!(environment.ok(&["update", "one"]), format!("{id}\n"));
    assert_eq!(policy(), "on-failure 3\n");
    assert_eq!(environment.ok(&["update", "--restart", "no", "one"]), format!("{id}\n"));
    assert_eq!(policy(), "no 0\n");
    assert!(environment.refused(&["update", "--restart", "sometimes", "one"]).contains("expected no, on-failure"));
    assert!(environment.refused(&["update", "--memory", "lots", "one"]).contains("invalid size \"lots\""));
    assert!(environment.refused(&["update"]).contains("accepts 1 arg(s), received 0"));
    assert!(environment.refused(&["update", "--env", "A=1", "one"]).contains("container clone"));
}
