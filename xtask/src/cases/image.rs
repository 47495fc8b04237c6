//! Images in and out of the store: pull from real registries, load, names, removal, kill -9 in between.

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    pulls_with_a_password_over_tls,
    plain_http_only_where_configured,
    load_takes_every_form,
    a_killed_pull_leaves_nothing_visible,
    names_come_and_go,
];

fn pulls_with_a_password_over_tls(host: &Host) -> Result<()> {
    host.push("busybox")?;
    host.alice("lodger pull registry.test:5000/busybox")?
        .fails(125)
        .stderr_has("authentication required")
        .stderr_has("hint:");
    host.alice("lodger pull -q --creds alice:wonderland registry.test:5000/busybox")?.ok();
    host.alice("lodger run --rm --network=none registry.test:5000/busybox echo hi")?.ok().stdout("hi\n");
    Ok(())
}

fn plain_http_only_where_configured(host: &Host) -> Result<()> {
    host.push("busybox")?;
    host.alice("lodger pull -q 127.0.0.1:5001/busybox")?
        .fails(125)
        .stderr_has("HTTP response to HTTPS client")
        .stderr_has("hint:");
    host.alice("lodger pull -q --tls-verify=false 127.0.0.1:5001/busybox")?.ok();
    Ok(())
}

fn load_takes_every_form(host: &Host) -> Result<()> {
    for form in
        ["-i /images/busybox.tar", "-i /images/busybox.docker.tar", "-i /images/busybox", "</images/busybox.docker.tar"]
    {
        host.alice(&format!(
            "lodger load {form} && lodger run --rm --network=none busybox echo hi && lodger rmi -f busybox"
        ))?
        .ok()
        .stdout_has("Loaded image: localhost/busybox:latest\n")
        .stdout_has("hi\n");
    }
    host.alice("lodger images --quiet")?.ok().stdout("");
    Ok(())
}

fn a_killed_pull_leaves_nothing_visible(host: &Host) -> Result<()> {
    host.push("big")?;
    let pull = "lodger pull -q --tls-verify=false 127.0.0.1:5001/big";
    for delay in ["0.05", "0.2", "0.5"] {
        host.alice(&format!("timeout -s KILL {delay} {pull}; lodger images --quiet"))?.ok().stdout("");
    }
    host.alice(pull)?.ok();
    host.alice("ls .local/share/lodger/partial; lodger images --format '{{.Repository}}'")?
        .ok()
        .stdout("127.0.0.1:5001/big\n");
    Ok(())
}

fn names_come_and_go(host: &Host) -> Result<()> {
    host.load("alice", "busybox")?;
    host.alice("lodger tag busybox other:1 && lodger image exists other:1")?.ok();
    host.alice("lodger create --name user busybox && lodger rmi other:1")?.ok();
    host.alice("lodger rmi busybox")?.fails(2).stderr_has("being used by");
    host.alice("lodger rm user && lodger rmi busybox && lodger image exists busybox")?.fails(1);
    host.alice("lodger rmi busybox")?.fails(1).stderr_has("image not known");
    Ok(())
}
