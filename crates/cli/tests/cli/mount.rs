//! `lodger mount`; for users, on the test host.

use super::Environment;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// Runs a script in which `$L` is lodger, as root among mounts of its own; `None` for anybody else, after saying why.
pub(crate) fn among_own_mounts(environment: &Environment, script: &str) -> Option<(String, String)> {
    if std::fs::metadata(environment.home.path()).unwrap().uid() != 0 {
        println!("skipped: not root");
        return None;
    }
    let lodger = environment.lodger();
    let words: Vec<_> = [lodger.get_program()].into_iter().chain(lodger.get_args()).collect();
    let words: Vec<_> = words.iter().map(|word| word.to_str().unwrap()).collect();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-e", "-c", script]).env("L", words.join(" ")).env("HOME", environment.home.path());
    let output = command.current_dir(environment.home.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Some((text(output.stdout), text(output.stderr)))
}

#[test]
fn a_stopped_containers_files_are_read_and_written_where_it_says() {
    let Some(environment) = Environment::with_busybox() else { return };
    let script = "rm /bin/vi; echo hi >/etc/new; chown 33:44 /etc/new";
    environment.ok(&["run", "--name", "one", "--network=none", "-v", "data:/data", "busybox", "sh", "-c", script]);
    let script =
        "d=$($L mount one); cat $d/etc/new; stat -c %u:%g $d/etc/new; test ! -e $d/bin/vi; echo more >$d/etc/more
        $L mount --no-trunc | sed s,$d,PLACE, | cut -d' ' -f2-; $L mount --format json | grep -c mountpoint
        $L mount one >again; $L unmount one; test -e $d/bin; $L unmount one; test ! -e $d/bin; $L mount";
    let Some(found) = among_own_mounts(&environment, script) else { return };
    assert_eq!(found, ("hi\n33:44\n PLACE\n1\none\none\n".to_owned(), String::new()));
    assert!(environment.ok(&["diff", "one"]).contains("A /etc/more\n"));
}

#[test]
fn one_that_runs_is_shown_and_goes_with_its_mount() {
    let Some(environment) = Environment::with_busybox() else { return };
    if !environment.starts(&["--name", "one", "busybox", "sh", "-c", "echo hi >/etc/new; exec sleep 1000"]) {
        return;
    }
    let script = "until $L exec one test -s /etc/new; do sleep 0.1; done; d=$($L mount one); cat $d/etc/new
        if touch $d/etc/x 2>/dev/null; then echo written; fi; $L rm -f -t 0 one; test ! -e $d
        until test -z \"$(ls store/trash)\"; do sleep 0.1; done";
    let found = among_own_mounts(&environment, script);
    let _ = environment.run(&["rm", "-f", "-t", "0", "one"]);
    let Some(found) = found else { return };
    assert_eq!(found, ("hi\none\n".to_owned(), String::new()));
}
