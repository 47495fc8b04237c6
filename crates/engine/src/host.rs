//! Facts about the machine and the caller, read once for each command.
//!
//! Everything here is cheap: environment variables, a few small files under `/proc` and `/etc`, no process and no bus.

use crate::error::{Error, Kind, Result};
use crate::systemd::{Scope, Systemd};
use spec::ContainerSpec;
use spec::lifecycle::SdNotify;
use spec::namespaces::UserNs;
use std::fs;
use std::path::{Path, PathBuf};

/// Who runs lodger, and where.
#[derive(Debug)]
pub struct Host {
    /// The caller's user id, outside any user namespace of lodger's.
    pub uid: u32,
    /// The caller's group id.
    pub gid: u32,
    /// Login name, or the number as text.
    pub user: String,
    /// Home directory.
    pub home: PathBuf,
    /// `$XDG_RUNTIME_DIR`, if set and the caller's own.
    pub runtime_dir: Option<PathBuf>,
    /// Changes with every boot (`/proc/sys/kernel/random/boot_id`).
    pub boot_id: String,
    /// The manager that detached containers become units of.
    pub systemd: Option<Systemd>,
    /// Whether the process was born inside the user's namespace ([`INSIDE`]).
    pub inside: bool,
    /// Set when this process is itself the start of a unit.
    pub unit: Option<OwnUnit>,
}

/// The unit that this process was started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnUnit {
    /// `$NOTIFY_SOCKET`
    pub notify_socket: Option<PathBuf>,
    /// Name of the unit: `web.service`.
    pub name: Option<String>,
}

/// The user (`uid:gid`) in whose namespace a process was born; lodger's supervisor and `unshare` pass it on.
pub(crate) const INSIDE: &str = "LODGER_INSIDE";

/// Root's containers live here when `/etc/subuid` gives `lodger` or `containers` no range: ids that neither
/// distributions, systemd nor useradd hand out (<https://systemd.io/UIDS-GIDS/>).
const ROOT_RANGE: IdRange = IdRange { first: 1_879_048_192, count: 65_536 };

/// Consecutive ids of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange {
    /// The lowest.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Host {
    /// Reads the facts.
    pub fn read() -> Result<Self> {
        let born = std::env::var(INSIDE).ok().and_then(|ids| {
            let (uid, gid) = ids.split_once(':')?;
            Some((uid.parse().ok()?, gid.parse().ok()?))
        });
        let (uid, gid) =
            born.unwrap_or_else(|| (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()));
        let account = Account::find(uid);
        let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let home = home.or(account.as_ref().map(|account| account.home.clone()));
        // Inside, the user's own files are root's.
        let runtime_dir = runtime_dir(uid, if born.is_some() { 0 } else { uid });
        Ok(Self {
            uid,
            gid,
            user: account.map_or_else(|| uid.to_string(), |account| account.name),
            home: home.ok_or_else(|| Error::other(format!("user {uid} has no home directory: set $HOME")))?,
            systemd: manager(uid, runtime_dir.as_deref()),
            runtime_dir,
            boot_id: boot_id()?,
            inside: born.is_some(),
            unit: own_unit(),
        })
    }

    /// Whether the caller is an ordinary user.
    pub fn rootless(&self) -> bool {
        self.uid != 0
    }

    /// Whether a container has the host's ids, and no user namespace: root's with `--userns=host`.
    pub(crate) fn has_host_ids(&self, spec: &ContainerSpec) -> bool {
        !self.rootless() && spec.namespaces.user == Some(UserNs::Host)
    }

    /// The unit that a detached container takes over: one that waits to be told its main process. Any other ends with the
    /// process that was started for it, and its container needs a unit of its own.
    pub(crate) fn unit_to_take_over(&self, spec: &ContainerSpec) -> Option<&OwnUnit> {
        let silent = spec.lifecycle.sdnotify == Some(SdNotify::Ignore);
        self.unit.as_ref().filter(|unit| unit.notify_socket.is_some() && !silent)
    }

    /// Whether the kernel enforces or watches SELinux labels.
    pub(crate) fn selinux(&self) -> bool {
        Path::new("/sys/fs/selinux/enforce").exists()
    }

    /// Whether the kernel enforces AppArmor profiles.
    pub(crate) fn apparmor(&self) -> bool {
        fs::read_to_string("/sys/module/apparmor/parameters/enabled").is_ok_and(|text| text.trim() == "Y")
    }

    /// Opens connections to the system's bus while this process still is root there: inside its containers' id range it would be
    /// a stranger, and the bus knows who somebody is from the moment of connecting.
    pub(crate) fn connect_ahead(&self) {
        if let Some(systemd) = &self.systemd {
            systemd.connect_ahead();
        }
    }

    /// Where lodger keeps its data: `$XDG_DATA_HOME/lodger`, for root `/var/lib/lodger`.
    pub fn data_dir(&self) -> PathBuf {
        if !self.rootless() {
            return PathBuf::from("/var/lib/lodger");
        }
        match std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
            Some(path) => path.join("lodger"),
            None => self.home.join(".local/share/lodger"),
        }
    }

    /// `$XDG_CONFIG_HOME`, else `~/.config`.
    pub fn config_dir(&self) -> PathBuf {
        let set = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        set.unwrap_or_else(|| self.home.join(".config"))
    }

    /// The ranges of subordinate user and group ids; for root the range its containers live in.
    pub fn subordinate_ids(&self) -> Result<(Vec<IdRange>, Vec<IdRange>)> {
        let names: &[&str] = if self.rootless() { &[&self.user] } else { &["lodger", "containers"] };
        let read = |path: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            names.iter().map(|name| ranges(&text, name, self.uid)).find(|found| !found.is_empty()).unwrap_or_default()
        };
        let (uids, gids) = (read("/etc/subuid"), read("/etc/subgid"));
        match (uids.is_empty() || gids.is_empty(), self.rootless()) {
            (false, _) => Ok((uids, gids)),
            (true, false) => Ok((vec![ROOT_RANGE], vec![ROOT_RANGE])),
            (true, true) => Err(Error::new(Kind::NoSubordinateIds(self.user.clone()))),
        }
    }
}

/// Ranges of `name:first:count` lines (subuid(5)); the owner may be a name or a number. Broken lines are skipped.
pub(crate) fn ranges(text: &str, name: &str, uid: u32) -> Vec<IdRange> {
    let number = uid.to_string();
    let line = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let range = IdRange { first: fields.next()?.parse().ok()?, count: fields.next()?.parse().ok()? };
        let fits = range.count > 0 && range.first.checked_add(range.count).is_some();
        ((owner == name || (uid != 0 && owner == number)) && fits).then_some(range)
    };
    text.lines().filter_map(line).collect()
}

struct Account {
    name: String,
    home: PathBuf,
}

impl Account {
    fn find(uid: u32) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = passwd.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, id, _, _, home, ..] = fields[..] else { return None };
            (id.parse() == Ok(uid)).then(|| Self { name: name.to_owned(), home: PathBuf::from(home) })
        });
        // Accounts from a directory service are not in the file, but their sessions carry the name.
        found.or_else(|| {
            let name = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok()?;
            Some(Self { name, home: PathBuf::from(std::env::var_os("HOME")?) })
        })
    }
}

/// A user's name, or the number in words.
pub(crate) fn user_name(uid: u32) -> String {
    match inside_number(uid) {
        Some(text) => text,
        None => Account::find(uid).map_or_else(|| format!("uid {uid}"), |account| account.name),
    }
}

/// Inside a user namespace numbers mean others than `/etc/passwd` names.
fn inside_number(uid: u32) -> Option<String> {
    let map = fs::read_to_string("/proc/self/uid_map").ok()?;
    let initial = map.split_whitespace().collect::<Vec<_>>() == ["0", "0", "4294967295"];
    (!initial).then(|| match uid {
        0 => "root of the container".to_owned(),
        65534 => "a user that the container does not have".to_owned(),
        uid => format!("the container's uid {uid}"),
    })
}

/// The runtime directory, also where a program outside a session (cron, sudo) lacks the variable.
fn runtime_dir(uid: u32, owner: u32) -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let own = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == owner);
    let set = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute() && own(path));
    set.or_else(|| Some(PathBuf::from(format!("/run/user/{uid}"))).filter(|path| own(path)))
}

fn manager(uid: u32, runtime_dir: Option<&Path>) -> Option<Systemd> {
    if !Path::new("/run/systemd/system").is_dir() {
        return None;
    }
    if uid == 0 {
        let socket = PathBuf::from("/run/dbus/system_bus_socket");
        return socket.exists().then(|| Systemd::new(Scope::System, socket, uid));
    }
    let socket = runtime_dir?.join("bus");
    let running = socket.exists() && runtime_dir?.join("systemd").is_dir();
    running.then(|| Systemd::new(Scope::User, socket, uid))
}

fn boot_id() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = fs::read_to_string(path).map_err(|e| Error::io(format!("read {path:?}"), e))?;
    Ok(text.trim().to_owned())
}

/// A process is the start of a unit when systemd set `INVOCATION_ID` for it and it sits directly in a service's cgroup;
/// the variable alone is inherited by everything below a service, shells of a session among them.
fn own_unit() -> Option<OwnUnit> {
    std::env::var_os("INVOCATION_ID")?;
    let cgroup = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let name = path.rsplit('/').find(|part| part.ends_with(".service")).map(str::to_owned);
    let notify_socket = std::env::var_os("NOTIFY_SOCKET").map(PathBuf::from);
    // The unit that starts many containers after a boot becomes none of them.
    let direct = name.as_deref().is_some_and(|name| name != crate::boot::NAME && path.ends_with(name));
    (direct && (notify_socket.is_some() || systemd_is_parent())).then_some(OwnUnit { notify_socket, name })
}

/// Whether the parent is a manager of systemd's.
fn systemd_is_parent() -> bool {
    let Some(parent) = rustix::process::getppid() else { return false };
    let name = fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_nonzero()));
    name.is_ok_and(|name| name.trim() == "systemd" || name.trim() == "(sd-pam)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subordinate_ranges_by_name_or_number() {
        let text =
            "alice:100000:65536\nbob:165536:65536\n1001:300000:10\nalice:bad:1\n#x\nalice:4294967295:2\nalice:5:0\n";
        let range = |first, count| IdRange { first, count };
        assert_eq!(ranges(text, "alice", 1001), [range(100_000, 65_536), range(300_000, 10)]);
        assert_eq!(ranges(text, "bob", 7), [range(165_536, 65_536)]);
        assert!(ranges(text, "carol", 7).is_empty());
    }
}
