//! Detached containers as services: the unit is the container, in a user's manager and in the system's.

use std::time::Duration;

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    the_payload_is_the_units_main_process,
    logs_are_in_the_journal_and_in_lodger_logs,
    names_of_standard_output_can_be_opened,
    systemd_restarts_what_fails,
    exec_enters_and_leaves_nothing,
    a_failed_start_is_told_and_leaves_nothing,
    volumes_keep_and_are_filled_once,
    root_runs_containers_in_a_range_of_their_own,
    a_restart_policy_survives_a_reboot,
];

const PATIENCE: Duration = Duration::from_secs(30);

fn the_payload_is_the_units_main_process(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name one --network=none busybox sleep 1000")?.ok();
    let unit = host.alice("systemctl --user show --property=MainPID --value lodger-one")?.ok().text().trim().to_owned();
    host.alice("lodger inspect --format '{{.State.Pid}} {{.State.Status}}' one")?
        .ok()
        .stdout(&format!("{unit} running\n"));
    host.alice(&format!("cat /proc/{unit}/comm"))?.ok().stdout("sleep\n");
    host.alice("lodger stop --time 1 one")?.ok().stdout("one\n");
    host.alice("lodger ps --all --format '{{.Status}}'")?.ok().stdout_has("Exited (137)");
    host.alice("lodger start one && lodger kill --signal KILL one && lodger wait one")?.ok().stdout_has("137");
    host.alice("lodger rm one && systemctl --user --quiet is-active lodger-one")?.fails(4);
    Ok(())
}

fn logs_are_in_the_journal_and_in_lodger_logs(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = "lodger run -d --name talk --network=none --log-driver journald busybox sh -c 'echo out; echo err >&2; sleep 1000'";
    host.alice(script)?.ok();
    host.until(PATIENCE, "the lines are in the journal", || {
        Ok(host.root("journalctl --output=cat CONTAINER_NAME=talk SYSLOG_IDENTIFIER=talk")?.text().contains("err"))
    })?;
    host.root("journalctl --output=cat _SYSTEMD_USER_UNIT=lodger-talk.service CONTAINER_NAME=talk")?
        .ok()
        .stdout_has("out\n");
    host.alice("lodger rm -f talk")?.ok();
    host.alice("lodger run -d --name file --network=none --log-driver k8s-file busybox sh -c 'echo a; echo b'")?.ok();
    host.alice("lodger wait file")?;
    host.until(PATIENCE, "both lines are in the file", || Ok(host.alice("lodger logs file")?.text().trim() == "a\nb"))?;
    host.alice("lodger logs --tail 1 file; lodger rm file")?.ok().stdout_has("b\n");
    Ok(())
}

fn names_of_standard_output_can_be_opened(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = "lodger run -d --name byname --network=none busybox sh -c 'echo named >/dev/stdout; echo fd >/proc/self/fd/2; sleep 1000'";
    host.alice(script)?.ok();
    host.until(PATIENCE, "what was written by name is logged", || {
        let text = host.alice("lodger logs byname 2>&1")?;
        Ok(text.text().contains("named") && text.text().contains("fd"))
    })?;
    host.alice("lodger rm -f byname")?.ok();
    Ok(())
}

fn systemd_restarts_what_fails(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name again --network=none --restart on-failure:2 busybox sh -c 'sleep 0.1; exit 3'")?
        .ok();
    host.until(PATIENCE, "it was restarted twice and given up", || {
        let state =
            host.alice("lodger inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' again")?;
        Ok(state.text().trim() == "exited 3 2")
    })?;
    host.alice("lodger rm again")?.ok();
    Ok(())
}

fn exec_enters_and_leaves_nothing(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name in --network=none -e A=1 busybox sleep 1000")?.ok();
    host.alice("lodger exec -u 33 -e B=2 -w /tmp in sh -c 'id -u; echo $A$B; pwd; exit 9'")?
        .fails(9)
        .stdout("33\n12\n/tmp\n");
    host.alice("lodger exec in no-such-thing")?.fails(127);
    host.alice("lodger exec in cat /proc/self/cgroup")?.ok().stdout_has("0::/\n");
    host.alice("lodger top in pid | wc -l; lodger rm -f in")?.ok().stdout_has("2\n");
    Ok(())
}

fn a_failed_start_is_told_and_leaves_nothing(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --rm --network=none busybox no-such-thing")?.fails(127).stderr_has("not found");
    host.alice("lodger ps --all --quiet")?.ok().stdout("");
    host.alice("busybox nc -l -p 8083 >/dev/null & sleep 0.3; lodger run -d --rm -p 8083:80 busybox sleep 9; kill %1")?
        .stderr_has("8083")
        .stderr_has("address already in use");
    Ok(())
}

fn volumes_keep_and_are_filled_once(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice(
        "lodger run --rm --network=none -v data:/etc busybox sh -c 'test -f /etc/passwd && echo mine >/etc/note'",
    )?
    .ok();
    host.alice("lodger run --rm --network=none -v data:/data:ro busybox sh -c 'cat /data/note; touch /data/x'")?
        .fails(1)
        .stdout("mine\n")
        .stderr_has("Read-only file system");
    host.alice("lodger volume ls --quiet; lodger volume rm data")?.ok().stdout_has("data\n");
    Ok(())
}

fn root_runs_containers_in_a_range_of_their_own(host: &Host) -> Result<()> {
    host.root("lodger load -i /images/busybox.tar")?.ok();
    host.root("lodger run --rm --network=none busybox sh -c 'id -u; cat /proc/self/uid_map'")?
        .ok()
        .stdout_lacks(" 0 4294967295");
    host.root("lodger run -d --name case-root --network=none busybox sleep 1000")?.ok();
    host.root("systemctl is-active lodger-case-root && lodger rm -f case-root")?.ok().stdout_has("active\n");
    Ok(())
}

fn a_restart_policy_survives_a_reboot(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name back --network=none --restart always busybox sleep 1000")?.ok();
    host.alice("lodger run -d --name gone --network=none busybox sleep 1000")?.ok();
    host.reboot()?;
    host.until(PATIENCE, "the container is back", || {
        Ok(host.alice("lodger ps --format '{{.Names}}'")?.text().trim() == "back")
    })?;
    host.alice("lodger ps --all --format '{{.Names}} {{.State}}' | sort")?.ok().stdout("back running\ngone exited\n");
    host.alice("lodger rm -fa")?.ok();
    Ok(())
}
