//! `lodger inspect`

use super::Environment;

#[test]
fn a_name_is_looked_for_among_containers_images_and_volumes() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "--hostname", "inside", "web:1", "run", "it"]);
    environment.ok(&["volume", "create", "data"]);
    let json = environment.json(&["inspect", "one", "web:1", "data"]);
    assert_eq!(json[0]["Config"]["Hostname"], "inside");
    assert_eq!(json[0]["Config"]["Cmd"], serde_json::json!(["run", "it"]));
    assert_eq!(json[1]["Os"], "linux");
    assert_eq!(json[2]["Name"], "data");
}

#[test]
fn a_template_sees_gos_names_and_times() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.create(&["--name", "one", "--label", "a.b=c", "web:1"]);
    let of = |format: &str| environment.ok(&["inspect", "--format", format, "one"]);
    assert_eq!(of("{{.Id}}"), format!("{id}\n"));
    assert_eq!(of("{{.ID}}"), format!("{id}\n"));
    assert_eq!(of("{{index .Config.Labels \"a.b\"}} {{.Config.Labels.nope}}"), "c <no value>\n");
    assert_eq!(of("{{range .Config.Env}}{{println .}}{{end}}").lines().filter(|line| *line == "A=1").count(), 1);
    assert_eq!(of("{{.State.StartedAt}}"), "0001-01-01 00:00:00 +0000 UTC\n");
    assert_eq!(of("{{join .Config.Cmd \" \"}}"), "serve --now\n");
    assert!(
        environment
            .refused(&["inspect", "--format", "{{.State.Statsu}}", "one"])
            .ends_with("hint: did you mean .Status?\n")
    );
}

#[test]
fn what_is_not_there_is_null_or_left_out_as_in_podman() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "--network", "none", "--expose", "99", "--cpus", "0.5", "web:1", "true"]);
    let json = &environment.json(&["container", "inspect", "one"])[0];
    let null = serde_json::Value::Null;
    for path in [
        "/Config/Annotations",
        "/Config/Volumes",
        "/HostConfig/Annotations",
        "/HostConfig/VolumesFrom",
        "/HostConfig/BlkioDeviceReadIOps",
        "/NetworkSettings/Ports/99~1tcp",
        "/NetworkSettings/Networks/none/DriverOpts",
    ] {
        assert_eq!(json.pointer(path), Some(&null), "{path}");
    }
    assert_eq!(json.pointer("/State/CgroupPath"), None);
    assert_eq!((&json["Path"], &json["Args"]), (&"true".into(), &serde_json::json!(["true"])));
    assert_eq!((&json["HostConfig"]["CpuPeriod"], &json["HostConfig"]["CpuQuota"]), (&100_000.into(), &50_000.into()));
    // A template counts and looks up in what is not there.
    let format =
        "{{len .Config.Volumes}} {{.HostConfig.Links}} {{.Config.Annotations}} {{len .NetworkSettings.Networks}}";
    assert_eq!(environment.ok(&["inspect", "--format", format, "one"]), "0 [] map[] 1\n");
}

#[test]
fn what_does_not_exist_leaves_the_others_shown() {
    let Some(environment) = Environment::with_image() else { return };
    let outcome = environment.run(&["inspect", "nope", "web:1"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (125, "Error: no such object: \"nope\"\n"));
    assert!(outcome.stdout.contains("registry.example/team/web:1"));
    let outcome = environment.run(&["inspect", "nope"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (125, "[]\n"));
}
