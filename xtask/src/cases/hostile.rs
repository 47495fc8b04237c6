//! Further attacks, each from inside a container or by what it left: on paths that are being mounted, identities, control groups, archives, names.

use anyhow::Result;
use serde_json::json;

use super::attack::{SECRET, link, load, one, prepare, untouched};
use crate::case::Case;
use crate::cases;
use crate::host::Host;
use crate::image::{Entry, Kind, Layer};

pub(super) const CASES: &[Case] = cases![
    case_07_a_path_that_is_swapped_while_it_is_mounted_stays_inside,
    case_09_masks_hold_whatever_the_path_is,
    case_10_control_groups_of_others_are_out_of_reach,
    case_11_users_of_exec_are_those_that_were_named,
    case_12_13_nothing_is_inherited_that_was_not_given,
    case_21_archives_for_volumes_stay_inside,
    case_23_exports_carry_nothing_of_the_host_and_do_not_wait,
    case_25_26_files_that_lodger_writes_are_written_inside,
    case_34_what_is_ones_own_is_closed_to_others,
];

fn case_07_a_path_that_is_swapped_while_it_is_mounted_stays_inside(host: &Host) -> Result<()> {
    prepare(host)?;
    host.load("alice", "busybox")?;
    // One container swaps a directory of a volume for a link to the host, others mount below it.
    let swap = "mkdir -p /v/dir /v/real; ln -s /home/alice/kept /v/link; while :; do mv /v/dir /v/real/ 2>/dev/null; \
                mv /v/link /v/dir 2>/dev/null; rm -rf /v/dir; mkdir -p /v/dir; ln -sfn /home/alice/kept /v/link; rmdir /v/real/dir 2>/dev/null; done";
    host.alice(&format!("lodger run -d --name swap --network=none -v v:/v busybox sh -c '{swap}'"))?.ok();
    let tries = "for i in $(seq 60); do lodger run --rm --network=none -v v:/v -v data:/v/dir/deep --tmpfs /v/dir/new busybox \
                 cat /v/dir/secret /home/alice/kept/secret 2>&1; done; true";
    host.alice(tries)?.ok().stdout_lacks(SECRET).stdout_lacks("panicked");
    host.alice("lodger rm -f -t 0 swap")?.ok();
    untouched(host)
}

fn case_09_masks_hold_whatever_the_path_is(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let mut layer = Layer::new();
    layer.file("secret/file", "inside", 0o644).symlink("alias", "/secret").symlink("up", "/home/alice/kept");
    load(host, "masks", json!({"Env": ["PATH=/bin"]}), vec![base, layer])?;
    for mask in ["/secret", "/secret:/secret", "/secret:/secret/file", "/alias", "/alias:/secret"] {
        host.alice(&format!(
            "lodger run --rm --network=none --security-opt mask={mask} masks sh -c 'cat /secret/file; ls /secret' 2>/dev/null; true"
        ))?
        .ok()
        .stdout_lacks("inside");
    }
    host.alice("lodger run --rm --network=none --security-opt mask=/up masks ls /home 2>&1; true")?
        .ok()
        .stdout_lacks("panicked");
    untouched(host)
}

fn case_10_control_groups_of_others_are_out_of_reach(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let tries = "echo 1 >/sys/fs/cgroup/cgroup.procs; echo 1 >/sys/fs/cgroup/../cgroup.procs; mkdir /sys/fs/cgroup/mine; \
                 echo max >/sys/fs/cgroup/pids.max; mount -o remount,rw /sys/fs/cgroup; umount /sys/fs/cgroup; \
                 mkdir /tmp/g; mount -t cgroup2 x /tmp/g; mount -t cgroup -o memory x /tmp/g; ls /tmp/g; cat /proc/self/cgroup";
    for run in ["run --rm", "run --rm --cgroupns=host"] {
        let run = format!("lodger {run} --network=none busybox sh -c '{tries}' 2>&1; true");
        let said = host.alice(&run)?.ok();
        let denied = said.text().matches("ermission denied").count() + said.text().matches("Read-only").count();
        assert!(denied >= 5 && !said.text().contains("cgroup.controllers"), "{}", said.text());
    }
    Ok(())
}

fn case_11_users_of_exec_are_those_that_were_named(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let mut layer = Layer::new();
    layer.file("etc/passwd", "root:x:0:0::/:/bin/sh\n4242:x:0:0::/:/bin/sh\nlow:x:7:8::/:/bin/sh\n", 0o644);
    layer.file("etc/group", "root:x:0:\n4242:x:0:\nfew:x:9:low\n", 0o644);
    load(host, "users", json!({"Env": ["PATH=/bin"]}), vec![base, layer])?;
    host.alice("lodger run -d --name x --network=none users sleep 1000")?.ok();
    let seen = |user: &str| host.alice(&format!("lodger exec -u {user} x sh -c 'echo $(id -u) $(id -g)'"));
    for (user, ids) in [
        ("1", "1 0"),
        ("1:", "1 0"),
        ("4242", "4242 0"),
        ("7", "7 8"),
        ("low", "7 8"),
        ("low:few", "7 9"),
        ("7:4242", "7 4242"),
    ] {
        seen(user)?.ok().stdout(&format!("{ids}\n"));
    }
    for user in [
        "4294967295",
        "4294967296",
        "-1",
        "1:4294967295",
        "1:-1",
        "99999999999999999999",
        "nobody-here",
        "low:none",
        "0x0",
    ] {
        let said = seen(user)?;
        assert!(!said.succeeded(), "{user} is {}", said.text());
    }
    host.alice("lodger rm -f -t 0 x")?.ok();
    Ok(())
}

fn case_12_13_nothing_is_inherited_that_was_not_given(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    let mut layer = Layer::new();
    layer.file("etc/passwd", "root:x:0:0::/:/bin/sh\nlow:x:7:8::/:/bin/sh\n", 0o644);
    layer.file("etc/group", "root:x:0:root\ndisk:x:6:root\ndocker:x:999:low\n", 0o644);
    load(host, "groups", json!({"Env": ["PATH=/bin"]}), vec![base, layer])?;
    let look = "sh -c 'grep -e ^CapInh -e ^CapAmb /proc/self/status | cut -f2; id -G'";
    let none = "0000000000000000\n0000000000000000\n";
    for (user, groups) in [("", "0 6\n"), ("-u low", "8 999\n"), ("-u 12345", "0\n"), ("-u 7:8", "8\n")] {
        host.alice(&format!("lodger run --rm --network=none {user} groups {look}"))?
            .ok()
            .stdout(&format!("{none}{groups}"));
    }
    host.alice("lodger run -d --name x --network=none groups sleep 1000")?.ok();
    host.alice(&format!("lodger exec x {look}; lodger exec -u low x {look}"))?
        .ok()
        .stdout(&format!("{none}0 6\n{none}8 999\n"));
    host.alice("lodger exec -u low x grep ^CapEff /proc/self/status | cut -f2; lodger rm -f -t 0 x")?
        .ok()
        .stdout_has("0000000000000000\n");
    // No group of the caller's either.
    let groups =
        "setpriv --reuid 1001 --regid 1001 --groups 1001,4,6,24 env HOME=/home/alice XDG_RUNTIME_DIR=/run/user/1001";
    host.root(&format!("cd /home/alice; {groups} lodger run --rm --network=none -u 5:5 groups id -G"))?
        .ok()
        .stdout("5\n");
    Ok(())
}

fn case_21_archives_for_volumes_stay_inside(host: &Host) -> Result<()> {
    prepare(host)?;
    let home = "home/alice/kept";
    let file = |path: &str| Entry::new(path, Kind::File(b"planted".to_vec()));
    let hard = |path: &str, target: &str| Entry::new(path, Kind::Hardlink(target.into()));
    let attacks: Vec<(&str, Vec<Entry>)> = vec![
        ("up", vec![file(&format!("../../../../../../../{home}/up"))]),
        ("absolute", vec![file(&format!("/{home}/absolute"))]),
        ("through", vec![link("l", &format!("/{home}")), file("l/through")]),
        ("over", vec![link("l", &format!("/{home}/secret")), file("l")]),
        ("hard", vec![hard("stolen", &format!("/{home}/secret")), file("stolen")]),
        ("device", vec![Entry::new("sda", Kind::Block(8, 0))]),
    ];
    for (name, entries) in attacks {
        let mut layer = Layer::new();
        for entry in &entries {
            layer.add(entry);
        }
        std::fs::write(host.path(&format!("/run/case-{name}.tar"))?, layer.tar())?;
        let import = format!(
            "lodger volume create {name} && lodger volume import {name} /run/case-{name}.tar 2>&1; lodger volume rm {name}"
        );
        host.alice(&import)?.ok().stdout_lacks("panicked");
        untouched(host)?;
        host.alice(&format!("lodger import /run/case-{name}.tar hostile 2>&1 && lodger rmi hostile; lodger load -i /run/case-{name}.tar 2>&1; true"))?
            .ok()
            .stdout_lacks("panicked");
        untouched(host)?;
    }
    Ok(())
}

fn case_23_exports_carry_nothing_of_the_host_and_do_not_wait(host: &Host) -> Result<()> {
    prepare(host)?;
    host.load("alice", "busybox")?;
    let plant = "mkfifo /v/fifo; ln -s /home/alice/kept/secret /v/link; ln -s /home/alice/kept /v/dir; ln -s ../../../../../kept /v/up; echo own >/v/own; \
                 nc -lU /v/socket & sleep 0.2";
    host.alice(&format!("lodger run --rm --network=none -v v:/v busybox sh -c \"{plant}\""))?.ok();
    // While a container goes on swapping.
    let swap =
        "while :; do ln -sfn /home/alice/kept /v/swapped; rm /v/swapped; mkdir /v/swapped; rmdir /v/swapped; done";
    host.alice(&format!("lodger run -d --name swap --network=none -v v:/v busybox sh -c '{swap}'"))?.ok();
    for _ in 0..10 {
        let export = "timeout 20 lodger volume export v >v.tar 2>said; echo $?; grep -c panicked said; tar -xOf v.tar 2>/dev/null | strings -n 8; true";
        host.alice(export)?.ok().stdout_lacks(SECRET).stdout_lacks("124\n");
    }
    host.alice("lodger rm -f -t 0 swap; timeout 20 lodger volume export v | tar -tv | grep -c own$")?
        .ok()
        .stdout_has("1\n");
    untouched(host)
}

fn case_25_26_files_that_lodger_writes_are_written_inside(host: &Host) -> Result<()> {
    let base = prepare(host)?;
    for name in ["resolv.conf", "hosts", "hostname"] {
        let path = format!("etc/{name}");
        let shapes = [
            ("outside", link(&path, "/home/alice/kept/secret")),
            ("up", link(&path, "../../../../../../home/alice/kept/new")),
            ("magic", link(&path, "/proc/self/cwd/kept/secret")),
            ("fifo", Entry::new(&path, Kind::Fifo)),
            ("directory", Entry::new(&path, Kind::Directory)),
        ];
        for (shape, entry) in shapes {
            let image = format!("{}{shape}", name.replace('.', ""));
            load(host, &image, json!({"Env": ["PATH=/bin"]}), vec![base.clone(), one(&entry)])?;
            let run = format!(
                "timeout 10 lodger run --rm --network=none {image} cat /etc/{name} 2>&1; echo status $?; lodger rmi {image} >/dev/null"
            );
            host.alice(&run)?.ok().stdout_lacks(SECRET).stdout_lacks("status 124").stdout_lacks("panicked");
            untouched(host)?;
        }
    }
    // A secret that is to lie where a volume has a link.
    host.load("alice", "busybox")?;
    host.alice("lodger run --rm --network=none -v v:/v busybox ln -s /home/alice/kept /v/link && echo planted | lodger secret create s -")?.ok();
    host.alice(
        "lodger run --rm --network=none -v v:/v --secret s,target=/v/link/secret busybox cat /v/link/secret 2>&1; true",
    )?
    .ok()
    .stdout_lacks(SECRET)
    .stdout_lacks("panicked");
    untouched(host)
}

fn case_34_what_is_ones_own_is_closed_to_others(host: &Host) -> Result<()> {
    prepare(host)?;
    host.load("alice", "busybox")?;
    host.alice("lodger run -dit --name x --network=none busybox sh && echo hidden | lodger secret create s -")?.ok();
    host.alice("stat -c %a .local/share/lodger; find .local/share/lodger -type s -o -type f -path '*secrets*' -perm /077 | wc -l")?
        .ok()
        .stdout_has("700\n");
    host.bob("ls /home/alice/.local/share/lodger /run/user/1001/lodger 2>&1; ls /tmp | grep -c lodger; lodger --root /home/alice/.local/share/lodger ps -a 2>&1; true")?
        .ok()
        .stdout_has("ermission denied")
        .stdout_lacks("busybox");
    // Names that somebody plants in /tmp before are not used, and without a runtime directory nothing moves there.
    host.bob("for name in lodger lodger-1001 lodger-alice containers-user-1001 podman-run-1001; do ln -s /home/bob/trap /tmp/$name; done; mkdir trap; chmod 777 trap /home/bob")?
        .ok();
    host.service("alice", "lodger run --rm --network=none busybox true && lodger ps -a --quiet | wc -l")?
        .ok()
        .stdout("1\n");
    host.bob("ls -A trap; rm -f /tmp/lodger* /tmp/containers-user-1001 /tmp/podman-run-1001")?.ok().stdout("");
    host.alice("lodger rm -f -t 0 x")?.ok();
    untouched(host)
}
