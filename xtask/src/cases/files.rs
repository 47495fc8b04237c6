//! A container's files from outside: `diff`, `export`, `commit`, `mount` within `unshare`.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    users_mount_within_unshare,
    changes_are_those_that_podman_tells,
    a_killed_commit_leaves_nothing,
    containers_that_run_are_read_as_they_are,
];

fn users_mount_within_unshare(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger mount")?
        .fails(125)
        .stderr_has("cannot run command \"lodger mount\" in rootless mode, must execute `lodger unshare` first");
    host.alice(
        "lodger create --name off --network=none -v data:/data busybox cat /new >/dev/null; \
         lodger run -d --name on --network=none busybox sh -c 'echo inside >/told; exec sleep 1000' >/dev/null; \
         until lodger exec on test -s /told; do sleep 0.05; done",
    )?
    .ok();
    let script = "id -u; wc -l </proc/self/uid_map; test -d \"$CONTAINERS_GRAPHROOT\"; \
        for c in on off; do d=$(lodger mount $c); echo new >$d/new; chown 33:44 $d/new; test ! -e $d/data/x; done; \
        cat $(lodger mount on)/told; lodger mount | wc -l; d=$(lodger image mount busybox); touch $d/x 2>/dev/null || echo fixed; \
        lodger exec on stat -c %u:%g /new; lodger unmount -a >/dev/null; lodger mount; lodger run --rm --network=none busybox echo ran";
    host.alice(&format!("lodger unshare sh -e -c '{script}'"))?.ok().stdout("0\n2\ninside\n2\nfixed\n33:44\nran\n");
    host.alice("lodger start -a off; grep -c shown /proc/self/mountinfo")?.fails(1).stdout("new\n0\n");
    for (words, code) in [("false", 1), ("/nonexistent", 127), ("/etc/passwd", 126), ("sh -c \"exit 7\"", 7)] {
        host.alice(&format!("lodger unshare {words}"))?.fails(code);
    }
    Ok(())
}

fn changes_are_those_that_podman_tells(host: &Host) -> Result<()> {
    let script = "echo hi >/etc/new; mkdir -p /opt/d/e; echo x >/opt/d/e/f; rm -rf /bin/vi /etc/passwd; touch /tmp/t; \
        chmod 700 /root; ln -s a /lnk; mkfifo /ff; rm -rf /etc/group; mkdir /etc/group; touch /etc/group/in; mv /bin /b; \
        mkdir /bin; /b/cp -a /b/busybox /bin; chown 3:4 /home";
    host.alice(&format!(
        "for p in podman lodger; do $p load -q -i /images/busybox.tar >/dev/null; \
         $p run --name one --network=none busybox sh -c '{script}' >/dev/null; $p diff one >$p.diff; $p diff busybox >$p.image; \
         $p commit -q one two >/dev/null; $p image diff two >$p.two; \
         $p export one | tar tv --numeric-owner | grep -vE ' (dev|etc|proc|run|sys)/(hostname|hosts|mtab|resolv.conf|.containerenv)?($| )' | \
         sed -E 's/[0-9-]+ [0-9:]+ / /; /bin\\/$/d' >$p.tar; done; \
         cmp podman.diff lodger.diff && cmp podman.image lodger.image && cmp podman.two lodger.two; diff podman.tar lodger.tar",
    ))?
    .ok()
    .stdout("");
    Ok(())
}

fn a_killed_commit_leaves_nothing(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice(
        "lodger run --name one --network=none busybox dd if=/dev/urandom of=/big bs=1M count=200 2>/dev/null; \
         layers() { ls ~/.local/share/lodger/layers | wc -l; }; before=$(layers); \
         for nap in 0.05 0.2 0.4; do lodger commit one killed & sleep $nap; kill -9 $!; wait $!; done 2>/dev/null; \
         lodger rmi killed >/dev/null 2>&1; lodger image prune -f >/dev/null; test $(layers) = $before; \
         ls ~/.local/share/lodger/tmp; lodger commit -q one whole >/dev/null; lodger system check; lodger images -q | wc -l",
    )?
    .ok()
    .stdout("2\n");
    Ok(())
}

fn containers_that_run_are_read_as_they_are(host: &Host) -> Result<()> {
    let script = "lodger run -d --name one --network=none busybox sh -c \"echo \\$\\$ >/one; while :; do date >/a; mv /a /b; done\" >/dev/null; \
        until lodger exec one test -s /b; do sleep 0.05; done; \
        for i in 1 2 3; do lodger export one >one.tar && lodger diff one >/dev/null && lodger commit -q one >/dev/null || exit 1; done; \
        lodger commit -q --pause one paused >/dev/null; lodger ps --format {{.Status}} | cut -d\" \" -f1; \
        lodger run --rm --network=none paused cat /one; lodger rm -f -t 0 one >/dev/null";
    host.load("alice", "busybox")?;
    host.root("lodger load -q -i /images/busybox.tar")?.ok();
    host.alice(script)?.ok().stdout("Up\n1\n");
    host.root(script)?.ok().stdout("Up\n1\n");
    Ok(())
}
