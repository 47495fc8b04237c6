//! What cannot be, told before anything is made: contradictions, and words that lodger understands but cannot follow (here).

use crate::error::{Error, Kind, Result};
use crate::host::Host;
use spec::ContainerSpec;
use spec::container::Root;
use spec::lifecycle::Restart;
use spec::namespaces::{IpcMode, NsMode, UserNs};
use spec::network::Mode;
use spec::resources::CgroupMode;

/// Refuses a spec that cannot be followed.
pub(crate) fn check(spec: &ContainerSpec, host: &Host) -> Result<()> {
    contradictions(spec)?;
    if let Some(what) = unsupported(spec, host) {
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
    if matches!(spec.network.mode, Some(Mode::Container(_))) && spec.network.hostname.is_some() {
        return Err(Error::invalid(
            "cannot set hostname when running in the network (and UTS) namespace of another container",
        ));
    }
    if let Root::Image(name) = &spec.root {
        if name.is_empty() {
            return Err(Error::invalid("an image name is required"));
        }
    }
    if spec.process.tty && spec.logging.driver == Some(spec::logging::LogDriver::Passthrough) && lifecycle.detach {
        return Err(Error::invalid("--log-driver=passthrough cannot be used with --tty and --detach"));
    }
    Ok(())
}

fn unsupported(spec: &ContainerSpec, host: &Host) -> Option<String> {
    let later = |what: &str| Some(format!("{what} is not supported yet"));
    match &spec.network.mode {
        Some(Mode::Named(names)) => return later(&format!("--network={}: a named network", names.join(","))),
        Some(Mode::Path(path)) if path.is_empty() => return later("--network=ns: without a path"),
        _ => {}
    }
    if !host.rootless() && spec.namespaces.user == Some(UserNs::Host) {
        return later("--userns=host as root");
    }
    if let Some(UserNs::Other(mode)) = &spec.namespaces.user {
        return later(&format!("--userns={mode}"));
    }
    let modes = [("pid", &spec.namespaces.pid), ("uts", &spec.namespaces.uts), ("cgroupns", &spec.namespaces.cgroup)];
    for (flag, mode) in modes {
        if let Some(mode @ (NsMode::Container(_) | NsMode::Path(_))) = mode {
            return later(&format!("--{flag}={}", words(mode)));
        }
    }
    if let Some(IpcMode::Mode(mode @ (NsMode::Container(_) | NsMode::Path(_)))) = &spec.namespaces.ipc {
        return later(&format!("--ipc={}", words(mode)));
    }
    if spec.security.privileged {
        return later("--privileged");
    }
    if !spec.mounts.volumes_from.is_empty() {
        return later("--volumes-from");
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
    if let Some(mount) = spec.mounts.list.iter().find(|mount| mount.options.chown) {
        return later(&format!("the mount option U (chown), at {}", mount.target));
    }
    None
}

fn words(mode: &NsMode) -> String {
    match mode {
        NsMode::Private => "private".to_owned(),
        NsMode::Host => "host".to_owned(),
        NsMode::Container(name) => format!("container:{name}"),
        NsMode::Path(path) => format!("ns:{path}"),
    }
}
