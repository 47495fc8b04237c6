//! `cp` between the host and containers, and what a hostile container cannot do to it.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    files_go_in_and_out_wherever_the_container_lives,
    volumes_are_seen_as_the_container_sees_them,
    case_22_links_of_a_container_lead_nowhere_outside,
    archives_come_and_go,
];

fn files_go_in_and_out_wherever_the_container_lives(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.root("lodger load -q -i /images/busybox.tar")?.ok();
    let script = "mkdir -p d/sub && echo text >d/sub/f && chmod 640 d/sub/f && ln -s sub/f d/link && truncate -s 1G d/sparse; \
        lodger run -d --name on --network=none --user 33:44 busybox sleep 1000 >/dev/null; \
        lodger create --name off --network=none --user 33:44 busybox >/dev/null; \
        for c in on off; do rm -rf out; lodger cp d $c:/tmp && lodger cp $c:/tmp/d out && lodger cp $c:/tmp/d/link one || exit 1; \
        cat out/sub/f one; stat -c '%U %a' out/sub/f; readlink out/link; test $(du -k out/sparse | cut -f1) -lt 100 || exit 2; done; \
        lodger cp on:/etc/passwd off:/from && lodger cp off:/from - | tar xO | head -1; \
        lodger cp -a=false d/sub/f on:/kept; lodger exec on stat -c '%u:%g %a' /tmp/d/sub/f /kept; rm -rf d out one";
    for user in ["alice", "root"] {
        let did = if user == "root" { host.root(script)? } else { host.alice(script)? };
        let each = format!("text\ntext\n{user} 640\nsub/f\n");
        did.ok().stdout(&format!("{each}{each}root:x:0:0:root:/root:/bin/sh\n33:44 640\n0:0 640\n"));
    }
    Ok(())
}

fn volumes_are_seen_as_the_container_sees_them(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice(
        "mkdir bound; lodger create --name one --network=none -v data:/data -v ~/bound:/data/bound busybox cat /data/f >/dev/null; \
         echo text >f; lodger cp f one:/data && lodger cp f one:/data/bound/g && cat bound/g && lodger start -a one && \
         lodger cp one:/data - | tar t",
    )?
    .ok()
    .stdout("text\ntext\ndata/\ndata/bound/\ndata/bound/g\ndata/f\n");
    Ok(())
}

fn case_22_links_of_a_container_lead_nowhere_outside(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    let links = "ln -s ../../../../../../home/alice/secret /s; ln -s /proc/1/root /p; ln -s /home/alice /d; touch /ready; sleep 1000";
    host.alice(&format!(
        "echo secret >secret; echo new >new; lodger run -d --name one --network=none busybox sh -c '{links}'"
    ))?
    .ok();
    host.alice("until lodger exec one test -e /ready; do sleep 0.05; done; lodger cp one:/s out; test -e out")?
        .fails(1);
    host.alice("lodger cp one:/p/home/alice/secret out; test -e out")?.fails(1);
    host.alice("lodger cp new one:/s; lodger cp new one:/d/x; cat secret; ls")?.ok().stdout("secret\nnew\nsecret\n");
    // A directory that turns into a link between two looks.
    let race = "mkdir -p /race/a; while :; do mv /race/a /race/b; ln -s /home/alice /race/a; rm /race/a; mv /race/b /race/a; done";
    host.alice(&format!(
        "lodger exec -d one sh -c '{race}'; mkdir -p tree/a; echo evil >tree/a/evil; \
         for i in $(seq 30); do lodger cp tree/. one:/race 2>/dev/null; done; ls"
    ))?
    .ok()
    .stdout_lacks("evil");
    Ok(())
}

fn archives_come_and_go(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice(
        "lodger run -d --name one --network=none busybox sh -c 'ln -s /etc /tmp/link; touch /ready; sleep 1000' >/dev/null; \
         until lodger exec one test -e /ready; do sleep 0.05; done; mkdir d; echo a >d/a; \
         tar c d | lodger cp - one:/tmp && lodger exec one cat /tmp/d/a; lodger cp one:/tmp/d - | tar xO; \
         mkdir link; echo b >link/passwd; tar c link | lodger cp - one:/tmp; echo $?; lodger exec one head -1 /etc/passwd",
    )?
    .ok()
    .stdout("a\na\n125\nroot:x:0:0:root:/root:/bin/sh\n");
    host.alice("lodger cp - one:/tmp </dev/null")?.fails(125).stderr_has("must be a");
    host.alice("tar c d | lodger cp - one:/etc/passwd")?.fails(125).stderr_has("must be a directory");
    Ok(())
}
