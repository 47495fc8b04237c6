//! `lodger image diff`

use super::Environment;

#[test]
fn it_tells_what_the_topmost_layer_brings() {
    let Some(environment) = Environment::with_image() else { return };
    assert_eq!(environment.ok(&["image", "diff", "team/web:1"]), "A /etc\nA /etc/motd\n");
    assert_eq!(environment.ok(&["image", "diff", "team/web:1", "team/web:1"]), "");
    let refused = environment.refused(&["image", "diff", "nosuch"]);
    assert!(refused.contains("nosuch not found: nosuch: image not known"), "{refused}");
}
