//! What the process may do: capabilities, system call filter, devices, hidden paths, kernel parameters.

use super::files::{c_string, guest, open_path};
use crate::Engine;
use crate::error::{Error, Result};
use runtime::capability::{Set, Sets};
use runtime::plan::{self, Device, GuestPath, Node, Sysctl, SysctlScope};
use runtime::seccomp::{Context, Profile};
use spec::security::Security;
use std::path::Path;

/// podman's default capabilities.
const DEFAULT: [&str; 11] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Nodes that every container has.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// The five sets for a user.
///
/// `available` gives what this process could hand on at most.
pub(crate) fn capabilities(security: &Security, uid: u32, available: impl FnOnce() -> Set) -> Result<Sets> {
    let (added, dropped) = match security.privileged {
        // Whatever else is said of them, as in podman.
        true => (Set::ALL, Set::EMPTY),
        false => (named("--cap-add", &security.cap_add)?, named("--cap-drop", &security.cap_drop)?),
    };
    if let Some(both) = added.and(dropped).names().next().filter(|_| added != Set::ALL && dropped != Set::ALL) {
        return Err(Error::invalid(format!("capability {both} cannot be dropped and added")));
    }
    let defaults = DEFAULT.iter().filter_map(|name| Set::named(name)).fold(Set::EMPTY, Set::or);
    let allowed = match (added == Set::ALL, dropped == Set::ALL) {
        (true, true) => return Err(Error::invalid("adding and removing all capabilities at once is not possible")),
        (true, false) => Set::ALL.without(dropped),
        (false, true) => added,
        (false, false) => defaults.without(dropped).or(added),
    };
    if added.is_empty() {
        return Ok(Sets::for_user(uid, allowed, added));
    }
    let available = available();
    if security.privileged {
        return Ok(Sets::for_user(uid, available, Set::EMPTY));
    }
    match added.without(available).names().next().filter(|_| added != Set::ALL) {
        Some(missing) => Err(Error::invalid(format!(
            "capability {missing} cannot be added: lodger does not have it itself here, or the kernel does not know it"
        ))),
        None => Ok(Sets::for_user(uid, allowed.and(available), added.and(available))),
    }
}

fn named(flag: &str, names: &[String]) -> Result<Set> {
    names.iter().try_fold(Set::EMPTY, |set, name| {
        if name.eq_ignore_ascii_case("all") {
            return Ok(Set::ALL);
        }
        Set::named(name)
            .map(|one| set.or(one))
            .ok_or_else(|| Error::invalid(format!("{flag}: unknown capability {name:?}")))
    })
}

/// Paths that become empty, and paths that become read-only.
pub(crate) fn hidden(security: &Security) -> Result<(Vec<GuestPath>, Vec<GuestPath>)> {
    let all = security.privileged || security.unmask.iter().any(|word| word.eq_ignore_ascii_case("all"));
    let shown = |path: &str| all || security.unmask.iter().any(|pattern| matches(pattern, path));
    let keep =
        |paths: &[&str]| paths.iter().filter(|path| !shown(path)).map(|path| guest(path)).collect::<Result<Vec<_>>>();
    let mut masked = keep(plan::MASKED_PATHS)?;
    for path in &security.mask {
        masked.push(guest(path)?);
    }
    Ok((masked, keep(plan::READ_ONLY_PATHS)?))
}

/// `--security-opt unmask` takes shell patterns in the last word: `/proc/*`.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            path.len() >= before.len() + after.len() && path.starts_with(before) && path.ends_with(after)
        }
        None => pattern.trim_end_matches('/') == path,
    }
}

/// The usual device nodes and those asked for.
pub(crate) fn devices(security: &Security, injected: &[(String, String)]) -> Result<Vec<Device>> {
    let usual = DEVICES.iter().map(|path| device(path, path));
    let mut devices = usual.collect::<Result<Vec<_>>>()?;
    if security.privileged {
        all_of_host(Path::new("/dev"), 0, &mut devices);
    }
    for (host, inside) in injected {
        devices.push(device(host, inside)?);
    }
    for asked in &security.devices {
        let path = Path::new(&asked.host);
        if asked.optional && !path.exists() {
            continue;
        }
        match path.is_dir() {
            true => below(path, &asked.container, 0, &mut devices)?,
            false => devices.push(device(&asked.host, &asked.container)?),
        }
    }
    Ok(devices)
}

/// Every device that the host shows this user (`--privileged`), but for terminals and what every container has of its own. One that
/// goes meanwhile is left out.
fn all_of_host(directory: &Path, depth: usize, devices: &mut Vec<Device>) {
    use std::os::unix::fs::FileTypeExt;
    const OWN: [&str; 8] = ["pts", "shm", "fd", "mqueue", "console", "ptmx", "core", ".lxc"];
    let mut entries: Vec<_> = std::fs::read_dir(directory).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let is_terminal =
            |name: &str| name.strip_prefix("tty").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else { continue };
        if depth == 0 && (OWN.contains(&name) || is_terminal(name)) {
            continue;
        }
        let path = entry.path();
        let Some(text) = path.to_str() else { continue };
        if kind.is_dir() && depth < DEEPEST {
            all_of_host(&path, depth + 1, devices);
        } else if (kind.is_char_device() || kind.is_block_device()) && !DEVICES.contains(&text) {
            devices.extend(device(text, text));
        }
    }
}

/// No directory of devices is deeper.
const DEEPEST: usize = 8;

/// All devices below a directory, as `--device /dev/dri` means.
fn below(directory: &Path, target: &str, depth: usize, devices: &mut Vec<Device>) -> Result<()> {
    use std::os::unix::fs::FileTypeExt;
    let fail = |e| Error::io(format!("read directory of devices {directory:?}"), e);
    let mut entries =
        std::fs::read_dir(directory).and_then(Iterator::collect::<std::io::Result<Vec<_>>>).map_err(fail)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let Some(text) = path.to_str() else { continue };
        let inside = format!("{}/{}", target.trim_end_matches('/'), entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_char_device() || kind.is_block_device() {
            devices.push(device(text, &inside)?);
        } else if kind.is_dir() && depth < DEEPEST {
            below(&path, &inside, depth + 1, devices)?;
        }
    }
    Ok(())
}

fn device(host: &str, target: &str) -> Result<Device> {
    use std::os::unix::fs::FileTypeExt;
    let path = Path::new(host);
    let kind = std::fs::metadata(path).map_err(|e| Error::io(format!("stat device {host:?}"), e))?.file_type();
    if !kind.is_char_device() && !kind.is_block_device() {
        return Err(Error::invalid(format!("--device {host}: not a device node")));
    }
    Ok(Device { source: open_path(path)?, name: c_string(host)?, target: guest(target)?, node: Node::Bind })
}

/// Kernel parameters; each needs the namespace it belongs to.
pub(crate) fn sysctls(security: &Security, namespaces: &plan::Namespaces, users: &plan::Users) -> Result<Vec<Sysctl>> {
    let parse = |(name, value): &(String, String)| {
        let sysctl = Sysctl::parse(name, value).map_err(|e| Error::invalid(format!("--sysctl {name}={value}: {e}")))?;
        let (own, flag) = match sysctl.scope() {
            Some(SysctlScope::Ipc) => (namespaces.ipc.is_new(), "ipc"),
            Some(SysctlScope::Net) => (namespaces.net.is_new(), "network"),
            Some(SysctlScope::Uts) => (namespaces.uts.is_new(), "uts"),
            None => (true, ""),
        };
        match own {
            true => Ok(sysctl),
            false => Err(Error::invalid(format!(
                "--sysctl {name}={value} cannot be set: the container has no {flag} namespace of its own"
            ))),
        }
    };
    // podman's default: ping needs no capability.
    let ping = ("net.ipv4.ping_group_range".to_owned(), "0 0".to_owned());
    let asked = security.sysctls.iter().any(|(name, _)| *name == ping.0);
    // Of a /proc with nothing but processes there is nothing to set.
    let whole = !security.proc_options.iter().any(|option| option == "subset=pid");
    if !whole && !security.sysctls.is_empty() {
        return Err(Error::invalid(
            "--sysctl cannot be used with --security-opt=proc-opts=subset=pid, which hides /proc/sys",
        ));
    }
    // The kernel takes no group that the container does not have.
    let has_group = users.map().is_none_or(|map| runtime::userns::outside(&map.gids, 0).is_some());
    let default = (namespaces.net.is_new() && !asked && whole).then_some(&ping);
    let all = default.into_iter().chain(&security.sysctls);
    all.filter(|sysctl| has_group || **sysctl != ping).map(parse).collect()
}

/// The system call filter for these capabilities.
pub(crate) fn seccomp(engine: &Engine, security: &Security, capabilities: &Sets) -> Result<plan::Seccomp> {
    use spec::security::Seccomp as Asked;
    let context = Context::native(capabilities.bounding);
    let program = match &security.seccomp {
        Some(Asked::Unconfined) => return Ok(plan::Seccomp::Unconfined),
        None if security.privileged => return Ok(plan::Seccomp::Unconfined),
        None => runtime::seccomp::default_program(&context).map_err(seccomp_error)?,
        Some(Asked::File(path)) => {
            let bytes = engine.read_file(path)?.ok_or_else(|| {
                Error::io(format!("open seccomp profile {path:?}"), std::io::ErrorKind::NotFound.into())
            })?;
            let compiled = Profile::parse(&bytes).and_then(|profile| runtime::seccomp::compile(&profile, &context));
            compiled.map_err(|e| seccomp_error(e).within(format!("seccomp profile {path:?}")))?
        }
    };
    Ok(plan::Seccomp::Filter(program.insns().to_vec(), program.flags()))
}

fn seccomp_error(error: runtime::seccomp::Error) -> Error {
    Error::caused(crate::Kind::Other, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(add: &[&str], drop: &[&str], uid: u32) -> String {
        let own = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let security = Security { cap_add: own(add), cap_drop: own(drop), ..Default::default() };
        match capabilities(&security, uid, || Set::ALL.without(Set::named("SYS_BOOT").unwrap())) {
            Ok(sets) => format!("{}/{}", sets.bounding.names().count(), sets.effective.names().count()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn capabilities_as_podman_gives_them() {
        assert_eq!(names(&[], &[], 0), "11/11");
        assert_eq!(names(&[], &[], 1000), "11/0");
        assert_eq!(names(&["NET_ADMIN"], &["all"], 0), "1/1");
        assert_eq!(names(&["NET_ADMIN"], &[], 7), "12/1");
        assert_eq!(names(&["ALL"], &["SYS_ADMIN"], 0), "39/39");
        assert!(names(&["KILL"], &["KILL"], 0).contains("dropped and added"));
        assert!(names(&["FLY"], &[], 0).contains("unknown capability"));
        assert!(names(&["SYS_BOOT"], &[], 0).contains("CAP_SYS_BOOT cannot be added"));
    }

    #[test]
    fn privileged_is_all_that_there_is() {
        let security = Security { privileged: true, cap_drop: vec!["ALL".into()], ..Default::default() };
        let sets = |uid| capabilities(&security, uid, || Set::ALL).unwrap();
        assert_eq!((sets(0).bounding, sets(0).effective), (Set::ALL, Set::ALL));
        assert_eq!((sets(33).bounding, sets(33).effective), (Set::ALL, Set::EMPTY));
        assert_eq!(hidden(&security).unwrap(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn unmask_takes_all_and_patterns() {
        let masked =
            |unmask: &str| hidden(&Security { unmask: vec![unmask.into()], ..Default::default() }).unwrap().0.len();
        assert_eq!(masked("ALL"), 0);
        assert_eq!(masked("/proc/*"), plan::MASKED_PATHS.iter().filter(|path| !path.starts_with("/proc/")).count());
        assert_eq!(masked("/proc/kcore"), plan::MASKED_PATHS.len() - 1);
    }
}
