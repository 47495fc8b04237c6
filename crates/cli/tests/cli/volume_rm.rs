//! `lodger volume rm`

use super::Environment;

#[test]
fn the_exit_code_says_why_a_volume_stays() {
    let Some(environment) = Environment::with_image() else { return };
    environment.ok(&["volume", "create", "free"]);
    environment.create(&["--volume", "used:/data", "web:1"]);
    assert_eq!(environment.ok(&["volume", "rm", "free"]), "free\n");
    assert!(environment.fails(1, &["volume", "rm", "free"]).contains("no such volume"));
    environment.fails(2, &["volume", "rm", "used"]);
    assert_eq!(environment.ok(&["volume", "rm", "--force", "used", "free"]), "used\n");
    assert_eq!(environment.ok(&["ps", "-aq"]), "");
    environment.refused(&["volume", "rm"]);
    environment.refused(&["volume", "rm", "--time", "1", "x"]);
}
