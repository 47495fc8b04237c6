//! `lodger image inspect`

use super::Environment;

#[test]
fn an_image_is_shown_as_it_says_of_itself() {
    let Some(environment) = Environment::with_image() else { return };
    let json = environment.json(&["image", "inspect", "web:1"]);
    assert_eq!(json[0]["Created"], "2026-01-02T03:04:05Z");
    assert_eq!(json[0]["Config"]["Cmd"], serde_json::json!(["serve", "--now"]));
    assert_eq!(json[0]["Config"]["ExposedPorts"], serde_json::json!({"80/tcp": {}}));
    assert_eq!(json[0]["RootFS"]["Type"], "layers");
    let of = |format: &str| environment.ok(&["image", "inspect", "-f", format, "web:1"]);
    assert_eq!(
        of("{{.Created}} {{len .RootFS.Layers}} [{{.Config.WorkingDir}}]"),
        "2026-01-02 03:04:05 +0000 UTC 1 []\n"
    );
    assert_eq!(of("{{json .Config.Env}}"), "[\"A=1\"]\n");
    let outcome = environment.run(&["image", "inspect", "nope"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (125, "[]\n"));
}
