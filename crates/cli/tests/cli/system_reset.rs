//! `lodger system reset`

use super::Environment;

#[test]
fn everything_goes_when_somebody_says_so() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "web", "-v", "data:/data", "web:1"]);
    assert!(environment.run(&["system", "reset"]).stdout.starts_with("WARNING! This will remove:\n"));
    assert_eq!(environment.ok(&["ps", "-aq"]).lines().count(), 1);
    environment.ok(&["system", "reset", "--force"]);
    for words in [&["ps", "-aq"][..], &["images", "-aq"], &["volume", "ls", "-q"]] {
        assert_eq!(environment.ok(words), "", "{words:?}");
    }
    let layers = std::fs::read_dir(environment.home.path().join("store/layers")).unwrap();
    assert_eq!(layers.count(), 0);
}
