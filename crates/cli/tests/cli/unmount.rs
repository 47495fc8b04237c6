//! `lodger unmount`

use super::Environment;
use super::mount::among_own_mounts;

#[test]
fn everything_goes_at_once_where_that_is_said() {
    let Some(environment) = Environment::with_image() else { return };
    environment.create(&["--name", "one", "team/web:1"]);
    assert_eq!(environment.ok(&["umount", "one"]), "one\n");
    assert!(environment.refused(&["unmount", "nosuch"]).contains("no such container"));
    let script = "d=$($L mount one); $L mount one >again; $L unmount --force one; test ! -e $d/etc
        $L mount one >again; $L mount -a >again; $L container unmount --all | wc -c; test ! -e $d/etc";
    let Some(found) = among_own_mounts(&environment, script) else { return };
    assert_eq!(found, ("one\n65\n".to_owned(), String::new()));
}
