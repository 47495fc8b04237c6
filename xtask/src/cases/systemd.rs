//! systemd as the program of a container: a whole Debian boots, serves, and ends.

use std::time::Duration;

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    a_debian_boots_serves_and_powers_off,
    two_users_boot_the_same_image_one_of_them_read_only,
    roots_debian_divides_its_control_group,
    without_a_manager_nobody_may_divide_a_group,
];

const PATIENCE: Duration = Duration::from_secs(60);
const RUNS: &str = "lodger exec box systemctl is-system-running";

fn boots(host: &Host, run: &dyn Fn(&str) -> Result<bool>) -> Result<()> {
    host.until(PATIENCE, "the container's systemd has started everything", || run(RUNS))
}

fn a_debian_boots_serves_and_powers_off(host: &Host) -> Result<()> {
    host.load("alice", "machine")?;
    let run = "lodger run -d --name box -p 8081:80 --cap-add NET_ADMIN --hostname box.example.org";
    let id = host.alice(&format!("{run} --tmpfs /tmp:exec --restart on-failure machine"))?.ok();
    boots(host, &|script| Ok(host.alice(script)?.succeeded()))?;
    host.alice("curl -s http://127.0.0.1:8081/")?.ok().stdout_has("Welcome to nginx");
    host.alice("lodger exec box cat /etc/machine-id")?.ok().stdout(&format!("{}\n", &id.text()[..32]));
    host.alice("lodger exec box hostname -f")?.ok().stdout("box.example.org\n");
    host.alice("lodger exec box systemctl is-active cron nginx dbus")?.ok().stdout("active\nactive\nactive\n");
    host.alice("lodger exec box journalctl -b -o cat")?.ok().stdout_has("Multi-User System");
    // A service of its own, in a group of its own, ends as systemd ends services.
    host.alice("lodger exec box systemd-run --wait --quiet --uid=www-data sh -c 'exit 3'")?.fails(3);
    host.alice("systemctl --user show -p ExecMainPID --value lodger-box | xargs -I P cat /proc/P/comm")?
        .ok()
        .stdout("systemd\n");
    host.alice("lodger stop box")?.ok().stdout("box\n");
    host.alice("lodger inspect box --format '{{.State.Status}} {{.State.ExitCode}} {{.Config.StopSignal}}'")?
        .ok()
        .stdout("exited 0 SIGRTMIN+3\n");
    host.alice("lodger start box")?.ok();
    boots(host, &|script| Ok(host.alice(script)?.succeeded()))
}

fn two_users_boot_the_same_image_one_of_them_read_only(host: &Host) -> Result<()> {
    host.load("alice", "machine")?;
    host.load("bob", "machine")?;
    host.alice("lodger run -d --name box --read-only --tmpfs /var/log --tmpfs /var/lib machine")?.ok();
    host.bob("lodger run -d --name box machine")?.ok();
    boots(host, &|script| Ok(host.alice(script)?.succeeded()))?;
    boots(host, &|script| Ok(host.bob(script)?.succeeded()))?;
    host.alice("lodger exec box touch /usr/x")?.fails(1).stderr_has("Read-only file system");
    host.alice("lodger rm -f box")?.ok();
    host.bob("lodger exec box systemctl is-active nginx")?.ok();
    Ok(())
}

fn roots_debian_divides_its_control_group(host: &Host) -> Result<()> {
    host.root("lodger load -q -i /images/machine.tar && lodger run -d --name box machine")?.ok();
    boots(host, &|script| Ok(host.root(script)?.succeeded()))?;
    host.root("lodger stop box && lodger inspect box --format '{{.State.ExitCode}}'")?.ok().stdout("box\n0\n");
    Ok(())
}

/// Nobody else's control groups are divided.
fn without_a_manager_nobody_may_divide_a_group(host: &Host) -> Result<()> {
    host.load("alice", "machine")?;
    for run in ["lodger run --rm machine", "lodger run --rm -d machine"] {
        host.root(&super::surroundings::without_systemd(run))?
            .fails(126)
            .stderr_has("systemd in a container needs a control group that it may write")
            .stderr_has("Delegate=yes");
    }
    host.alice("lodger ps -aq")?.ok().stdout("");
    Ok(())
}
