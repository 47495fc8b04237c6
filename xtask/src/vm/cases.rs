//! The cases of the virtual machine: limits that are enforced, reboots and power cuts that are real.
//!
//! They share one machine, which runs Linux 6.1 and is slow: a case is few commands, and each of those a script that shows
//! all there is to see. alice's containers and volumes are gone before each case, her images stay.

use anyhow::Result;

use super::Vm;
use crate::case::Case;
use crate::cases;

/// Every case, in the order in which they run: a boot costs half a minute.
pub const CASES: &[Case<Vm>] = cases![
    who_needs_more_than_its_memory_is_killed_and_that_is_told,
    limits_are_those_of_the_containers_cgroup,
    a_limit_nobody_enforces_is_refused_until_it_is_delegated,
    a_reboot_brings_back_what_was_to_come_back,
    a_power_cut_loses_nothing_that_was_told_done,
];

/// Loads the image once.
fn load(vm: &Vm) -> Result<()> {
    vm.alice("lodger image exists busybox || lodger load --quiet --input /images/busybox.tar")?.ok();
    Ok(())
}

/// Waits until all that starts with alice's manager has started.
fn wait_for_alices_manager(vm: &Vm) -> Result<()> {
    vm.alice("systemctl --user is-system-running --wait")?.ok().stdout("running\n");
    Ok(())
}

const EAT: &str = "dd if=/dev/zero of=/dev/null bs=100M";
const STATE: &str = "lodger inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}}'";

fn who_needs_more_than_its_memory_is_killed_and_that_is_told(vm: &Vm) -> Result<()> {
    load(vm)?;
    let run = "--network=none --memory 32m";
    vm.alice(&format!(
        "lodger run -d --name service {run} busybox {EAT} >id && lodger wait service && {STATE} service && \
         lodger ps --all --format '{{{{.Status}}}}'"
    ))?
    .ok()
    .stdout_has("137\ntrue 137\nExited (137)");
    // A child's end is not the container's, but is told as well.
    vm.alice(&format!("lodger run --name child {run} busybox sh -c '{EAT}; exit 4'; echo $?; {STATE} child"))?
        .ok()
        .stdout("4\ntrue 4\n");
    vm.alice(&format!(
        "lodger run --rm {run} busybox {EAT}; echo $?; lodger run --name fine {run} busybox true; {STATE} fine"
    ))?
    .ok()
    .stdout("137\nfalse 0\n");
    Ok(())
}

fn limits_are_those_of_the_containers_cgroup(vm: &Vm) -> Result<()> {
    load(vm)?;
    // It needs more of a processor than it may have, and more processes.
    let payload = "sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do (sleep 1000 &); done; while :; do :; done'";
    vm.alice(&format!(
        "lodger run -d --name all --network=none --memory 64m --memory-reservation 32m --memory-swap 96m --cpus 0.5 \
         --cpu-shares 512 --pids-limit 10 busybox {payload}"
    ))?
    .ok();
    let cgroup = "cd /sys/fs/cgroup$(systemctl --user show --property=ControlGroup --value lodger-all)";
    let files = "memory.max memory.low memory.swap.max cpu.max cpu.weight pids.max";
    vm.alice(&format!("{cgroup} && cat {files}"))?.ok().stdout("67108864\n33554432\n33554432\n50000 100000\n20\n10\n");
    vm.alice(&format!(
        "{cgroup} && sleep 1 && test $(cat pids.current) -le 10 && grep -v ' 0$' pids.events && \
         grep '^nr_throttled [1-9]' cpu.stat && lodger rm --force --time 0 all"
    ))?
    .ok();
    Ok(())
}

fn a_limit_nobody_enforces_is_refused_until_it_is_delegated(vm: &Vm) -> Result<()> {
    load(vm)?;
    let run = "lodger run --network=none";
    // systemd delegates cpu, memory and pids to users, but not these.
    vm.alice(&format!("{run} --rm --cpuset-cpus 0 busybox true"))?
        .fails(126)
        .stderr_has("--cpuset-cpus cannot be enforced: the cgroup controller \"cpuset\"")
        .stderr_has("Delegate=cpu cpuset io memory pids");
    vm.alice(&format!("{run} --rm -d --blkio-weight 500 busybox true"))?
        .fails(126)
        .stderr_has("--blkio-weight cannot be enforced: the cgroup controller \"io\"");
    vm.alice("lodger ps --all --quiet")?.ok().stdout("");

    // What the hint says, step by step. In between alice's manager has not noticed yet.
    vm.root(
        "mkdir -p /etc/systemd/system/user@.service.d && cd /etc/systemd/system/user@.service.d && \
         printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' >delegate.conf && systemctl daemon-reload",
    )?
    .ok();
    vm.alice(&format!("sleep 1; {run} --rm --cpuset-cpus 0 busybox true"))?
        .fails(126)
        .stderr_has("--cpuset-cpus cannot be enforced")
        .stderr_has("systemctl --user daemon-reexec");
    vm.alice(&format!(
        "systemctl --user daemon-reexec && {run} --rm --cpuset-cpus 0 busybox grep Cpus_allowed_list /proc/self/status && \
         {run} -d --name weight --blkio-weight 500 busybox sleep 1000 >id && \
         cat /sys/fs/cgroup$(systemctl --user show --property=ControlGroup --value lodger-weight)/io.weight"
    ))?
    .ok()
    .stdout("Cpus_allowed_list:\t0\ndefault 4950\n");
    Ok(())
}

fn a_reboot_brings_back_what_was_to_come_back(vm: &Vm) -> Result<()> {
    load(vm)?;
    vm.alice(
        "lodger run -d --name back --network=none --restart always -v kept:/kept busybox \
         sh -c 'echo started >>/kept/log; sleep 1000' && \
         lodger run -d --name gone --network=none busybox sleep 1000",
    )?
    .ok();
    vm.reboot()?;
    wait_for_alices_manager(vm)?;
    vm.alice(
        "lodger ps --all --format '{{.Names}} {{.State}}' | sort; lodger exec back cat /kept/log; \
              systemctl --user is-active lodger-back",
    )?
    .ok()
    .stdout("back running\ngone exited\nstarted\nstarted\nactive\n");
    Ok(())
}

fn a_power_cut_loses_nothing_that_was_told_done(vm: &Vm) -> Result<()> {
    load(vm)?;
    vm.root("systemctl start test-registry@plain && until nc -z 127.0.0.1 5001; do sleep 0.2; done")?.ok();
    let image = "127.0.0.1:5001/busybox";
    vm.root(&format!(
        "skopeo copy --quiet --dest-tls-verify=false oci-archive:/images/busybox.tar docker://{image}:latest"
    ))?
    .ok();
    // What brings containers back after a boot is to be made anew, by this case.
    vm.alice("rm --recursive --force .config/systemd && sync")?.ok();
    vm.alice(&format!(
        "lodger rmi --all --force >/dev/null && lodger pull --quiet --tls-verify=false {image} && \
         lodger tag {image} other:1 && lodger volume create kept && \
         lodger run -d --name back --network=none --restart always {image} sleep 1000 && \
         lodger run -d --rm --name passing --network=none {image} sleep 1000 && \
         lodger create --name made --network=none -v kept:/kept other:1 touch /kept/file && \
         echo lost >lost"
    ))?
    .ok();
    vm.crash()?;
    wait_for_alices_manager(vm)?;
    // It was a power cut: what nobody has synced is gone.
    vm.alice("grep lost lost")?.stdout("");
    vm.alice("lodger images --format '{{.Repository}}:{{.Tag}}' | sort; lodger volume ls --quiet")?
        .ok()
        .stdout("127.0.0.1:5001/busybox:latest\nlocalhost/other:1\nkept\n");
    // Nothing is in the way: not even the name of what went.
    vm.alice("lodger create --name passing other:1 >id && lodger rm passing")?.ok();
    vm.alice("lodger start made && lodger wait made && lodger ps --all --format '{{.Names}} {{.State}}' | sort")?
        .ok()
        .stdout("made\n0\nback running\nmade exited\n");
    let whole = "lodger run --rm -i --network=none other:1 sha256sum /bin/busybox - </usr/bin/busybox | uniq --count --check-chars 64";
    vm.alice(&format!("{whole} | grep --count ' 2 '; lodger load --quiet --input /images/busybox.tar"))?
        .ok()
        .stdout_has("1\n");
    Ok(())
}
