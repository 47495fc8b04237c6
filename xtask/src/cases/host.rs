//! The test host itself: that it is the machine which the other cases take it for.

use std::time::Duration;

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;

pub(super) const CASES: &[Case] = cases![
    lingering_users_have_their_manager,
    a_login_has_a_session_and_a_service_has_none,
    users_mount_overlays_proc_and_sys,
    registries_answer_over_tls_with_passwords_and_tokens,
    the_world_outside_sees_the_hosts_own_address,
    a_reboot_keeps_files_and_restarts_managers,
    a_crash_keeps_files_and_boots_again,
    cleaning_leaves_nothing_behind,
];

fn lingering_users_have_their_manager(host: &Host) -> Result<()> {
    host.root("systemctl is-system-running")?.ok().stdout("running\n");
    host.alice("systemctl --user is-system-running")?.ok().stdout("running\n");
    host.bob("systemctl --user is-system-running")?.ok().stdout("running\n");
    host.root("loginctl show-user --property=Linger --value alice")?.ok().stdout("yes\n");
    host.root("loginctl show-user --property=Linger carol")?.fails(1);
    host.carol("grep carol /etc/subuid")?.fails(1);
    Ok(())
}

fn a_login_has_a_session_and_a_service_has_none(host: &Host) -> Result<()> {
    let login = host.alice("echo $XDG_RUNTIME_DIR $DBUS_SESSION_BUS_ADDRESS; grep ^0: /proc/self/cgroup")?;
    let login = login.ok().stdout_has("/run/user/1001 unix:path=/run/user/1001/bus\n");
    login.stdout_has("/user.slice/user-1001.slice/session-");
    let service = host.service("alice", "id -un; pwd; echo ${XDG_RUNTIME_DIR-none}; exit 3")?;
    service.fails(3).stdout("alice\n/home/alice\nnone\n");
    host.service("alice", "grep ^0: /proc/self/cgroup")?.ok().stdout_has("/system.slice/run-");
    Ok(())
}

fn users_mount_overlays_proc_and_sys(host: &Host) -> Result<()> {
    let script = "mkdir -p o/lower o/upper o/work o/all && cd o && echo low >lower/file && \
        unshare --user --map-auto --map-root-user --mount --pid --net --fork --kill-child sh -c '\
        mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work overlay all && \
        cat all/file && rm all/file && mount -t proc proc /proc && mount -t sysfs sysfs /sys && \
        chown 5:5 all' && stat -c '%n %F %t,%T' upper/file";
    host.alice(script)?.ok().stdout("low\nupper/file character special file 0,0\n");
    Ok(())
}

fn registries_answer_over_tls_with_passwords_and_tokens(host: &Host) -> Result<()> {
    let code = "curl -sS -o /dev/null -w '%{http_code}\\n'";
    let url = "https://registry.test:5000/v2/";
    host.alice(&format!("{code} {url}"))?.ok().stdout("401\n");
    host.alice(&format!("{code} -u alice:wonderland {url}"))?.ok().stdout("200\n");
    host.alice(&format!("{code} https://wrong-name.test:5000/v2/"))?.fails(60);
    host.alice(&format!("{code} http://127.0.0.1:5001/v2/"))?.ok().stdout("200\n");
    let challenge = host.alice("curl -sSI https://registry.test:5002/v2/")?;
    challenge.ok().stdout_has("Bearer realm=\"https://registry.test:5003/token\"");
    let token = "curl -sS 'https://registry.test:5003/token?scope=repository:x:pull' | jq -r .token";
    let ask = format!("{code} -H \"Authorization: Bearer $({token})\" https://registry.test:5002/v2/");
    host.alice(&ask)?.ok().stdout("200\n");
    Ok(())
}

fn the_world_outside_sees_the_hosts_own_address(host: &Host) -> Result<()> {
    host.alice("curl -sS http://outside.test/cgi-bin/address -4")?.ok().stdout("192.0.2.10\n");
    host.alice("curl -sS http://outside.test/cgi-bin/address -6")?.ok().stdout("2001:db8::10\n");
    host.root("ip netns exec outside curl -sS http://192.0.2.10:5000/")?.ok();
    Ok(())
}

fn a_reboot_keeps_files_and_restarts_managers(host: &Host) -> Result<()> {
    host.write("alice", "kept/note", "still here\n")?;
    host.write("alice", "/run/user/1001/note", "gone\n")?;
    let before = host.root("cat /proc/sys/kernel/random/boot_id")?.ok().text().to_owned();
    host.reboot()?;
    let after = host.root("cat /proc/sys/kernel/random/boot_id")?.ok().text().to_owned();
    assert_ne!(before, after);
    host.alice("cat kept/note; test ! -e /run/user/1001/note")?.ok().stdout("still here\n");
    host.alice("systemctl --user is-active default.target")?.ok();
    Ok(())
}

fn a_crash_keeps_files_and_boots_again(host: &Host) -> Result<()> {
    host.alice("echo written >note; systemd-run --user --quiet sleep 1000")?.ok();
    host.crash()?;
    host.alice("cat note; ! pgrep sleep")?.ok().stdout("written\n");
    Ok(())
}

fn cleaning_leaves_nothing_behind(host: &Host) -> Result<()> {
    host.alice("systemd-run --user --quiet --unit=left sleep 1000; touch .config; sleep 2000 &")?.ok();
    host.carol("nohup sleep 3000 >/dev/null 2>&1 &")?.ok();
    host.root("systemd-run --quiet --unit=case-left sleep 4000")?.ok();
    host.clean()?;
    host.alice("ls -A")?.ok().stdout(".bash_logout\n.bashrc\n.profile\n");
    host.root("pgrep --list-full sleep")?.fails(1).stdout("");
    host.until(Duration::from_secs(10), "alice's manager is back", || {
        Ok(host.alice("systemctl --user is-system-running")?.succeeded())
    })?;
    Ok(())
}
