//! `lodger commit`

use super::Environment;

#[test]
fn a_container_becomes_an_image_that_shows_the_same() {
    let Some(environment) = Environment::with_busybox() else { return };
    super::diff::changed(&environment);
    let before = environment.ok(&["diff", "one"]);
    let id = environment.ok(&["commit", "one", "changed"]);
    assert_eq!(
        id.trim_end(),
        environment.ok(&["images", "-q", "--no-trunc", "changed"]).trim().trim_start_matches("sha256:")
    );
    assert_eq!(environment.ok(&["image", "diff", "localhost/changed"]), before);
    environment.ok(&["system", "check"]);
    let squashed = environment.ok(&["commit", "--squash", "one"]);
    let squashed = squashed.trim_end();
    assert_eq!(environment.ok(&["diff", squashed, "changed"]), "");
    assert_eq!(environment.json(&["inspect", squashed])[0]["RootFS"]["Layers"].as_array().unwrap().len(), 1);
    let words =
        ["run", "--rm", "--network=none", "changed", "sh", "-c", "cat /etc/new; test -e /bin/vi || stat -c %a /root"];
    assert_eq!(environment.ok(&words), "hi\n700\n");
    environment.ok(&["save", "-q", "-o", "changed.tar", "changed"]);
    environment.ok(&["rmi", "changed"]);
    environment.ok(&["load", "-q", "-i", "changed.tar"]);
    assert_eq!(environment.ok(&["image", "diff", "changed"]), before);
}

#[test]
fn what_the_container_was_told_is_what_the_image_says() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&[
        "--name=one",
        "-e=B=2",
        "-u=33:44",
        "-w=/srv",
        "-p=127.0.0.1:8080:81",
        "--expose=99/udp",
        "-v=data:/data",
        "--label=x=y",
        "--stop-signal=SIGINT",
        "--entrypoint=/bin/sh",
        "team/web:1",
        "-c",
        "echo hi",
    ]);
    environment.ok(&["commit", "--author=Me", "-c=ENV C=3", "-c=LABEL a=b", "--iidfile=id", "one", "told:2"]);
    let told = &environment.json(&["inspect", "told:2"])[0];
    let config = &told["Config"];
    assert_eq!((&config["User"], &config["WorkingDir"]), (&"33:44".into(), &"/srv".into()));
    assert_eq!(
        (&config["Entrypoint"], &config["Cmd"]),
        (&serde_json::json!(["/bin/sh"]), &serde_json::json!(["-c", "echo hi"]))
    );
    let env = config["Env"].to_string();
    assert!(env.contains("\"A=1\"") && env.contains("\"B=2\"") && env.contains("\"C=3\""), "{env}");
    assert_eq!(config["ExposedPorts"], serde_json::json!({"80/tcp": {}, "81/tcp": {}, "99/udp": {}}));
    assert_eq!(config["Labels"], serde_json::json!({"a": "b", "team": "web", "x": "y"}));
    assert_eq!((&told["Author"], &config["Volumes"]), (&"Me".into(), &serde_json::Value::Null));
    let id = std::fs::read_to_string(environment.home.path().join("id")).unwrap();
    assert_eq!(id.trim_start_matches("sha256:"), told["Id"]);
    environment.ok(&["commit", "-f=docker", "-m=a word", "--include-volumes", "one", "told:3"]);
    let told = &environment.json(&["inspect", "told:3"])[0];
    assert_eq!((&told["Comment"], &told["Config"]["Volumes"]), (&"a word".into(), &serde_json::json!({"/data": {}})));
    assert!(told["ManifestType"].as_str().unwrap().contains("docker"));
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name=one", "team/web:1"]);
    for (words, why) in [
        (&["commit", "nosuch"][..], "no such container"),
        (&["commit", "-m=x", "one"], "only compatible with the docker image format"),
        (&["commit", "-f=foo", "one"], "unrecognized image format \"foo\""),
        (&["commit", "-c=RUN x", "one"], "invalid instruction RUN"),
        (&["commit", "one", "UPPER"], "UPPER"),
        (&["commit", "one", "a", "b"], "accepts between 1 and 2 arg(s), received 3"),
    ] {
        let refused = environment.refused(words);
        assert!(refused.contains(why), "{refused}");
    }
    assert_eq!(environment.ok(&["images", "-q"]).lines().count(), 1);
}
