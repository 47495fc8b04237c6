//! `lodger image mount`

use super::Environment;
use super::mount::among_own_mounts;

#[test]
fn an_images_files_are_read_and_not_written() {
    let Some(environment) = Environment::with_image() else { return };
    let script = "d=$($L image mount team/web:1); cat $d/etc/motd; stat -c %u:%g $d/etc/motd
        if touch $d/etc/x 2>/dev/null; then echo written; fi
        $L image mount | sed s,$d,PLACE,; $L image mount --format json | grep -c Repositories
        $L image unmount team/web:1 | wc -c; test ! -e $d/etc; $L image mount";
    let Some(found) = among_own_mounts(&environment, script) else { return };
    assert_eq!(found, ("hello\n0:0\nregistry.example/team/web:1  PLACE\n1\n65\n".to_owned(), String::new()));
}
