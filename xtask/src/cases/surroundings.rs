//! The three surroundings of a detached container: a user's manager, a system unit with `User=` that reaches no manager, and no
//! systemd at all; and who tells systemd that a service is ready.

use std::time::Duration;

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    after_a_reboot_each_container_has_its_unit_again,
    a_system_unit_is_taken_over_by_its_container,
    without_systemd_a_supervisor_does_its_work,
    the_program_inside_says_when_it_is_ready,
    nobody_inside_is_asked_with_conmon,
    first_starts_at_once_agree_on_one_namespace,
];

const PATIENCE: Duration = Duration::from_secs(30);

/// A system unit of alice's that cannot reach her manager, as on a machine where she does not linger.
fn unit(service: &str) -> String {
    format!("[Service]\nUser=alice\nInaccessiblePaths=/run/user\n{service}\n")
}

/// What runs a script as alice where there is no systemd to be found.
pub(super) fn without_systemd(script: &str) -> String {
    let hidden = "--property=InaccessiblePaths=/run/user --property=InaccessiblePaths=/run/systemd/system";
    let run = "systemd-run --quiet --wait --pipe --collect --uid=alice --setenv=HOME=/home/alice";
    format!("{run} {hidden} sh -c {}", crate::process::quoted(script))
}

fn after_a_reboot_each_container_has_its_unit_again(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name one --network=none --stop-signal=KILL --restart always busybox sleep 1000")?.ok();
    host.alice(
        "lodger run -d --name two --network=none --stop-signal=KILL --restart unless-stopped busybox sleep 1000",
    )?
    .ok();
    host.alice("lodger run -d --name three --network=none --restart unless-stopped busybox sleep 1000")?.ok();
    host.alice("lodger stop --time 1 three")?.ok();
    host.reboot()?;
    host.until(PATIENCE, "both containers are back in units of their own", || {
        Ok(host.alice("systemctl --user is-active lodger-one lodger-two")?.text() == "active\nactive")
    })?;
    host.alice("systemctl --user is-active lodger-three")?.stdout("inactive\n");
    let pid = "systemctl --user show --property=MainPID --value lodger-one";
    let before = host.alice(pid)?.ok().text().to_owned();
    host.alice(&format!("kill -KILL {before}"))?.ok();
    host.until(PATIENCE, "its policy starts it again", || {
        let now = host.alice(pid)?;
        Ok(now.text() != before && now.text() != "0")
    })?;
    host.alice("lodger rm -fa")?.ok();
    Ok(())
}

fn a_system_unit_is_taken_over_by_its_container(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let service = "Type=notify\nNotifyAccess=all\nRestart=on-failure\nRestartSec=100ms\nSuccessExitStatus=143\n\
        ExecStart=/usr/local/bin/lodger run -d --replace --sdnotify=conmon --name web --network=none busybox \
        sh -c 'trap \"exit 0\" TERM; echo in the unit; while :; do sleep 0.05; done'\n\
        ExecStopPost=/usr/local/bin/lodger rm --force --ignore web";
    host.write("root", "/run/systemd/system/case-web.service", &unit(service))?;
    host.root("systemctl daemon-reload && systemctl start case-web")?.ok();
    let pid = "systemctl show --property=MainPID --value case-web";
    let first = host.root(pid)?.ok().text().to_owned();
    host.root(&format!("ps -o user= -p {first}"))?.ok().stdout("alice\n");
    host.root(&format!("cat /proc/{first}/comm"))?.ok().stdout("sh\n");
    host.until(PATIENCE, "what it says is in the unit's journal", || {
        Ok(host.root("journalctl --unit=case-web --output=cat")?.text().contains("in the unit"))
    })?;
    host.root(&format!("kill -KILL {first}"))?.ok();
    host.until(PATIENCE, "the unit starts it again", || {
        let now = host.root(&format!("{pid}; systemctl is-active case-web"))?;
        Ok(now.text().ends_with("\nactive") && !now.text().starts_with(&format!("{first}\n")))
    })?;
    host.root("systemctl stop case-web; systemctl is-failed case-web")?.stdout("inactive\n");
    host.root("pgrep -u alice -x sh")?.fails(1);
    Ok(())
}

fn without_systemd_a_supervisor_does_its_work(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let script = "lodger run -d --name one --network=none busybox sh -c 'echo said; sleep 1000' >/dev/null; \
        until test \"$(lodger logs one)\" = said; do sleep 0.05; done; lodger ps --format '{{.Names}} {{.State}}'; \
        lodger stop --time 0 one; lodger inspect --format '{{.State.ExitCode}}' one";
    host.root(&without_systemd(script))?.ok().stdout("one running\none\n137\n");
    let script = "lodger run -d --name two --network=none --restart on-failure:2 busybox sh -c 'exit 3' >/dev/null; \
        until test \"$(lodger inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' two)\" = 'exited 3 2'; \
        do sleep 0.05; done; lodger rm one two";
    host.root(&without_systemd(script))?.ok().stdout("one\ntwo\n");
    host.root(&without_systemd("lodger run -d --timeout 5 --network=none busybox true"))?
        .fails(125)
        .stderr_has("systemd");
    Ok(())
}

/// Mounts that let a busybox container run the host's systemd-notify.
const NOTIFY: &str = "-v /usr/lib:/lib:ro -v /usr/lib:/usr/lib:ro -v /usr/lib64:/lib64:ro -v /usr/bin/systemd-notify:/bin/systemd-notify:ro";

fn the_program_inside_says_when_it_is_ready(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let inside = "until test -e /go/now; do sleep 0.05; done; systemd-notify --ready; exec sleep 1000";
    let run = format!(
        "lodger run -d --name slow --sdnotify=container --network=none -v ./go:/go {NOTIFY} busybox sh -c '{inside}'"
    );
    host.alice(&format!("mkdir go; ({run}; echo $? >answer) >/dev/null 2>&1 &"))?.ok();
    let state = "systemctl --user show --property=ActiveState,SubState --value lodger-slow";
    host.until(PATIENCE, "it has started, and is not ready", || {
        Ok(host.alice("lodger ps --format '{{.Names}}'")?.text() == "slow")
    })?;
    host.alice(state)?.ok().stdout("activating\nstart\n");
    host.alice("test -e answer")?.fails(1);
    host.alice("touch go/now")?.ok();
    host.until(PATIENCE, "the start is over", || Ok(host.alice("cat answer")?.text() == "0"))?;
    host.alice(state)?.ok().stdout("active\nrunning\n");
    host.alice("lodger rm -f -t 0 slow")?.ok();
    Ok(())
}

fn nobody_inside_is_asked_with_conmon(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let say = "busybox sh -c 'echo socket=$NOTIFY_SOCKET.; exec sleep 1000'";
    host.alice(&format!("lodger run -d --name told --sdnotify=conmon --network=none {say}"))?.ok();
    host.alice("systemctl --user is-active lodger-told")?.ok();
    host.until(PATIENCE, "it has no socket", || Ok(host.alice("lodger logs told")?.text() == "socket=."))?;
    host.alice("lodger rm -f -t 0 told")?.ok();
    // Of somebody else's unit that waits for a word, ignored: the container gets a unit of its own.
    let notify = "systemd-run --user --quiet --wait --pipe --service-type=oneshot --property=NotifyAccess=all";
    host.alice(&format!("{notify} lodger run -d --name mute --sdnotify=ignore --network=none {say}"))?.ok();
    host.alice("systemctl --user is-active lodger-mute; lodger rm -f -t 0 mute")?.ok().stdout_has("active\n");
    Ok(())
}

fn first_starts_at_once_agree_on_one_namespace(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    // As after a login: nobody keeps the namespace.
    host.alice("pkill -x lodger-keeper; until ! pgrep -u alice -x lodger-keeper; do sleep 0.01; done")?.ok();
    let many = "for i in $(seq 16); do lodger run --rm --network=none busybox readlink /proc/self/ns/user & done; wait";
    let seen = host.alice(&format!("({many}) | sort | uniq -c"))?.ok().text().to_owned();
    assert!(seen.lines().count() == 1 && seen.trim_start().starts_with("16 "), "{seen}");
    host.alice("pgrep -u alice -c -x lodger-keeper")?.ok().stdout("1\n");
    // In units, where no keeper can live, and on another machine's user.
    host.load("bob", "busybox")?;
    host.bob("pkill -x lodger-keeper; until ! pgrep -u bob -x lodger-keeper; do sleep 0.01; done")?.ok();
    let one = "systemd-run --quiet --wait --pipe --collect --uid=bob --property=InaccessiblePaths=/run/user \
        --setenv=HOME=/home/bob /usr/local/bin/lodger run --rm --network=none busybox readlink /proc/self/ns/user";
    let hold = "sleep 2";
    let held = one.replace("readlink /proc/self/ns/user", &format!("sh -c 'readlink /proc/self/ns/user; {hold}'"));
    let seen = host.root(&format!("for i in 1 2 3 4; do {held} & done; wait"))?.ok().text().to_owned();
    let mut lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines.len(), 4, "{seen}");
    lines.dedup();
    assert_eq!(lines.len(), 1, "{seen}");
    Ok(())
}
