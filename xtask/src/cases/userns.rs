//! User namespaces with ids of their own.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    with_keep_id_the_caller_is_himself,
    every_mode_has_its_ids,
    ids_of_auto_are_nobody_elses_and_come_back,
    namespaces_of_others_are_joined,
    everything_reaches_a_service_with_ids_of_its_own,
    volumes_go_between_containers_of_different_ids,
    a_tree_of_other_owners_is_made_once_and_goes_with_its_image,
];

const RUN: &str = "lodger run --rm --network=none";

fn with_keep_id_the_caller_is_himself(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let who = "id -u; id -g; stat -c %u:%g / /bin/sh /etc/hosts /dev /srv/own; grep ^alice: /etc/passwd /etc/group";
    host.alice(&format!("mkdir -p own && {RUN} --userns=keep-id -v ./own:/srv/own busybox sh -c '{who}; touch /srv/own/file'"))?
        .ok()
        .stdout(
            "1001\n1001\n0:0\n0:0\n0:0\n0:0\n1001:1001\n/etc/passwd:alice:*:1001:1001::/:/bin/sh\n/etc/group:alice:x:1001:alice\n",
        );
    host.alice("stat -c %U:%G own/file")?.ok().stdout("alice:alice\n");
    host.alice(&format!("{RUN} --userns=keep-id:uid=7,gid=8 busybox sh -c 'id -u; id -g; stat -c %u /bin/sh'"))?
        .ok()
        .stdout("7\n8\n0\n");
    host.alice(&format!("{RUN} --userns=keep-id --user=0 -v ./own:/own busybox sh -c 'id -u; stat -c %u /own/file'"))?
        .ok()
        .stdout("0\n1001\n");
    // What it changes belongs to whoever it seems to, also in a later start.
    host.alice("lodger create --name case --network=none --userns=keep-id --user=0 busybox sh -c 'stat -c %u:%g /etc/f; echo >/etc/f; chown 33:1001 /etc/f'")?.ok();
    host.alice("lodger start -a case; lodger start -a case")?.ok().stdout("33:1001\n");
    let shown =
        "lodger inspect --format '{{.HostConfig.UsernsMode}} {{.HostConfig.IDMappings.UidMap}}' case; lodger rm case";
    host.alice(shown)?.ok().stdout_has("private [0:1:1001 1001:0:1 1002:1002:64535]\n");
    Ok(())
}

fn every_mode_has_its_ids(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    for (mode, uids) in [
        ("--userns=nomap", "0 1 65536 "),
        ("--userns=auto", "0 1 1024 "),
        ("--userns=auto:size=70", "0 1 70 "),
        ("--userns=auto:size=20,uidmapping=0:500:10", "0 500 10 10 1 10 "),
        ("--uidmap=0:1:5", "0 1 5 "),
        ("--uidmap=+1000:0:1", "0 1 1000 1000 0 1 1001 1001 64536 "),
        ("--uidmap=0:5:1,7:@100009:3", "0 5 1 7 10 3 "),
        ("--uidmap=7:0:1 --user=7:7", "7 0 1 "),
        ("--subuidname=alice", "0 1 65536 "),
        ("--userns=host", "0 1001 1 1 100000 65536 "),
    ] {
        let map = "tr -s \" \\n\" \" \" </proc/self/uid_map | sed \"s/^ //\"";
        let outcome = host.alice(&format!("{RUN} {mode} busybox sh -c '{map}; ls /bin/sh >/dev/null'"))?;
        outcome.ok().stdout(uids);
    }
    for (mode, words) in [
        ("--userns=keep-id --uidmap=0:0:1", "are mutually exclusive"),
        ("--uidmap=0:1:10,5:20:1", "5:20:1 conflicts with other mappings"),
        ("--uidmap=0:@7", "parent ID UID 7 is not mapped/delegated"),
        ("--uidmap=0:1:70000", "not enough unused IDs in user namespace"),
        ("--userns=auto:size=70000", "not enough unused IDs in user namespace"),
        ("--userns=private", "must provide at least one UID or GID mapping"),
        ("--userns=container:nobody", "no such container"),
        ("--userns=ns:/nowhere", "cannot find specified user namespace path"),
        ("--subuidname=nobody", "no subuid ranges found for user \"nobody\""),
    ] {
        host.alice(&format!("{RUN} {mode} busybox true"))?.fails(125).stderr_has(words);
    }
    Ok(())
}

fn ids_of_auto_are_nobody_elses_and_come_back(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let first = "awk '{print $2}' /proc/self/uid_map";
    let started = "for n in 1 2 3 4; do lodger run -d --name case-$n --network=none --userns=auto busybox sleep 1000 & done >/dev/null; wait";
    host.alice(started)?.ok();
    let ids = format!("for n in 1 2 3 4; do lodger exec case-$n {first}; done | sort -n");
    host.alice(&ids)?.ok().stdout("1\n1025\n2049\n3073\n");
    host.alice("lodger rm -f -t0 $(lodger ps -aq) >/dev/null")?.ok();
    // One that is killed before its container runs leaves none taken either.
    let killed = "for delay in 0.005 0.01 0.02 0.04 0.08; do timeout -s KILL $delay lodger run --rm --network=none --userns=auto busybox true; done 2>/dev/null; true";
    host.alice(killed)?.ok();
    host.alice(&format!("lodger system prune -f >/dev/null; {RUN} --userns=auto busybox {first}"))?.ok().stdout("1\n");
    Ok(())
}

fn namespaces_of_others_are_joined(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name case --network=none --userns=nomap busybox sh -c 'echo data >/dev/shm/f; exec sleep 1000'")?.ok();
    let own = "lodger exec case readlink /proc/self/ns/user";
    let other = "busybox readlink /proc/self/ns/user";
    let pid = "$(lodger inspect --format '{{.State.Pid}}' case)";
    for mode in ["--userns=container:case".to_owned(), format!("--userns=ns:/proc/{pid}/ns/user")] {
        host.alice(&format!("test $({own}) = $({RUN} {mode} {other}) && echo same"))?.ok().stdout("same\n");
    }
    let all = "--userns=container:case --ipc=container:case --pid=container:case";
    host.alice(&format!("{RUN} {all} busybox sh -c 'cat /dev/shm/f; kill -0 1 && echo seen'"))?
        .ok()
        .stdout("data\nseen\n");
    // A network of a container with other ids.
    host.alice(
        "lodger rm -f -t0 case >/dev/null; lodger run -d --name case --network=none busybox sleep 1000 >/dev/null",
    )?
    .ok();
    let network = "readlink /proc/self/ns/net";
    let joined = "lodger run --rm --userns=keep-id --network=container:case busybox readlink /proc/self/ns/net";
    host.alice(&format!(
        "test $(lodger exec case {network}) = $({joined}) && echo same; lodger rm -f -t0 case >/dev/null"
    ))?
    .ok()
    .stdout("same\n");
    Ok(())
}

fn everything_reaches_a_service_with_ids_of_its_own(host: &Host) -> Result<()> {
    host.load("alice", "web")?;
    host.alice("lodger run -d --name case --userns=auto -p 8094:80 web")?.ok();
    host.alice("curl -s --retry 5 --retry-connrefused http://127.0.0.1:8094/ >/dev/null && echo answered")?
        .ok()
        .stdout("answered\n");
    let inside =
        "lodger exec case sh -c 'id -u; echo hi >/root/made; chown 12:13 /root/made'; lodger exec --user=33 case id -u";
    host.alice(inside)?.ok().stdout("0\n33\n");
    let copied = "lodger cp case:/root/made - | tar -tvn --numeric-owner | awk '{print $2}'; lodger cp /etc/passwd case:/root/in && \
                  lodger exec case stat -c %u:%g /root/in";
    host.alice(copied)?.ok().stdout("12/13\n0:0\n");
    host.alice("lodger top case user | tail -n +2 | sort -u")?.ok().stdout("root\nwww\n");
    host.alice("lodger restart -t0 case >/dev/null && lodger exec case stat -c %u:%g /root/made")?
        .ok()
        .stdout("12:13\n");
    host.alice("lodger stop -t1 case >/dev/null; lodger cp case:/root/made - | tar -tvn --numeric-owner | awk '{print $2}'; lodger rm case")?
        .ok()
        .stdout("12/13\ncase\n");
    // What it has left on the disk is gone, whoever owned it.
    host.alice("ls .local/share/lodger/containers .local/share/lodger/trash | grep -c '^[0-9a-f]'")?
        .fails(1)
        .stdout("0\n");
    Ok(())
}

fn volumes_go_between_containers_of_different_ids(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    // Whoever comes first owns an empty volume.
    host.alice(&format!("{RUN} --userns=keep-id -v case:/v busybox sh -c 'stat -c %u:%g /v; echo one >/v/f'"))?
        .ok()
        .stdout("1001:1001\n");
    host.alice(&format!("{RUN} -v case:/v busybox sh -c 'stat -c %u:%g /v/f; cat /v/f'"))?.ok().stdout("0:0\none\n");
    // To a container that has not the caller's id they are nobody's, until they are given.
    host.alice(&format!("{RUN} --userns=nomap -v case:/v busybox stat -c %u:%g /v/f"))?.ok().stdout("65534:65534\n");
    host.alice(&format!(
        "{RUN} --userns=nomap --user=7 -v case:/v:U busybox sh -c 'stat -c %u:%g /v/f; echo two >>/v/f'"
    ))?
    .ok()
    .stdout("7:0\n");
    host.alice(&format!("{RUN} -v case:/v busybox sh -c 'stat -c %u:%g /v/f; cat /v/f'"))?
        .ok()
        .stdout("8:1\none\ntwo\n");
    // A volume is filled with the image's files and the container's owners.
    host.alice(&format!("{RUN} --userns=nomap -v filled:/etc busybox stat -c %u:%g /etc/passwd"))?.ok().stdout("0:0\n");
    let kinds = "--tmpfs=/t --mount=type=image,src=busybox,dst=/i --mount=type=tmpfs,dst=/u,U=true -v ./:/o:O";
    host.alice(&format!("{RUN} --userns=nomap {kinds} busybox stat -c %u:%g /t /i /i/bin/sh /u"))?
        .ok()
        .stdout("0:0\n0:0\n0:0\n0:0\n");
    host.alice("lodger volume rm case filled")?.ok();
    Ok(())
}

fn a_tree_of_other_owners_is_made_once_and_goes_with_its_image(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let trees = "ls .local/share/lodger/mapped | wc -l";
    host.alice(&format!("for n in 1 2 3; do {RUN} --userns=keep-id busybox true & done; wait; {trees}"))?
        .ok()
        .stdout("1\n");
    host.alice(&format!("{RUN} --userns=keep-id busybox sh -c 'md5sum </bin/busybox; chmod 700 /bin/busybox; md5sum </bin/busybox' | uniq | wc -l; {trees}"))?
        .ok()
        .stdout("1\n1\n");
    // Killed while it is made, nothing of it is believed.
    let killed = "for delay in 0.02 0.03 0.04 0.05; do timeout -s KILL $delay lodger run --rm --network=none --userns=nomap busybox true; done 2>/dev/null";
    host.alice(&format!("{killed}; {RUN} --userns=nomap busybox stat -c %u:%g /bin/busybox; lodger system check"))?
        .ok()
        .stdout_has("0:0\n");
    // Damage is told, and mended by making it anew.
    host.alice("rm .local/share/lodger/mapped/*/mapped.json")?.ok();
    host.alice("lodger system check >told; echo $?; grep -c 'owners of another map' told")?.ok().stdout("125\n2\n");
    host.alice(&format!("{RUN} --userns=keep-id busybox id -u; {trees}"))?.ok().stdout("1001\n2\n");
    host.alice(&format!("lodger system check --repair >/dev/null; lodger system check && {trees}"))?.ok().stdout("1\n");
    host.alice(&format!("lodger rmi busybox >/dev/null; {trees}"))?.ok().stdout("0\n");
    Ok(())
}
