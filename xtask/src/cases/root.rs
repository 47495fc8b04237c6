//! Containers of root, which live in a range of ids of their own.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![files_that_only_root_may_read_are_read, roots_containers_reach_the_world];

fn files_that_only_root_may_read_are_read(host: &Host) -> Result<()> {
    host.root(
        "rm -rf /root/case; install -d -m 700 /root/case; install -m 600 /images/busybox.tar /root/case/image.tar",
    )?
    .ok();
    // Also the very first command, which makes the store.
    host.root("lodger load --quiet --input /root/case/image.tar")?.ok();
    host.root("cd /root/case && umask 077 && echo A=secret >variables && echo made=here >labels")?.ok();
    let run =
        "cd /root/case && lodger run --name case --network=none --env-file=variables --label-file=labels --cidfile=id";
    host.root(&format!("{run} busybox sh -c 'echo $A; id -u'"))?.ok().stdout("secret\n0\n");
    host.root(
        "lodger inspect --format '{{.Config.Labels.made}}' case && lodger inspect $(cat /root/case/id) >/dev/null",
    )?
    .ok()
    .stdout("here\n");
    host.root("stat -c %U /root/case/id; find /var/lib/lodger -uid 0; lodger rm case; rm -rf /root/case")?
        .ok()
        .stdout("root\ncase\n");
    Ok(())
}

fn roots_containers_reach_the_world(host: &Host) -> Result<()> {
    host.root("lodger load --quiet --input /images/web.tar")?.ok();
    host.root("lodger run -d --name case-web -p 8091:80 web")?.ok();
    host.root("for i in $(seq 100); do curl -sS 127.0.0.1:8091 && exit; sleep 0.05; done")?
        .ok()
        .stdout_has("A lodger is at home");
    host.root("lodger rm -f -t 0 case-web; ss -Hlnt 'sport = 8091'")?.ok().stdout("case-web\n");
    Ok(())
}
