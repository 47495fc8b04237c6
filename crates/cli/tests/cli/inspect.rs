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
fn what_does_not_exist_leaves_the_others_shown() {
    let Some(environment) = Environment::with_image() else { return };
    let outcome = environment.run(&["inspect", "nope", "web:1"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (125, "Error: no such object: \"nope\"\n"));
    assert!(outcome.stdout.contains("registry.example/team/web:1"));
    let outcome = environment.run(&["inspect", "nope"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (125, "[]\n"));
}
