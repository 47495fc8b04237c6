//! What changes a container that exists: `pause`, `unpause`, `rename`, `update`, in every surrounding.

use std::time::Duration;

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    a_paused_container_stands_still_and_goes_on,
    a_paused_container_can_be_ended,
    in_a_system_unit_a_delegated_group_is_needed,
    a_renamed_container_keeps_its_unit_until_it_is_started_again,
    another_restart_policy_holds_at_once,
];

const PATIENCE: Duration = Duration::from_secs(30);
/// Writes a line into a file every few milliseconds.
const COUNTS: &str = "sh -c 'while :; do echo >>/out/lines; usleep 10000; done'";

/// Whether the container goes on, after a while long enough to see it.
const MOVES: &str = "a=$(wc -l <out/lines); sleep 0.3; b=$(wc -l <out/lines); test $a != $b";

fn a_paused_container_stands_still_and_goes_on(host: &Host) -> Result<()> {
    for user in ["alice", "root"] {
        let run = |script: &str| if user == "root" { host.root(script) } else { host.alice(script) };
        host.root("rm -rf ~/out; lodger load -q -i /images/busybox.tar")?.ok();
        host.load("alice", "busybox")?;
        run("mkdir -m 777 out")?.ok();
        for how in ["-d", "-d --restart=always", ""] {
            let name = if how.is_empty() { "--name one" } else { "--name one -d" };
            let back = if how.is_empty() { ">/dev/null 2>&1 &" } else { ">/dev/null" };
            run(&format!("lodger run {how} {name} --network=none -v ~/out:/out busybox {COUNTS} {back}"))?.ok();
            host.until(PATIENCE, "it counts", || Ok(run(MOVES)?.succeeded()))?;
            run("lodger exec -d one sh -c 'while :; do echo >>/out/lines; usleep 10000; done'")?.ok();
            run("lodger pause one")?.ok().stdout("one\n");
            run(MOVES)?.fails(1);
            run("lodger ps -a --filter status=paused --format '{{.Names}} {{.Status}}'")?.ok().stdout("one Paused\n");
            run("lodger exec one true")?.fails(255);
            run("lodger unpause --all")?.ok();
            host.until(PATIENCE, "it counts again", || Ok(run(MOVES)?.succeeded()))?;
            run("lodger rm -f -t 0 one; rm -f out/lines")?.ok();
        }
    }
    Ok(())
}

/// Neither the container nor the manager of its unit hangs.
fn a_paused_container_can_be_ended(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = "lodger run -d --name one --network=none --stop-timeout 1 busybox sleep 1000 && lodger pause one";
    for end in ["lodger kill one", "lodger stop one", "systemctl --user stop lodger-one", "lodger rm -f -t 0 one"] {
        host.alice(run)?.ok();
        host.alice(end)?.ok();
        host.alice("lodger wait --ignore one; systemctl --user is-active lodger-one; lodger rm --ignore one")?
            .stdout_lacks("deactivating");
    }
    host.alice(run)?.ok();
    host.alice("kill -KILL $(lodger inspect --format '{{.State.Pid}}' one); lodger wait one")?.ok().stdout("137\n");
    Ok(())
}

fn in_a_system_unit_a_delegated_group_is_needed(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    for (delegate, can) in [("yes", true), ("no", false)] {
        let unit = format!(
            "[Service]\nUser=alice\nInaccessiblePaths=/run/user\nDelegate={delegate}\nType=notify\nNotifyAccess=all\nTimeoutStopSec=1\n\
             ExecStart=/usr/local/bin/lodger run -d --replace --sdnotify=conmon --name web --network=none busybox sleep 1000\n"
        );
        host.write("root", "/run/systemd/system/case-pause.service", &unit)?;
        host.root("systemctl daemon-reload && systemctl restart case-pause")?.ok();
        let paused = host.alice("lodger pause web")?;
        if can {
            paused.ok();
            host.alice("lodger ps -a --format '{{.State}}'; lodger unpause web; lodger ps --format '{{.State}}'")?
                .ok()
                .stdout("paused\nweb\nrunning\n");
        } else {
            paused.fails(125).stderr_has("not delegated").stderr_has("Delegate=yes");
        }
    }
    Ok(())
}

fn a_renamed_container_keeps_its_unit_until_it_is_started_again(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name one --network=none --restart always busybox sleep 1000; lodger rename one two")?
        .ok();
    let pid = "lodger inspect --format '{{.State.Pid}}' two";
    let before = host.alice(pid)?.ok().text().to_owned();
    host.alice(&format!("kill -KILL {before}"))?.ok();
    host.until(PATIENCE, "systemd starts it again under its old name", || {
        let now = host.alice(&format!("{pid}; systemctl --user is-active lodger-one"))?;
        Ok(now.text().ends_with("\nactive") && !now.text().starts_with("0\n") && !now.text().starts_with(&before))
    })?;
    host.alice("lodger stop -t 0 two; systemctl --user is-active lodger-one")?.stdout_lacks("\nactive");
    host.alice("lodger start two; systemctl --user is-active lodger-one lodger-two")?.stdout("two\ninactive\nactive\n");
    host.alice("lodger rm -f -t 0 two; systemctl --user list-units --all --plain --no-legend 'lodger-[ot]*'")?
        .stdout("two\n");
    Ok(())
}

fn another_restart_policy_holds_at_once(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = "lodger run -d --network=none";
    host.alice(&format!("{run} --name one busybox sleep 1000; {run} --name two --restart always busybox sleep 1000"))?
        .ok();
    host.alice("lodger update --restart always one && lodger update --restart no two")?.ok();
    host.alice("kill -KILL $(lodger inspect --format '{{.State.Pid}}' one two)")?.ok();
    host.until(PATIENCE, "one was restarted and two was not", || {
        let states = host.alice("lodger ps -a --sort names --format '{{.Names}} {{.State}} {{.Restarts}}'")?;
        Ok(states.text() == "one running 1\ntwo exited 0")
    })?;
    host.alice("lodger rm -af -t 0; find $XDG_RUNTIME_DIR/systemd/transient -name 'lodger-[ot]*'")?
        .ok()
        .stdout_lacks("/systemd/");
    Ok(())
}
