//! `lodger container diff`

use super::Environment;

#[test]
fn it_knows_containers_alone() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "team/web:1"]);
    assert_eq!(environment.ok(&["container", "diff", "one"]), "");
    let refused = environment.refused(&["container", "diff", "team/web:1"]);
    assert!(refused.contains("team/web:1 not found: container not known"), "{refused}");
}
