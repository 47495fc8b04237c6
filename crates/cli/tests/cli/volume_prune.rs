//! `lodger volume prune`

use super::Environment;

#[test]
fn what_no_container_has_goes_when_somebody_says_so() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["volume", "create", "free"]);
    environment.ok(&["volume", "create", "--label", "keep=yes", "kept"]);
    environment.create(&["--volume", "used:/data", "web:1"]);
    // Nobody says yes: standard input is empty.
    let question = environment.lodger().args(["volume", "prune"]).output().unwrap();
    let shown = String::from_utf8(question.stdout).unwrap();
    assert!(shown.contains("The following volumes will be removed:\nfree\nkept\nAre you sure"), "{shown}");
    assert_eq!(question.status.code(), Some(125));
    assert_eq!(environment.ok(&["volume", "prune", "-f", "--filter", "label!=keep"]), "free\n");
    assert_eq!(environment.ok(&["volume", "prune", "-f"]), "kept\n");
    assert_eq!(environment.ok(&["volume", "ls", "-q"]), "used\n");
    assert!(environment.ok(&["volume", "prune"]).contains("There are none."));
    assert!(environment.refused(&["volume", "prune", "-f", "--filter", "foo=x"]).contains("is an invalid filter"));
}
