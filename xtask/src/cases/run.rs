//! `lodger run` in the foreground: status, streams, user, limits of what it may see, debris.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    what_a_time_limit_ends_has_ended_as_in_podman,
    beside_the_hosts_processes_the_network_is_its_own,
    kept_groups_are_kept_by_further_processes,
    status_and_streams_are_the_payloads,
    a_command_that_is_missing_or_cannot_run_is_told_apart,
    nothing_is_left_after_rm,
    two_users_have_the_same_image_at_once,
    sixteen_at_once,
    bad_words_change_nothing,
    a_user_without_subordinate_ids_is_told_so,
    a_service_of_the_system_runs_containers_for_its_user,
];

fn status_and_streams_are_the_payloads(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = host.alice("echo in | lodger run --rm -i --network=none busybox sh -c 'cat; echo err >&2; exit 7'")?;
    run.fails(7).stdout("in\n").stderr_has("err");
    host.alice("lodger run --rm --network=none --user 33:44 busybox id -u")?.ok().stdout("33\n");
    host.alice("lodger run --rm --network=none busybox sh -c 'ls /proc/self/fd | wc -l'")?.ok().stdout("4\n");
    Ok(())
}

fn a_command_that_is_missing_or_cannot_run_is_told_apart(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run --rm --network=none busybox no-such-thing")?.fails(127).stderr_has("not found");
    host.alice("lodger run --rm --network=none busybox /etc/passwd")?.fails(126).stderr_has("ermission denied");
    host.alice("lodger ps --all --quiet")?.ok().stdout("");
    Ok(())
}

fn nothing_is_left_after_rm(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run --rm -v /data busybox sh -c 'echo x >/data/x; mkdir -m 0 /closed'")?.ok();
    host.alice("lodger ps --all --quiet; lodger volume ls --quiet")?.ok().stdout("");
    host.alice("ls .local/share/lodger/containers .local/share/lodger/tmp .local/share/lodger/trash | grep -v :")?;
    host.alice("grep share/lodger /proc/self/mounts")?.fails(1);
    host.alice("pgrep -u alice -x pasta")?.fails(1);
    Ok(())
}

fn two_users_have_the_same_image_at_once(host: &Host) -> Result<()> {
    for user in ["alice", "bob"] {
        host.load(user, "web")?;
    }
    let run = |name: &str, port| {
        format!("lodger run -d --name {name} -p {port}:80 web && sleep 0.5 && curl -sS 127.0.0.1:{port}")
    };
    host.alice(&run("web", 8081))?.ok().stdout_has("A lodger is at home");
    host.bob(&run("web", 8082))?.ok().stdout_has("A lodger is at home");
    host.alice("lodger rm -f web")?.ok();
    host.bob("curl -sS 127.0.0.1:8082; lodger rm -f web")?.ok().stdout_has("A lodger is at home");
    Ok(())
}

fn sixteen_at_once(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = "for i in $(seq 16); do lodger run --rm --network=none busybox echo $i & done; wait";
    let text = host.alice(script)?.ok().text().to_owned();
    assert_eq!(text.lines().count(), 16, "{text}");
    host.alice("lodger ps --all --quiet")?.ok().stdout("");
    Ok(())
}

fn bad_words_change_nothing(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run --nmae x busybox true")?.fails(125).stderr_has("unknown flag: --nmae").stderr_has("--name");
    host.alice("lodger run no-such-image true")?.fails(125).stderr_has("Error:").stderr_has("hint:");
    host.alice("lodger run --network=mynet busybox true")?.fails(125).stderr_has("named network");
    host.alice("lodger run --rm -v /no/such:/x busybox true")?.fails(125).stderr_has("/no/such");
    host.alice("lodger create --name one busybox")?.ok();
    host.alice("lodger create --name one busybox")?.fails(125).stderr_has("is already in use");
    host.alice("lodger rm one; lodger ps --all --quiet")?.ok().stdout("one\n");
    Ok(())
}

fn a_user_without_subordinate_ids_is_told_so(host: &Host) -> Result<()> {
    host.carol("lodger load -i /images/busybox.tar")?.fails(125).stderr_has("subordinate ids").stderr_has("hint:");
    Ok(())
}

fn a_service_of_the_system_runs_containers_for_its_user(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.service("alice", "lodger run --rm --network=none busybox id -u")?.ok().stdout("0\n");
    Ok(())
}

fn beside_the_hosts_processes_the_network_is_its_own(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name case --pid=host busybox sleep 1000")?.ok();
    host.alice(
        "lodger exec case sh -c 'wget -qO- http://outside.test/cgi-bin/address; cat /proc/1/comm' && \
         test $(lodger exec case readlink /proc/self/ns/net) != $(readlink /proc/self/ns/net)",
    )?
    .ok()
    .stdout_has("systemd\n")
    .stdout_has("2001:db8::10");
    host.alice("lodger rm -f -t 0 case; lodger run --rm --pid=host --network=none busybox cat /proc/sys/net/ipv4/ping_group_range")?
        .ok()
        .stdout("case\n0\t0\n");
    Ok(())
}

fn kept_groups_are_kept_by_further_processes(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let alice = "cd /home/alice && set -- $(id -u alice) $(id -g alice) && \
                 as=\"setpriv --reuid $1 --regid $2 --groups $2,4242 env HOME=/home/alice XDG_RUNTIME_DIR=/run/user/$1\"";
    host.root(&format!(
        "{alice}; $as lodger run -d --name case --group-add=keep-groups --network=none busybox sleep 1000"
    ))?
    .ok();
    host.root(&format!("{alice}; $as lodger exec case id -G; $as lodger exec --user 33 case id -G"))?
        .ok()
        .stdout("0 65534\n33 0 65534\n");
    host.alice("lodger rm -f -t 0 case")?.ok();
    Ok(())
}

fn what_a_time_limit_ends_has_ended_as_in_podman(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = "lodger run --network=none --timeout 1";
    let noted = "lodger inspect --format '{{.State.ExitCode}}' case; lodger rm case";
    host.alice(&format!("{run} --name case busybox sleep 1000 || echo $?; {noted}"))?.ok().stdout("255\n-1\ncase\n");
    let deaf = "trap \"exit 3\" TERM; while :; do sleep 0.1; done";
    host.alice(&format!("{run} -d --name case busybox sh -c '{deaf}' >/dev/null && lodger wait case && {noted}"))?
        .ok()
        .stdout("-1\n-1\ncase\n");
    host.alice(&format!("{run} --rm busybox sh -c 'exit 4'"))?.fails(4);
    Ok(())
}
