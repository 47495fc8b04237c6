//! What cannot be, told before anything is made: contradictions, and words that lodger understands but cannot follow (here).

use crate::containers::Starter;
use crate::error::{Error, Kind, Result};
use crate::host::Host;
use spec::ContainerSpec;
use spec::container::Root;
use spec::lifecycle::{Restart, SdNotify};
use spec::logging::LogDriver;
use spec::mount::{Mount, MountSource};
use spec::namespaces::{IpcMode, NsMode};
use spec::network::{Dns, Mode};
use spec::resources::CgroupMode;
use std::collections::BTreeSet;

/// Refuses a spec that cannot be followed.
pub(crate) fn check(spec: &ContainerSpec, host: &Host, start: Starter) -> Result<()> {
    contradictions(spec)?;
    files_of_names(spec)?;
    crate::ids::check(spec, host)?;
    logging(spec)?;
    let refusals = [unsupported, labels, devices];
    let refused = refusals.into_iter().find_map(|refusal| refusal(spec, host));
    if let Some(what) = refused.or_else(|| surroundings(spec, host, start)) {
        return Err(Error::new(Kind::Unsupported(what)));
    }
    if let Some(name) = &spec.identity.name {
        spec::name::check("container name", name).map_err(|e| Error::invalid(e.to_string()))?;
    }
    Ok(())
}

fn contradictions(spec: &ContainerSpec) -> Result<()> {
    let lifecycle = &spec.lifecycle;
    let restarts = !matches!(lifecycle.restart, None | Some(Restart::No));
    if lifecycle.remove && restarts {
        return Err(Error::invalid(
            "the --rm option conflicts with --restart, when the restartPolicy is not \"\" and \"no\"",
        ));
    }
    let own_network = matches!(spec.network.mode, None | Some(Mode::Private | Mode::Pasta(_)));
    if !own_network && (!spec.network.publish.is_empty() || spec.network.publish_all) {
        let mode = match &spec.network.mode {
            Some(Mode::Host) => "the host's network, where every port is the host's already",
            Some(Mode::Container(_)) => "another container's network: publish the port there",
            _ => "this network mode, which has no way in",
        };
        return Err(Error::invalid(format!("--publish cannot be used with {mode}")));
    }
    let mut targets = BTreeSet::new();
    for mount in spec.mounts.list.iter().filter(|mount| !matches!(mount.source, MountSource::Glob(_))) {
        let target: Vec<&str> = mount.target.split('/').filter(|word| !matches!(*word, "" | ".")).collect();
        if !targets.insert(target) {
            return Err(Error::invalid(format!("{}: duplicate mount destination", mount.target)));
        }
    }
    if let Root::Image(name) = &spec.root {
        if name.is_empty() {
            return Err(Error::invalid("an image name is required"));
        }
    }
    if spec.identity.replace && spec.identity.name.is_none() {
        return Err(Error::invalid("cannot replace container without --name being set"));
    }
    if spec.mounts.shm_size.is_some() {
        let without = match &spec.namespaces.ipc {
            Some(IpcMode::Mode(NsMode::Host)) => Some("host"),
            Some(IpcMode::None) => Some("none"),
            _ => None,
        };
        if let Some(mode) = without {
            return Err(Error::invalid(format!(
                "cannot set --shm-size with --ipc={mode}: the container has no /dev/shm of its own"
            )));
        }
    }
    if spec.process.preserve_fds > 0 && !spec.process.preserve_fd.is_empty() {
        return Err(Error::invalid("cannot specify both --preserve-fds and --preserve-fd"));
    }
    if spec.health.disabled && spec.health.command.is_some() {
        return Err(Error::invalid("cannot specify both --no-healthcheck and --health-cmd"));
    }
    if !spec.security.proc_options.is_empty() && spec.namespaces.pid == Some(NsMode::Host) {
        return Err(Error::invalid(
            "--security-opt=proc-opts cannot be used with --pid=host, whose /proc is the host's",
        ));
    }
    if spec.process.tty && spec.logging.driver == Some(LogDriver::Passthrough) && lifecycle.detach {
        return Err(Error::invalid("--log-driver=passthrough cannot be used with --tty and --detach"));
    }
    Ok(())
}

/// Host name, `/etc/hosts` and `/etc/resolv.conf`.
fn files_of_names(spec: &ContainerSpec) -> Result<()> {
    let network = &spec.network;
    if network.hostname.is_some() {
        if matches!(network.mode, Some(Mode::Container(_))) {
            return Err(Error::invalid(
                "cannot set hostname when running in the network (and UTS) namespace of another container",
            ));
        }
        if spec.namespaces.uts == Some(NsMode::Host) {
            return Err(Error::invalid("cannot set hostname when running in the host UTS namespace"));
        }
    }
    if network.no_hosts && (!network.add_hosts.is_empty() || network.hosts_file.is_some()) {
        return Err(Error::invalid("--no-hosts and --add-host or --hosts-file cannot be set together"));
    }
    if network.dns == Some(Dns::None) && !(network.dns_search.is_empty() && network.dns_options.is_empty()) {
        return Err(Error::invalid("--dns=none and --dns-search or --dns-option cannot be set together"));
    }
    Ok(())
}

/// Options of a driver that is not the one asked for would do nothing.
fn logging(spec: &ContainerSpec) -> Result<()> {
    let logging = &spec.logging;
    let of_file = [("path", logging.path.is_some()), ("max-size", logging.max_size.is_some())];
    let of_journal = [("tag", logging.tag.is_some())];
    let (others, driver): (&[_], _) = match logging.driver {
        Some(LogDriver::K8sFile) => (&of_journal, "journald"),
        Some(LogDriver::Journald) => (&of_file, "k8s-file"),
        Some(LogDriver::None | LogDriver::Passthrough) => (&[of_file[0], of_file[1], of_journal[0]], "another"),
        None => return Ok(()),
    };
    match others.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(Error::invalid(format!("--log-opt={name} is an option of {driver} log driver"))),
        None => Ok(()),
    }
}

/// Labels and profiles of the kernel's security modules. As in podman, labels and `z` mean nothing where there is no SELinux.
fn labels(spec: &ContainerSpec, host: &Host) -> Option<String> {
    let security = &spec.security;
    if let Some(label) = security.label.iter().find(|label| *label != "disable" && host.selinux()) {
        return Some(format!("--security-opt=label={label}: SELinux labels cannot be set yet"));
    }
    if let Some(profile) = security.apparmor.as_ref().filter(|profile| *profile != "unconfined") {
        return Some(match host.apparmor() {
            true => format!("--security-opt=apparmor={profile}: AppArmor profiles cannot be set yet"),
            false => format!("apparmor profile {profile:?} specified, but Apparmor is not enabled on this system"),
        });
    }
    let mut mounts = spec.mounts.list.iter();
    let relabelled = mounts.find(|mount| mount.options.relabel.is_some()).filter(|_| host.selinux())?;
    Some(format!("the mount option z or Z (SELinux relabelling), at {}, is not supported yet", relabelled.target))
}

/// A user's control groups cannot limit what is done with a device, and nobody inside a user namespace can make one.
fn devices(spec: &ContainerSpec, _host: &Host) -> Option<String> {
    let limited = spec.security.devices.iter().find(|device| !device.permissions.contains("rw"))?;
    let (name, only) = (&limited.host, &limited.permissions);
    Some(format!("--device {name}: the device cannot be limited to {only:?}; its own permission bits decide"))
}

/// What only some surroundings can do: a service of lodger's own, a unit that somebody else wrote, no systemd at all.
fn surroundings(spec: &ContainerSpec, host: &Host, start: Starter) -> Option<String> {
    let (lifecycle, resources) = (&spec.lifecycle, &spec.resources);
    let limited_time = lifecycle.timeout.is_some_and(|seconds| seconds.0 > 0);
    let detached = start == Starter::Detached;
    if resources.cgroups == Some(CgroupMode::Disabled) && super::resources::asked(resources) {
        return Some("--cgroups=disabled cannot be used with limits, which belong to a control group".to_owned());
    }
    if resources.cgroup_parent.is_some() && host.systemd.is_none() && host.unit.is_none() {
        return Some("--cgroup-parent needs systemd, whose slices it names; its manager cannot be reached".to_owned());
    }
    let taken_over = match start {
        Starter::Anybody => return None,
        Starter::Detached => host.unit_to_take_over(spec),
        Starter::Foreground => host.unit.as_ref(),
    };
    if let Some(own) = taken_over {
        return in_unit_of_others(spec, own.name.as_deref().unwrap_or("its unit"));
    }
    if start == Starter::Foreground && !matches!(lifecycle.restart, None | Some(Restart::No)) {
        return Some("--restart without --detach: nobody stays to restart a container in the foreground".to_owned());
    }
    let refusals = [
        (
            spec.process.preserve_fds > 0 || !spec.process.preserve_fd.is_empty(),
            "--preserve-fds with --detach: a service does not get the caller's descriptors",
        ),
        (
            resources.cgroups == Some(CgroupMode::Split),
            "--cgroups=split with --detach, outside of a unit: the container gets a unit of its own",
        ),
        (
            limited_time && host.systemd.is_none(),
            "--timeout with --detach needs systemd, whose manager cannot be reached",
        ),
    ];
    refusals.iter().find(|(asked, _)| detached && *asked).map(|(_, why)| (*why).to_owned())
}

/// What a unit decides in which the container becomes the main process.
fn in_unit_of_others(spec: &ContainerSpec, unit: &str) -> Option<String> {
    let (lifecycle, resources) = (&spec.lifecycle, &spec.resources);
    let settings = [
        (!matches!(lifecycle.restart, None | Some(Restart::No)), "--restart", "Restart="),
        (super::resources::asked(resources), "a limit", "MemoryMax=, CPUQuota=, TasksMax= and the like"),
        (resources.cgroup_parent.is_some(), "--cgroup-parent", "Slice="),
        (lifecycle.detach && lifecycle.timeout.is_some_and(|seconds| seconds.0 > 0), "--timeout", "RuntimeMaxSec="),
    ];
    let (_, what, setting) = settings.iter().find(|(asked, _, _)| *asked)?;
    Some(format!(
        "{what} in a unit that the container takes over: write {setting} into the [Service] section of {unit}"
    ))
}

fn unsupported(spec: &ContainerSpec, host: &Host) -> Option<String> {
    let later = |what: &str| Some(format!("{what} is not supported yet"));
    match &spec.network.mode {
        Some(Mode::Named(names)) => return later(&format!("--network={}: a named network", names.join(","))),
        Some(Mode::Path(path)) if path.is_empty() => return later("--network=ns: without a path"),
        _ => {}
    }
    if spec.lifecycle.sdnotify == Some(SdNotify::Healthy) {
        return Some("--sdnotify=healthy: health checks are not run yet".to_owned());
    }
    if !spec.identity.requires.is_empty() {
        return later("--requires");
    }
    if spec.resources.cgroups == Some(CgroupMode::Disabled) && host.systemd.is_some() && spec.lifecycle.detach {
        return Some(
            "--cgroups=disabled cannot be used with --detach under systemd: a service always has a cgroup".to_owned(),
        );
    }
    if spec.process.groups.iter().any(|group| group == "keep-groups") && spec.process.groups.len() > 1 {
        return Some(
            "the '--group-add keep-groups' option is not allowed with any other --group-add options".to_owned(),
        );
    }
    let mapped = |mount: &&Mount| mount.options.idmap.as_ref().is_some_and(|mapping| !mapping.is_empty());
    spec.mounts.list.iter().find(mapped).map(|mount| {
        format!(
            "the mount option idmap with a mapping, at {}: the kernel lets nobody but root of the host map the ids of a \
             mount; U gives the files to the container's user",
            mount.target
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::OwnUnit;
    use crate::systemd::{Scope, Systemd};
    use spec::options::{Verb, read};

    fn host(unit: Option<&str>, systemd: bool) -> Host {
        Host {
            uid: 1000,
            gid: 1000,
            user: "alice".to_owned(),
            home: "/home/alice".into(),
            runtime_dir: None,
            boot_id: String::new(),
            systemd: systemd.then(|| Systemd::new(Scope::User, "/run/user/1000/bus".into(), 1000)),
            inside: false,
            unit: unit.map(|name| OwnUnit { notify_socket: Some("/n".into()), name: Some(name.to_owned()) }),
        }
    }

    /// What the check says of `lodger run WORDS image` in these surroundings.
    fn told(words: &str, host: &Host) -> String {
        let words: Vec<String> = words.split_whitespace().chain(["image"]).map(str::to_owned).collect();
        let spec = read(Verb::Run, &[], &words).unwrap().spec;
        let start = if spec.lifecycle.detach { Starter::Detached } else { Starter::Foreground };
        check(&spec, host, start).map_or_else(|error| format!("{:?}", error.kind), |()| String::new())
    }

    #[test]
    fn words_that_would_do_nothing_are_refused() {
        let host = host(None, true);
        for (words, reason) in [
            ("--security-opt=apparmor=web", "pparmor"),
            ("--preserve-fd=5 --preserve-fds=1", "cannot specify both"),
            ("--no-healthcheck --health-cmd=x", "cannot specify both"),
            ("-d --preserve-fd=5", "--preserve-fds with --detach"),
            ("--pid=host --security-opt=proc-opts=hidepid=2", "proc-opts"),
            ("--sdnotify=healthy", "health checks are not run yet"),
            ("--device=/dev/fuse:r", "cannot be limited to"),
            ("-d --preserve-fds=1", "--preserve-fds with --detach"),
            ("-d --cgroups=split", "--cgroups=split"),
            ("--cgroups=disabled --memory=1g", "--cgroups=disabled cannot be used with limits"),
            ("--log-driver=journald --log-opt=max-size=1m", "max-size is an option of k8s-file"),
            ("--log-driver=k8s-file --log-opt=tag=a", "tag is an option of journald"),
            ("--log-driver=none --log-opt=path=/l", "path is an option of another"),
            ("--no-hosts --add-host=a:10.0.0.1", "--no-hosts"),
            ("--dns=none --dns-search=a", "--dns=none"),
            ("--uts=host --hostname=a", "host UTS namespace"),
            ("--ipc=none --shm-size=1m", "cannot set --shm-size with --ipc=none"),
            ("--replace", "without --name"),
        ] {
            let error = told(words, &host);
            assert!(error.contains(reason), "{words}: {error:?}");
        }
        for words in [
            "--security-opt=label=disable --security-opt=apparmor=unconfined",
            "--sdnotify=conmon -d --restart=always --timeout=5 --cgroup-parent=web.slice",
            "--device=/dev/fuse:rw --log-opt=max-size=1m",
            "--cgroups=no-conmon -d --memory=1g",
        ] {
            assert_eq!(told(words, &host), "", "{words}");
        }
    }

    #[test]
    fn values_on_the_list_are_refused() {
        let host = host(None, true);
        for value in spec::options::UNSUPPORTED_VALUES {
            assert_ne!(told(value.words, &host), "", "{}", value.words);
        }
    }

    #[test]
    fn a_unit_of_somebody_elses_decides_for_its_container() {
        let host = host(Some("web.service"), true);
        for (words, setting) in [
            ("-d --restart=always", "Restart="),
            ("--memory=1g", "MemoryMax="),
            ("--cgroup-parent=a.slice", "Slice="),
            ("-d --timeout=5", "RuntimeMaxSec="),
        ] {
            let error = told(words, &host);
            assert!(error.contains("of web.service") && error.contains(setting), "{words}: {error:?}");
        }
        assert_eq!(told("-d --cgroups=split --sdnotify=conmon", &host), "");
    }

    #[test]
    fn without_systemd_its_settings_are_refused() {
        let host = host(None, false);
        for words in ["--cgroup-parent=a.slice", "-d --timeout=5"] {
            assert!(told(words, &host).contains("systemd"), "{words}");
        }
        assert_eq!(told("-d --restart=always", &host), "");
        assert_eq!(told("--timeout=5", &host), "");
    }

    #[test]
    fn a_restart_policy_needs_somebody_who_stays() {
        let host = host(None, true);
        assert!(told("--restart=on-failure:3", &host).contains("without --detach"));
        assert_eq!(told("--restart=no", &host), "");
        let spec = read(Verb::Create, &[], &["--restart=always".to_owned(), "image".to_owned()]).unwrap().spec;
        assert!(check(&spec, &host, Starter::Anybody).is_ok());
    }
}
