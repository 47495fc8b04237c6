//! `lodger image prune`

use super::Environment;

#[test]
fn what_nothing_uses_goes_and_the_rest_stays() {
    let Some(environment) = Environment::with_image() else { return };
    let id = environment.json(&["image", "inspect", "web:1"])[0]["Id"].as_str().unwrap().to_owned();
    assert_eq!(environment.ok(&["image", "prune", "--force"]), "");
    // Nobody says yes: standard input is empty.
    let outcome = environment.run(&["image", "prune", "-a"]);
    assert_eq!(outcome.code, 125);
    let question = outcome.stdout;
    assert!(
        question.starts_with("WARNING! This command removes all images without at least one container"),
        "{question}"
    );
    assert_eq!(environment.ok(&["image", "prune", "-af", "--filter", "label=nosuch"]), "");
    environment.create(&["--name", "user", "web:1"]);
    assert_eq!(environment.ok(&["image", "prune", "-af"]), "");
    environment.ok(&["rm", "user"]);
    environment.ok(&["untag", "web:1"]);
    assert_eq!(environment.ok(&["image", "prune", "-f"]), format!("{id}\n"));
    assert_eq!(environment.ok(&["images", "-aq"]), "");
    assert!(environment.refused(&["image", "prune", "-f", "--filter", "size=3"]).contains("is an invalid filter"));
}
