//! Containers of root, which live in a range of ids of their own.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    files_that_only_root_may_read_are_read,
    what_is_below_a_closed_directory_of_root_is_reached,
    the_keeper_of_root_is_root_of_its_range_alone,
    roots_containers_reach_the_world,
    a_restart_policy_of_root_is_for_the_next_boot_as_well,
    with_userns_host_root_is_the_hosts_and_its_files_are_the_ranges,
    images_and_volumes_go_with_containers_of_both_kinds,
    with_userns_host_a_service_is_entered_stopped_and_gone,
];

fn files_that_only_root_may_read_are_read(host: &Host) -> Result<()> {
    host.root(
        "rm -rf /root/case; install -d -m 700 /root/case; install -m 600 /images/busybox.tar /root/case/image.tar",
    )?
    .ok();
    // Also the very first command, which makes the store.
    host.root("lodger load --quiet --input /root/case/image.tar")?.ok();
    host.root("cd /root/case && umask 077 && echo A=secret >variables && echo made=here >labels")?.ok();
    let run =
        "cd /root/case && lodger run --name case --network=none --env-file=variables --label-file=labels --cidfile=id";
    host.root(&format!("{run} busybox sh -c 'echo $A; id -u'"))?.ok().stdout("secret\n0\n");
    host.root(
        "lodger inspect --format '{{.Config.Labels.made}}' case && lodger inspect $(cat /root/case/id) >/dev/null",
    )?
    .ok()
    .stdout("here\n");
    host.root("stat -c %U /root/case/id; find /var/lib/lodger -uid 0; lodger rm case; rm -rf /root/case")?
        .ok()
        .stdout("root\ncase\n");
    Ok(())
}

fn what_is_below_a_closed_directory_of_root_is_reached(host: &Host) -> Result<()> {
    host.root("lodger load --quiet --input /images/busybox.tar")?.ok();
    host.root(
        "rm -rf /root/case && install -d -m 700 /root/case && cd /root/case && umask 077 && mkdir root site site/own && \
         cp -r /images/busybox oci && echo 10.9.8.7 told.test >hosts && echo open >site/page && chmod 755 site && chmod 644 site/page && \
         echo '{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":5}]}' >p.json",
    )?
    .ok();
    let given = "--security-opt seccomp=p.json --hosts-file /root/case/hosts -v ./site:/srv -v /root/case/site/page:/page:ro \
                 --pidfile pid --log-driver k8s-file --log-opt path=/root/case/log";
    let script = "cat /srv/page /page; grep -c told.test /etc/hosts; mkdir /tmp/x || echo filtered";
    let told = "open\nopen\n1\nfiltered\n";
    let seen = "cd /root/case && { test $(cat pid) = $(lodger inspect --format '{{.State.Pid}}' case) && echo pid; }";
    // By this process, by a unit, by a unit that systemd starts once more, and by a later start.
    host.root(&format!(
        "cd /root/case && lodger run --rm --network=none {given} busybox sh -c '{script}' 2>/dev/null"
    ))?
    .ok()
    .stdout(told);
    let service = format!("{script}; test -e /tmp/once || {{ touch /tmp/once; exit 1; }}; exec sleep 1000");
    host.root(&format!(
        "cd /root/case && rm -f log pid && lodger run -d --restart=on-failure --name case --network=none {given} busybox sh -c '{service}'"
    ))?
    .ok();
    let twice = "for i in $(seq 200); do [ $(grep -c filtered /root/case/log) = 2 ] && break; sleep 0.05; done";
    host.root(&format!("{twice}; sed 's/.* F //' /root/case/log | grep -c open; {seen}"))?.ok().stdout("4\npid\n");
    host.root("lodger exec case sh -c 'mkdir /tmp/y || echo filtered; cat /srv/page' 2>/dev/null")?
        .ok()
        .stdout("filtered\nopen\n");
    host.root(&format!("lodger restart -t 0 case && {seen} && lodger logs case | grep -c filtered"))?
        .ok()
        .stdout("case\npid\n3\n");
    host.root("cd /root/case && lodger rm -f -t 0 case && rm -f log pid && lodger create --name case -v ./site:/srv busybox cat /srv/page && lodger start -a case")?
        .ok()
        .stdout_has("\nopen\n");
    // What another may not read stays so inside.
    host.root("lodger run --rm --network=none -v /root/case/hosts:/h busybox cat /h")?
        .fails(1)
        .stderr_has("Permission denied");
    host.root("lodger run --rm -v /root/case/none:/h busybox true")?.fails(125).stderr_has("/root/case/none");
    host.root(
        "lodger rm case; lodger rmi -f busybox; lodger load --quiet --input /root/case/oci && lodger images -q | wc -l",
    )?
    .ok()
    .stdout_has("1\n");
    host.root("find /var/lib/lodger -uid 0; rm -rf /root/case")?.ok().stdout("");
    Ok(())
}

fn the_keeper_of_root_is_root_of_its_range_alone(host: &Host) -> Result<()> {
    // The machine's own root would be a stranger in the range, and could delete nothing there.
    host.root("lodger load --quiet --input /images/busybox.tar; lodger run --rm --network=none busybox true")?.ok();
    let script = "sed -n 's/^Uid:\t\\([0-9]*\\).*/\\1/p' /proc/$(pgrep -x lodger-keeper)/status >/tmp/owner; \
                  [ $(cat /tmp/owner) -ge 100000 ] && echo of the range; lodger create --name case busybox && lodger rm case && \
                  for i in $(seq 100); do [ -z \"$(ls /var/lib/lodger/trash)\" ] && echo empty && break; sleep 0.05; done";
    host.root(script)?.ok().stdout_has("of the range\n").stdout_has("\nempty\n");
    Ok(())
}

fn roots_containers_reach_the_world(host: &Host) -> Result<()> {
    host.root("lodger load --quiet --input /images/web.tar")?.ok();
    host.root("lodger run -d --name case-web -p 8091:80 web")?.ok();
    host.root("for i in $(seq 100); do curl -sS 127.0.0.1:8091 && exit; sleep 0.05; done")?
        .ok()
        .stdout_has("A lodger is at home");
    host.root("lodger rm -f -t 0 case-web; ss -Hlnt 'sport = 8091'")?.ok().stdout("case-web\n");
    Ok(())
}

fn a_restart_policy_of_root_is_for_the_next_boot_as_well(host: &Host) -> Result<()> {
    host.root("lodger load --quiet --input /images/busybox.tar")?.ok();
    host.root("rm -f /etc/systemd/system/lodger-restart.service")?.ok();
    host.root("lodger run -d --restart=always --name case --network=none busybox sleep 1000")?.ok();
    host.root("systemctl is-enabled lodger-restart.service")?.ok().stdout("enabled\n");
    host.root("lodger stop -t 0 case; rm -f /etc/systemd/system/lodger-restart.service; lodger start case")?.ok();
    host.root("systemctl is-enabled lodger-restart.service; lodger rm -f -t 0 case")?.ok().stdout("enabled\ncase\n");
    Ok(())
}

fn with_userns_host_root_is_the_hosts_and_its_files_are_the_ranges(host: &Host) -> Result<()> {
    host.root("lodger load --quiet --input /images/busybox.tar")?.ok();
    let run = "lodger run --rm --network=none";
    let map = "set -- $(cat /proc/self/uid_map); echo $*";
    host.root(&format!("{run} --userns=host busybox sh -c '{map}'"))?.ok().stdout("0 0 4294967295\n");
    host.root(&format!("{run} busybox sh -c '{map}; test $2 -gt 65536'"))?.ok();
    // Written by one kind and read by the other, both ways.
    let owners = "stat -c %u:%g";
    host.root(&format!("{run} --userns=host -v case:/v busybox sh -c 'echo host >/v/a; chown 7:8 /v/a; mkdir /v/d'"))?
        .ok();
    host.root(&format!(
        "{run} -v case:/v busybox sh -c 'cat /v/a; {owners} /v/a /v/d; echo range >/v/b; chown 9:10 /v/b'"
    ))?
    .ok()
    .stdout("host\n7:8\n0:0\n");
    host.root(&format!("{run} --userns=host -v case:/v busybox {owners} /v/b"))?.ok().stdout("9:10\n");
    // A plain bind mount is as it is, and the usual confinement holds.
    host.root("rm -rf /root/case; mkdir /root/case; chown 3:4 /root/case")?.ok();
    host.root(&format!(
        "{run} --userns=host -v /root/case:/c busybox sh -c '{owners} /c; touch /c/f'; {owners} /root/case/f"
    ))?
    .ok()
    .stdout("3:4\n0:0\n");
    let confined = "grep -E \"CapBnd|Seccomp:\" /proc/self/status; \
                    for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/uevent_helper; do echo x >$f && echo wrote $f; done; \
                    mknod /tmp/n c 1 3 && echo made; mount -t tmpfs t /tmp && echo mounted; head -c 9 /proc/keys; true";
    host.root(&format!("{run} --userns=host busybox sh -c '{confined}' 2>/dev/null"))?
        .ok()
        .stdout("CapBnd:\t00000000800405fb\nSeccomp:\t2\n");
    // What it may make where that is allowed opens nothing.
    let made = "for d in / /dev; do mknod $d/n c 1 3 && cat $d/n || echo closed; done";
    host.root(&format!("{run} --userns=host --cap-add=MKNOD busybox sh -c '{made}' 2>/dev/null"))?
        .ok()
        .stdout("closed\nclosed\n");
    host.root("lodger volume rm case; find /var/lib/lodger -uid 0; rm -rf /root/case")?.ok().stdout("case\n");
    Ok(())
}

fn with_userns_host_a_service_is_entered_stopped_and_gone(host: &Host) -> Result<()> {
    host.root("lodger load --quiet --input /images/web.tar && lodger load --quiet --input /images/busybox.tar")?.ok();
    host.root("lodger run -d --userns=host --name case-host -p 8092:80 web")?.ok();
    let reached = "for i in $(seq 100); do curl -sS 127.0.0.1:8092 && exit; sleep 0.05; done";
    host.root(reached)?.ok().stdout_has("A lodger is at home");
    host.root(
        "lodger exec case-host sh -c 'id -u; grep CapBnd /proc/self/status; set -- $(cat /proc/self/uid_map); echo $*'",
    )?
    .ok()
    .stdout("0\nCapBnd:\t00000000800405fb\n0 0 4294967295\n");
    // The next container of the range finds its way beside it.
    host.root("lodger run --rm --network=none busybox sh -c 'set -- $(cat /proc/self/uid_map); test $2 -gt 65536'")?
        .ok();
    host.root("lodger restart -t 1 case-host && lodger ps --format '{{.Names}} {{.State}}'")?
        .ok()
        .stdout("case-host\ncase-host running\n");
    host.root(reached)?.ok().stdout_has("A lodger is at home");
    host.root(
        "lodger stop -t 1 case-host && lodger start case-host && lodger kill case-host && lodger wait case-host",
    )?
    .ok()
    .stdout("case-host\ncase-host\ncase-host\n137\n");
    host.root("lodger run -d --userns=host --name case-log --network=none busybox sh -c 'echo said; exec sleep 1000'")?
        .ok();
    host.root("for i in $(seq 100); do lodger logs case-log | grep said && exit; sleep 0.05; done")?
        .ok()
        .stdout("said\n");
    // Of the range and of the host, in one command.
    host.root("lodger run -d --name case-range --network=none busybox sleep 1000")?.ok();
    host.root("lodger start case-host && lodger rm -f -t 0 case-range case-host case-log | sort")?
        .ok()
        .stdout("case-host\ncase-host\ncase-log\ncase-range\n");
    host.root("lodger ps -aq; ss -Hlnt 'sport = 8092'; pgrep -x pasta; systemctl list-units --all --plain --no-legend 'lodger-case-*'; \
               find /var/lib/lodger -uid 0")?
        .stdout("");
    Ok(())
}

fn images_and_volumes_go_with_containers_of_both_kinds(host: &Host) -> Result<()> {
    host.root("lodger load --quiet --input /images/busybox.tar && lodger load --quiet --input /images/web.tar")?.ok();
    let two = "lodger run -d --name case-range --network=none -v one:/v busybox sleep 1000 && \
               lodger run -d --name case-host --userns=host --network=none -v two:/v web sleep 1000";
    // The one that would be in the way of the other comes first.
    host.root(two)?.ok();
    host.root("lodger volume rm -f one two && lodger ps -aq")?.ok().stdout("one\ntwo\n");
    host.root(two)?.ok();
    host.root("lodger rmi -f busybox web && lodger ps -aq && lodger images -q && lodger volume rm one two")?
        .ok()
        .stdout_has("Untagged: localhost/web:latest\n")
        .stdout_has("\none\ntwo\n");
    Ok(())
}
