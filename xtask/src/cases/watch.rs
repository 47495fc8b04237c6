//! What watches containers: events, logs of several, statistics, health checks, in every surrounding.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    the_journal_tells_what_happened_to_a_service,
    a_stream_tells_what_happens_now,
    services_are_measured_by_their_groups,
    logs_of_several_services_are_followed,
];

/// What happened to a container called `witness`; no other case has one of this name.
const TOLD: &str =
    "lodger events --stream=false --filter container=witness --format '{{.Status}} {{.ContainerExitCode}}'";

fn the_journal_tells_what_happened_to_a_service(host: &Host) -> Result<()> {
    for user in ["alice", "root"] {
        let run = |script: &str| if user == "root" { host.root(script) } else { host.alice(script) };
        run("lodger load -q -i /images/busybox.tar")?.ok();
        run("lodger run -d --name witness --network=none --label a=b busybox sleep 1000")?.ok();
        run("lodger exec witness sh -c 'exit 3'")?.fails(3);
        run("lodger kill witness && lodger wait witness && lodger rm witness")?.ok();
        run(TOLD)?.ok().stdout("create \ninit \nstart \nexec \nexec_died 3\nkill \ndied 137\ncleanup \nremove 137\n");
        // As podman's users look for them.
        run("journalctl -q -n 1 -o cat --output-fields=PODMAN_EXIT_CODE PODMAN_EVENT=died PODMAN_NAME=witness")?
            .ok()
            .stdout("137\n");
        run("lodger --events-backend none run -d --rm --name unseen --network=none busybox true")?.ok();
        run("while lodger container exists unseen; do sleep 0.1; done")?.ok();
        run("lodger events --stream=false --filter container=unseen")?.ok().stdout("");
    }
    Ok(())
}

fn a_stream_tells_what_happens_now(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    for backend in ["journald", "file"] {
        let lodger = format!("lodger --events-backend {backend}");
        let watch =
            format!("{lodger} events --filter type=volume --format '{{{{.Status}}}} {{{{.Name}}}}' --until 20s");
        host.alice(&format!(
            "{watch} >out & pid=$!; i=0; until grep -q mark$i out; do i=$((i+1)); {lodger} volume create mark$i; \
             sleep 0.3; done; {lodger} volume create late; until grep -q late out; do sleep 0.1; done; kill $pid"
        ))?
        .ok();
        host.alice("tail -n 1 out")?.ok().stdout("create late\n");
        host.alice("lodger volume prune -f; lodger volume rm -af; rm out")?.ok();
    }
    Ok(())
}

/// The controllers may be missing; time of processors is always counted, for the group and what runs in it alone.
fn services_are_measured_by_their_groups(host: &Host) -> Result<()> {
    for user in ["alice", "root"] {
        let run = |script: &str| if user == "root" { host.root(script) } else { host.alice(script) };
        run("lodger load -q -i /images/busybox.tar")?.ok();
        run("lodger run -d --name busy --network=none busybox sh -c 'while :; do :; done'")?.ok();
        run("lodger run -d --name idle --network=none busybox sleep 1000")?.ok();
        let nano = "lodger stats --no-stream --format '{{.CPUNano}}'";
        run(&format!("until [ $({nano} busy) -gt $((100 * $({nano} idle) / 50)) ]; do sleep 0.1; done"))?.ok();
        run(
            "timeout 3 lodger stats -i 1 --no-reset --format '{{.Name}} {{.CPUPerc}}' busy | grep -c '^busy [0-9.]*%$'",
        )?
        .stdout_lacks("0\n");
        run("lodger stats --no-stream --format '{{.PIDs}}' idle")?.ok();
        run("lodger rm -f -t 0 busy && lodger rm -f -t 0 idle")?.ok();
    }
    Ok(())
}

fn logs_of_several_services_are_followed(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    for driver in ["journald", "k8s-file"] {
        for name in ["a", "b"] {
            let script = format!("for i in 1 2 3; do sleep 1; echo {name}$i; done");
            host.alice(&format!(
                "lodger run -d --name {name} --log-driver {driver} --network=none busybox sh -c '{script}'"
            ))?
            .ok();
        }
        host.alice("timeout 20 lodger logs -f -n a b | sort")?.ok().stdout("a a1\na a2\na a3\nb b1\nb b2\nb b3\n");
        host.alice("lodger wait a b; lodger logs -n a b | wc -l; lodger rm a b")?.ok().stdout_has("6\n");
    }
    Ok(())
}
