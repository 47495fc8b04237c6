//! `lodger system prune`

use super::Environment;

#[test]
fn what_nothing_uses_goes() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["volume", "create", "data"]);
    let id = environment.create(&["--name", "ended", "web:1"]);
    let question = environment.run(&["system", "prune"]).stdout;
    assert!(question.contains("- all stopped containers") && question.contains("- all dangling images"), "{question}");
    assert!(environment.ok(&["system", "prune", "-f", "--filter", "label=x"]).starts_with("Total reclaimed space: 0B"));
    let gone = environment.ok(&["system", "prune", "-f"]);
    assert!(gone.starts_with(&format!("Deleted Containers\n{id}\nTotal reclaimed space: ")), "{gone}");
    assert_eq!(environment.ok(&["images", "-q"]).lines().count(), 1);
    let gone = environment.ok(&["system", "prune", "-af", "--volumes"]);
    assert!(gone.contains("Deleted Volumes\ndata\n") && gone.contains("Deleted Images\n"), "{gone}");
    assert_eq!(
        (environment.ok(&["images", "-q"]).as_str(), environment.ok(&["volume", "ls", "-q"]).as_str()),
        ("", "")
    );
    assert!(environment.refused(&["system", "prune", "-f", "--filter", "size=3"]).contains("invalid filter"));
}
