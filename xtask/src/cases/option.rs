//! Options of `run` that need a whole host: who is known inside, what is shared, what devices bring.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    namespaces_of_other_containers_are_joined,
    privileged_is_all_that_the_user_may,
    devices_come_by_their_names,
    a_health_check_is_kept_and_shown,
];

fn namespaces_of_other_containers_are_joined(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger run -d --name first --hostname one busybox sh -c 'echo hi >/dev/shm/file; sleep 100'")?.ok();
    let run = |words: &str| host.alice(&format!("lodger run --rm {words}"));
    run("--pid=container:first busybox ps -o comm")?.ok().stdout_has("sleep");
    run("--ipc=container:first busybox cat /dev/shm/file")?.ok().stdout("hi\n");
    run("--uts=container:first busybox hostname")?.ok().stdout("one\n");
    let group = "readlink /proc/self/ns/cgroup";
    host.alice(&format!(
        "test $(lodger exec first {group}) = $(lodger run --rm --cgroupns=container:first busybox {group})"
    ))?
    .ok();
    run("--pid=container:nosuch busybox true")?
        .fails(125)
        .stderr_has("looking up container to share pid namespace with");
    host.alice("lodger create --name second --pid=container:first busybox true; lodger stop -t 0 first")?.ok();
    host.alice("lodger start -a second")?.fails(125).stderr_has("is exited");
    Ok(())
}

fn privileged_is_all_that_the_user_may(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = |words: &str| host.alice(&format!("lodger run --rm --network=none --privileged {words}"));
    let mount = "mkdir /m; mount -t tmpfs x /m; touch /m/x; grep Seccomp: /proc/self/status; ls /dev/fuse";
    run(&format!("busybox sh -c '{mount}'"))?.ok().stdout("Seccomp:\t0\n/dev/fuse\n");
    // Not more than the user: the machine's own settings stay closed.
    run("busybox sh -c 'echo 1 >/proc/sys/kernel/panic'")?.fails(1);
    run("busybox sh -c 'echo b >/proc/sysrq-trigger'")?.fails(1);
    run("--user 33 busybox grep CapEff /proc/self/status")?.ok().stdout("CapEff:\t0000000000000000\n");
    Ok(())
}

fn devices_come_by_their_names(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let run = |device: &str| {
        let show = "stat -c %t:%T /dev/one; echo $THING; head -c 4 /thing; touch /thing";
        host.alice(&format!("lodger run --rm --network=none --device {device} busybox sh -c '{show}'"))
    };
    run("test.com/thing=one")?.fails(126).stderr_has("unresolvable CDI devices test.com/thing=one");
    host.write(
        "alice",
        ".config/cdi/test.yaml",
        "cdiVersion: 0.6.0\nkind: test.com/thing\ndevices:\n- name: one\n  containerEdits:\n    env: [THING=1]\n    \
         deviceNodes:\n    - {path: /dev/one, hostPath: /dev/null}\n    mounts:\n    - {hostPath: /etc/passwd, \
         containerPath: /thing, options: [ro, bind]}\n- name: hooked\n  containerEdits:\n    hooks:\n    - {hookName: \
         createContainer, path: /bin/true}\n",
    )?;
    run("test.com/thing=one")?.fails(1).stdout("1:3\n1\nroot").stderr_has("Read-only file system");
    run("test.com/thing=hooked")?.fails(126).stderr_has("wants /bin/true to be run on the host");
    Ok(())
}

fn a_health_check_is_kept_and_shown(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice(
        "lodger create --name c --health-cmd 'test -e /x' --health-interval 5s --health-on-failure kill busybox",
    )?
    .ok()
    .stderr_has("nobody runs it regularly yet");
    let shown = "{{json .Config.Healthcheck.Test}} {{json .Config.Healthcheck.Interval}} {{.Config.HealthcheckOnFailureAction}}";
    host.alice(&format!("lodger inspect -f '{shown}' c"))?
        .ok()
        .stdout("[\"CMD-SHELL\",\"test -e /x\"] 5000000000 kill\n");
    Ok(())
}
