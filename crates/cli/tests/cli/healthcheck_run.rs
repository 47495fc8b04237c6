//! `lodger healthcheck run`

use super::Environment;

#[test]
fn only_what_has_a_check_and_runs_is_checked() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "none", "web:1"]);
    assert!(environment.refused(&["healthcheck", "run", "none"]).contains("has no defined healthcheck"));
    let error = environment.refused(&["wait", "--condition", "healthy", "none"]);
    assert!(error.contains("cannot use condition \"healthy\": container"), "{error}");
    environment.run(&["create", "--name", "one", "--health-cmd", "true", "web:1"]);
    assert!(environment.refused(&["healthcheck", "run", "one"]).contains("is not running"));
    environment.refused(&["healthcheck", "run", "nope"]);
    environment.refused(&["healthcheck", "run"]);
}

#[test]
fn a_result_is_told_noted_and_counted() {
    let Some(environment) = Environment::with_busybox() else { return };
    let words =
        ["--name", "one", "--health-retries=2", "--health-cmd", "echo hi; test -e /ok", "busybox", "sleep", "1000"];
    if !environment.starts(&words) {
        return;
    }
    let health = || environment.json(&["inspect", "one"])[0]["State"]["Health"].clone();
    assert_eq!((health()["Status"].as_str(), health()["Log"].is_null()), (Some("starting"), true));
    let check = || {
        let outcome = environment.run(&["--events-backend=file", "healthcheck", "run", "one"]);
        (outcome.code, outcome.stdout)
    };
    assert_eq!(check(), (1, "unhealthy\n".to_owned()));
    assert_eq!((health()["Status"].as_str(), health()["FailingStreak"].as_u64()), (Some("starting"), Some(1)));
    assert_eq!(check().0, 1);
    assert_eq!(health()["Status"], "unhealthy");
    assert!(environment.ok(&["ps", "--format", "{{.Status}}"]).ends_with("(unhealthy)\n"));
    assert_eq!(environment.ok(&["ps", "--filter", "health=unhealthy", "--format", "{{.Names}}"]), "one\n");
    assert_eq!(environment.ok(&["wait", "--condition", "healthy,unhealthy", "one"]), "-1\n");
    environment.ok(&["exec", "one", "touch", "/ok"]);
    assert_eq!(check(), (0, String::new()));
    let log = health()["Log"].clone();
    assert_eq!((log[0]["ExitCode"].as_i64(), log[2]["ExitCode"].as_i64()), (Some(1), Some(0)));
    assert_eq!(log[0]["Output"], "hi\n");
    assert_eq!(health()["FailingStreak"], 0);
    let told = ["--events-backend=file", "events", "--stream=false", "--filter", "event=health_status"];
    let told = environment.ok(&[&told[..], &["--format", "{{.HealthStatus}}"]].concat());
    assert_eq!(told, "starting\nunhealthy\nhealthy\n");
    environment.ok(&["rm", "-f", "-t", "0", "one"]);
}

#[test]
fn a_check_that_takes_too_long_or_is_not_there_fails() {
    let Some(environment) = Environment::with_busybox() else { return };
    let sleeps = ["--name", "slow", "--health-timeout=1s", "--health-cmd", "[\"CMD\",\"sleep\",\"1000\"]"];
    let run = ["busybox", "sleep", "1000"];
    if !environment.starts(&[&sleeps[..], &run].concat()) {
        return;
    }
    let error = environment.refused(&["healthcheck", "run", "slow"]);
    assert!(error.contains("healthcheck command exceeded timeout of 1s"), "{error}");
    assert_eq!(environment.json(&["inspect", "slow"])[0]["State"]["Health"]["Log"][0]["ExitCode"], -1);
    let missing =
        ["--name", "two", "--health-retries=1", "--health-on-failure=kill", "--health-cmd", "[\"CMD\",\"/nosuch\"]"];
    environment.starts(&[&missing[..], &run].concat());
    assert_eq!(environment.run(&["healthcheck", "run", "--ignore-result", "two"]).code, 0);
    assert_eq!(environment.ok(&["wait", "two"]), "137\n");
    environment.ok(&["rm", "-f", "-t", "0", "slow", "two"]);
}
