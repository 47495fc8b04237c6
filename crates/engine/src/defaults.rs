//! containers.conf: what an administrator or user wants of containers that say nothing themselves.
//!
//! Read once for a container that is made; its record holds the result, so a later change of a file changes no container.
//! Files in order, each over those before: `/usr/share/containers`, `/etc/containers`, the user's own, each with its
//! `containers.conf.d`; `$CONTAINERS_CONF` instead of all; modules; `$CONTAINERS_CONF_OVERRIDE`. Keys that are not known here
//! are passed over, as podman does; a known key of the wrong type is an error
//! ([containers.conf(5)](https://github.com/containers/common/blob/main/docs/containers.conf.5.md)).

mod settings;

pub use settings::EventsLogger;
pub(crate) use settings::Settings;

use crate::config;
use crate::error::{Error, Result};
use crate::host::Host;
use network::hosts::HOST_NAMES;
use runtime::plan::{Sysctl, SysctlScope};
use spec::ContainerSpec;
use spec::namespaces::{IpcMode, NsMode};
use spec::network::{AddHost, HostAddress, Mode};
use spec::options::find_flag;
use std::env;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// How a key of a file becomes words of the command line.
#[derive(Clone, Copy)]
enum Becomes {
    /// A flag with one value, where the command line says nothing.
    Flag(&'static str),
    /// A switch, where the command line says nothing.
    Switch(&'static str),
    /// A flag for every item, where the command line says nothing.
    List(&'static str),
    /// A flag for every item whose name, up to a mark, the command line does not give.
    Named(&'static str, char),
    /// A flag with a prefix before its value, unless one with that prefix is given.
    Prefixed(&'static str, &'static str),
    /// `label = false`
    Label,
    /// The capabilities instead of the usual ones.
    Capabilities,
    /// The address of the host's names, as if each were given with `--add-host`.
    HostAddress,
}

/// Table and key, and what it becomes.
const KEYS: &[(&str, &str, Becomes)] = &[
    ("containers", "annotations", Becomes::Named("annotation", '=')),
    ("containers", "apparmor_profile", Becomes::Prefixed("security-opt", "apparmor=")),
    ("containers", "base_hosts_file", Becomes::Flag("hosts-file")),
    ("containers", "cgroupns", Becomes::Flag("cgroupns")),
    ("containers", "cgroups", Becomes::Flag("cgroups")),
    ("containers", "default_capabilities", Becomes::Capabilities),
    ("containers", "default_sysctls", Becomes::Named("sysctl", '=')),
    ("containers", "default_ulimits", Becomes::Named("ulimit", '=')),
    ("containers", "devices", Becomes::Named("device", ':')),
    ("containers", "dns_options", Becomes::List("dns-option")),
    ("containers", "dns_searches", Becomes::List("dns-search")),
    ("containers", "dns_servers", Becomes::List("dns")),
    ("containers", "env", Becomes::Named("env", '=')),
    ("containers", "env_host", Becomes::Switch("env-host")),
    ("containers", "host_containers_internal_ip", Becomes::HostAddress),
    ("containers", "http_proxy", Becomes::Switch("http-proxy")),
    ("containers", "init", Becomes::Switch("init")),
    ("containers", "ipcns", Becomes::Flag("ipc")),
    ("containers", "label", Becomes::Label),
    ("containers", "log_driver", Becomes::Flag("log-driver")),
    ("containers", "log_size_max", Becomes::Prefixed("log-opt", "max-size=")),
    ("containers", "log_tag", Becomes::Prefixed("log-opt", "tag=")),
    ("containers", "mounts", Becomes::List("mount")),
    ("containers", "netns", Becomes::Flag("network")),
    ("containers", "no_hosts", Becomes::Switch("no-hosts")),
    ("containers", "oom_score_adj", Becomes::Flag("oom-score-adj")),
    ("containers", "pidns", Becomes::Flag("pid")),
    ("containers", "pids_limit", Becomes::Flag("pids-limit")),
    ("containers", "privileged", Becomes::Switch("privileged")),
    ("containers", "read_only", Becomes::Switch("read-only")),
    ("containers", "seccomp_profile", Becomes::Prefixed("security-opt", "seccomp=")),
    ("containers", "shm_size", Becomes::Flag("shm-size")),
    ("containers", "tz", Becomes::Flag("tz")),
    ("containers", "umask", Becomes::Flag("umask")),
    ("containers", "userns", Becomes::Flag("userns")),
    ("containers", "utsns", Becomes::Flag("uts")),
    ("containers", "volumes", Becomes::List("volume")),
    ("engine", "pull_policy", Becomes::Flag("pull")),
    ("engine", "retry", Becomes::Flag("retry")),
    ("engine", "retry_delay", Becomes::Flag("retry-delay")),
    ("engine", "stop_timeout", Becomes::Flag("stop-timeout")),
];

/// A value, with the file that says so.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    words: Vec<String>,
    file: PathBuf,
}

/// What all files together say.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    /// By the number of the row.
    flags: Vec<(usize, Said)>,
    settings: Settings,
}

/// What the surroundings allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// A number of processes can be limited.
    Possible,
    /// It cannot, so that one which nobody asked for on the command line is left out, as podman does.
    Impossible,
}

impl Defaults {
    /// Reads the files; `modules` are `--module`.
    pub(crate) fn read(host: &Host, modules: &[String]) -> Result<Self> {
        let mut defaults = Self::default();
        let own = host.config_dir().join("containers");
        match env::var_os("CONTAINERS_CONF").map(PathBuf::from) {
            // A file that somebody names must be there.
            Some(path) => defaults.named(&path)?,
            None => {
                for directory in [Path::new("/usr/share/containers"), Path::new("/etc/containers"), &own] {
                    defaults.take(&directory.join("containers.conf"))?;
                    for path in config::drop_ins(&[&directory.join("containers.conf.d")])? {
                        defaults.take(&path)?;
                    }
                }
            }
        }
        for module in modules {
            defaults.named(&module_path(module, &own)?)?;
        }
        if let Some(path) = env::var_os("CONTAINERS_CONF_OVERRIDE").map(PathBuf::from) {
            defaults.named(&path)?;
        }
        Ok(defaults)
    }

    fn named(&mut self, path: &Path) -> Result<()> {
        match self.take(path)? {
            true => Ok(()),
            false => Err(Error::io(format!("open {path:?}"), std::io::ErrorKind::NotFound.into())),
        }
    }

    /// Whether the file is there.
    fn take(&mut self, path: &Path) -> Result<bool> {
        let Some(bytes) = config::read(path)? else { return Ok(false) };
        self.merge(path, &bytes).map_err(|why| Error::invalid(format!("{}: {why}", path.display())))?;
        Ok(true)
    }

    fn merge(&mut self, path: &Path, bytes: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        // What distributions install is comments from end to end.
        if text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with(['#', '['])) {
            return Ok(());
        }
        let tables: Table = toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.lines().count());
            format!("line {line}: {}", error.message().trim())
        })?;
        self.settings.merge(&tables)?;
        for (number, (table, key, becomes)) in KEYS.iter().enumerate() {
            let Some(value) = tables.get(*table).and_then(|table| table.get(*key)) else { continue };
            let (words, append) =
                words(value, *becomes).map_err(|wanted| format!("[{table}] {key}: expected {wanted}"))?;
            let said = Said { words, file: path.to_owned() };
            match self.flags.iter_mut().find(|(known, _)| *known == number) {
                Some((_, earlier)) if append => earlier.words.extend(said.words),
                Some((_, earlier)) => *earlier = said,
                None => self.flags.push((number, said)),
            }
        }
        Ok(())
    }

    /// What is no word of a container's command line.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Fills in what the command line leaves open.
    pub(crate) fn apply(&self, spec: &mut ContainerSpec, counting: impl FnOnce() -> Counting) -> Result<()> {
        let counting = match self.flags.iter().any(|(number, _)| KEYS[*number].1 == "pids_limit") {
            true => counting(),
            false => Counting::Possible,
        };
        for (number, said) in &self.flags {
            let (table, key, becomes) = KEYS[*number];
            if key == "pids_limit" && counting == Counting::Impossible {
                continue;
            }
            let fail = |why: String| Error::invalid(format!("{}: [{table}] {key}: {why}", said.file.display()));
            fill(spec, becomes, &said.words).map_err(fail)?;
        }
        Ok(())
    }
}

/// Where a module is: an absolute path, or below the first of these directories that has it.
fn module_path(name: &str, own: &Path) -> Result<PathBuf> {
    let places = [own, Path::new("/etc/containers"), Path::new("/usr/share/containers")];
    let found = match Path::new(name).is_absolute() {
        true => Some(PathBuf::from(name)),
        false => {
            places.iter().map(|place| place.join("containers.conf.modules").join(name)).find(|path| path.is_file())
        }
    };
    found.ok_or_else(|| {
        Error::invalid(format!("could not resolve module {name:?}: no such file in containers.conf.modules"))
    })
}

/// A value as words, and whether they add to what earlier files say. The error is what was expected.
fn words(value: &Value, becomes: Becomes) -> Result<(Vec<String>, bool), &'static str> {
    Ok(match (becomes, value) {
        (Becomes::Switch(_) | Becomes::Label, Value::Boolean(on)) => (vec![on.to_string()], false),
        (Becomes::Switch(_) | Becomes::Label, _) => return Err("true or false"),
        (Becomes::List(_) | Becomes::Named(..) | Becomes::Capabilities, Value::Array(items)) => {
            let mut words = Vec::new();
            let mut append = false;
            for item in items {
                match item {
                    Value::String(text) => words.push(text.clone()),
                    Value::Table(table) => append |= table.get("append").and_then(Value::as_bool).unwrap_or(false),
                    _ => return Err("a list of strings"),
                }
            }
            (words, append)
        }
        (Becomes::List(_) | Becomes::Named(..) | Becomes::Capabilities, _) => return Err("a list of strings"),
        (Becomes::HostAddress, Value::String(text)) => (vec![text.clone()], false),
        (Becomes::HostAddress, _) => return Err("a string"),
        (Becomes::Flag(_) | Becomes::Prefixed(..), Value::String(text)) => (vec![text.clone()], false),
        (Becomes::Flag(_) | Becomes::Prefixed(..), Value::Integer(number)) => (vec![number.to_string()], false),
        (Becomes::Flag(_) | Becomes::Prefixed(..), _) => return Err("a string or a whole number"),
    })
}

fn fill(spec: &mut ContainerSpec, becomes: Becomes, words: &[String]) -> Result<(), String> {
    let one = words.first().map(String::as_str).unwrap_or_default();
    match becomes {
        // podman's own way to say "nothing".
        Becomes::Flag(_) | Becomes::Prefixed(..) if one.is_empty() => Ok(()),
        // A negative size is no limit, which is what there is.
        Becomes::Prefixed("log-opt", "max-size=") if one.starts_with('-') => Ok(()),
        // Whatever this machine's private network is, it is the default here as well.
        Becomes::Flag("network") if one == "private" => Ok(()),
        Becomes::Flag(flag) | Becomes::Switch(flag) => match given(spec, flag).is_empty() {
            true => set(spec, flag, one),
            false => Ok(()),
        },
        Becomes::List(flag @ ("volume" | "mount")) => words.iter().try_for_each(|word| set(spec, flag, word)),
        Becomes::List(flag) => match given(spec, flag).is_empty() {
            true => words.iter().try_for_each(|word| set(spec, flag, word)),
            false => Ok(()),
        },
        Becomes::Named(flag, mark) => {
            let name = |word: &str| word.split(mark).next().unwrap_or_default().to_owned();
            let given: Vec<String> = given(spec, flag).iter().map(|word| name(word)).collect();
            let open = words.iter().filter(|word| !given.contains(&name(word)));
            let wanted: Vec<&String> = open.filter(|word| flag != "sysctl" || can_be_set(spec, word)).collect();
            wanted.into_iter().try_for_each(|word| set(spec, flag, word))
        }
        Becomes::Prefixed(flag, prefix) => match given(spec, flag).iter().any(|word| word.starts_with(prefix)) {
            true => Ok(()),
            false => set(spec, flag, &format!("{prefix}{one}")),
        },
        Becomes::Label => match (one, given(spec, "security-opt").iter().any(|word| word.starts_with("label="))) {
            ("false", false) => set(spec, "security-opt", "label=disable"),
            _ => Ok(()),
        },
        Becomes::Capabilities => capabilities(spec, words),
        Becomes::HostAddress => host_address(spec, one),
    }
}

/// The address that the host's names and `host-gateway` stand for. Names that the command line gives keep theirs.
fn host_address(spec: &mut ContainerSpec, word: &str) -> Result<(), String> {
    if word.is_empty() || spec.network.no_hosts {
        return Ok(());
    }
    if word == "none" {
        return Err("lodger cannot leave the host's names out yet; give them an address of your own".to_owned());
    }
    let ip: IpAddr = word.parse().map_err(|_| format!("expected an IP address, not {word:?}"))?;
    let added = &mut spec.network.add_hosts;
    for host in added.iter_mut().filter(|host| host.address == HostAddress::Gateway) {
        host.address = HostAddress::Ip(ip);
    }
    let given = |name: &&str| added.iter().any(|host| host.names.iter().any(|given| given.eq_ignore_ascii_case(name)));
    let names: Vec<String> = HOST_NAMES.into_iter().filter(|name| !given(name)).map(str::to_owned).collect();
    if !names.is_empty() {
        added.push(AddHost { names, address: HostAddress::Ip(ip) });
    }
    Ok(())
}

/// The usual capabilities give way to these, unless the command line drops or adds all.
fn capabilities(spec: &mut ContainerSpec, words: &[String]) -> Result<(), String> {
    let bare = |word: &str| word.to_ascii_lowercase().trim_start_matches("cap_").to_owned();
    let all = |list: &[String]| list.iter().any(|word| bare(word) == "all");
    if words.is_empty() || all(&spec.security.cap_drop) || all(&spec.security.cap_add) {
        return Ok(());
    }
    let dropped: Vec<String> = std::mem::take(&mut spec.security.cap_drop).iter().map(|word| bare(word)).collect();
    set(spec, "cap-drop", "all")?;
    words.iter().filter(|word| !dropped.contains(&bare(word))).try_for_each(|word| set(spec, "cap-add", word))
}

/// Whether a container has the namespace of a kernel parameter: a default is for those that have, as in podman.
fn can_be_set(spec: &ContainerSpec, word: &str) -> bool {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    let own_network = || {
        let mode = spec.network.mode.as_ref();
        matches!(mode, None | Some(Mode::None | Mode::Private | Mode::Pasta(_) | Mode::Named(_)))
    };
    let own_ipc = || match &spec.namespaces.ipc {
        None | Some(IpcMode::None | IpcMode::Shareable) => true,
        Some(IpcMode::Mode(mode)) => *mode == NsMode::Private,
    };
    let seen = !spec.security.proc_options.iter().any(|option| option == "subset=pid");
    seen && match Sysctl::parse(name, value).map(|sysctl| sysctl.scope()) {
        Ok(Some(SysctlScope::Net)) => own_network(),
        Ok(Some(SysctlScope::Ipc)) => own_ipc(),
        Ok(Some(SysctlScope::Uts)) => matches!(spec.namespaces.uts, None | Some(NsMode::Private)),
        // What is no parameter is told when it is resolved.
        Ok(None) | Err(_) => true,
    }
}

/// What the command line says of a flag.
fn given(spec: &ContainerSpec, flag: &str) -> Vec<String> {
    find_flag(flag).map(|row| (row.show)(spec)).unwrap_or_default()
}

fn set(spec: &mut ContainerSpec, flag: &str, value: &str) -> Result<(), String> {
    let row = find_flag(flag).ok_or_else(|| "is not supported by lodger".to_owned())?;
    (row.set)(spec, value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str], args: &[(&str, &str)]) -> Result<ContainerSpec, String> {
        let mut defaults = Defaults::default();
        for text in files {
            defaults.merge(Path::new("/etc/x.conf"), text.as_bytes())?;
        }
        let mut spec = ContainerSpec::default();
        args.iter().try_for_each(|(flag, value)| set(&mut spec, flag, value))?;
        defaults.apply(&mut spec, || Counting::Possible).map_err(|error| error.to_string())?;
        Ok(spec)
    }

    #[test]
    fn a_number_of_processes_that_nobody_asked_for_is_left_out_where_nobody_counts_them() {
        let mut defaults = Defaults::default();
        defaults.merge(Path::new("/etc/x.conf"), b"[containers]\npids_limit = 50\n").unwrap();
        let limit = |counting, asked: &[(&str, &str)]| {
            let mut spec = ContainerSpec::default();
            asked.iter().try_for_each(|(flag, value)| set(&mut spec, flag, value)).unwrap();
            defaults.apply(&mut spec, || counting).unwrap();
            given(&spec, "pids-limit")
        };
        assert_eq!(limit(Counting::Possible, &[]), ["50"]);
        assert_eq!(limit(Counting::Impossible, &[]), [""; 0]);
        assert_eq!(limit(Counting::Impossible, &[("pids-limit", "7")]), ["7"]);
    }

    #[test]
    fn the_hosts_names_have_the_address_of_the_file() {
        let text = "[containers]\nhost_containers_internal_ip = \"10.1.2.3\"\n";
        let spec = of(&[text], &[("add-host", "gw:host-gateway"), ("add-host", "host.docker.internal:1.2.3.4")]);
        let wanted = of(
            &[],
            &[
                ("add-host", "gw:10.1.2.3"),
                ("add-host", "host.docker.internal:1.2.3.4"),
                ("add-host", "host.containers.internal:10.1.2.3"),
            ],
        );
        assert_eq!(spec, wanted);
        assert!(of(&[&text.replace("10.1.2.3", "here")], &[]).unwrap_err().contains("expected an IP address"));
    }

    #[test]
    fn every_key_leads_to_a_flag() {
        for (table, key, becomes) in KEYS {
            let flag = match becomes {
                Becomes::Flag(flag) | Becomes::Switch(flag) | Becomes::List(flag) => flag,
                Becomes::Named(flag, _) | Becomes::Prefixed(flag, _) => flag,
                Becomes::Label => "security-opt",
                Becomes::Capabilities => "cap-add",
                Becomes::HostAddress => "add-host",
            };
            assert!(find_flag(flag).is_some() || *key == "privileged", "[{table}] {key}: --{flag}");
        }
    }

    #[test]
    fn the_command_line_wins_and_the_files_fill_in() {
        let text = "[containers]\nenv = [\"A=1\", \"B=2\"]\ntz = \"UTC\"\npids_limit = 50\ninit = true\n\
                    default_ulimits = [\"nofile=10:20\"]\nvolumes = [\"/a:/b\"]\nfoo = 3\n[engine]\nstop_timeout = 3\n";
        let spec = of(&[text], &[("env", "B=mine"), ("pids-limit", "7")]).unwrap();
        let wanted = of(
            &[],
            &[
                ("env", "B=mine"),
                ("pids-limit", "7"),
                ("env", "A=1"),
                ("tz", "UTC"),
                ("init", "true"),
                ("ulimit", "nofile=10:20"),
                ("volume", "/a:/b"),
                ("stop-timeout", "3"),
            ],
        );
        assert_eq!(Ok(spec), wanted);
    }

    #[test]
    fn a_later_file_replaces_or_adds() {
        let replaced = of(&["[containers]\nenv=[\"A=1\"]\ntz=\"UTC\"", "[containers]\nenv=[\"B=2\"]\n"], &[]);
        assert_eq!(replaced, of(&[], &[("env", "B=2"), ("tz", "UTC")]));
        let added = of(&["[containers]\nenv=[\"A=1\"]", "[containers]\nenv=[\"B=2\", {append=true}]\n"], &[]);
        assert_eq!(added, of(&[], &[("env", "A=1"), ("env", "B=2")]));
    }

    #[test]
    fn parameters_of_the_kernel_are_for_containers_that_have_them() {
        let text = "[containers]\ndefault_sysctls=[\"net.ipv4.ping_group_range=0 0\", \"kernel.shm_rmid_forced=1\"]\n";
        let kept = |args: &[(&str, &str)]| of(&[text], args).unwrap().security.sysctls.len();
        assert_eq!(kept(&[]), 2);
        assert_eq!(kept(&[("network", "none")]), 2);
        for lacking in [("network", "host"), ("network", "container:web"), ("ipc", "host"), ("ipc", "container:web")] {
            assert_eq!(kept(&[lacking]), 1, "{lacking:?}");
        }
        assert_eq!(kept(&[("security-opt", "proc-opts=subset=pid")]), 0);
        // What somebody asks for is an error where it cannot be, not silence.
        assert_eq!(kept(&[("network", "host"), ("sysctl", "net.ipv4.ping_group_range=1 1")]), 2);
    }

    #[test]
    fn capabilities_and_labels() {
        let text = "[containers]\ndefault_capabilities=[\"CHOWN\",\"KILL\"]\nlabel=false\n";
        let spec = of(&[text], &[("cap-drop", "kill"), ("cap-add", "net_admin")]).unwrap();
        let wanted = of(
            &[],
            &[("cap-add", "net_admin"), ("cap-drop", "all"), ("cap-add", "CHOWN"), ("security-opt", "label=disable")],
        );
        assert_eq!(Ok(spec), wanted);
    }

    #[test]
    fn a_mistake_names_file_and_key() {
        let error = |text: &str| of(&[text], &[]).unwrap_err();
        assert_eq!(error("[containers]\ninit = \"yes\""), "[containers] init: expected true or false");
        assert_eq!(error("[containers]\nenv = 3"), "[containers] env: expected a list of strings");
        assert!(error("[containers]\nipcns = \"nosuch\"").starts_with("/etc/x.conf: [containers] ipcns: "));
        assert!(error("[containers]\nx = = 1").starts_with("line 2: "));
        assert_eq!(of(&["# all\n[containers]\n#env = []\n"], &[]), of(&[], &[]));
    }
}
