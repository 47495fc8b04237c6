//! `lodger image unmount`

use super::Environment;
use super::mount::among_own_mounts;

#[test]
fn what_is_not_mounted_is_no_error() {
    let Some(environment) = Environment::with_image() else { return };
    assert_eq!(environment.ok(&["image", "unmount", "team/web:1"]), "");
    assert!(environment.refused(&["image", "unmount"]).contains("image name or ID must be specified"));
    assert!(environment.refused(&["image", "unmount", "nosuch"]).contains("image not known"));
    let script =
        "d=$($L image mount --all); $L image mount team/web:1 >again; $L image umount -a >again; test ! -e $d/etc
        $L rmi team/web:1 >again; ls store/shown";
    let Some(found) = among_own_mounts(&environment, script) else { return };
    assert_eq!(found, (String::new(), String::new()));
}
