//! What `info` shows: the host, the store and the version. Field names are podman's.

mod convert;

use crate::format::View;
use gotmpl::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Info {
    /// The machine.
    pub(crate) host: Host,
    /// Images and containers.
    pub(crate) store: Store,
    /// `search` → registries that complete a short name.
    pub(crate) registries: BTreeMap<String, Vec<String>>,
    /// Drivers there are.
    pub(crate) plugins: Plugins,
    /// Of lodger.
    pub(crate) version: super::version::Version,
}

/// The machine, and what lodger uses of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Host {
    pub(crate) arch: String,
    pub(crate) cgroup_manager: String,
    pub(crate) cgroup_version: String,
    pub(crate) cgroup_controllers: Vec<String>,
    pub(crate) cpus: usize,
    pub(crate) database_backend: String,
    pub(crate) distribution: Distribution,
    pub(crate) event_logger: String,
    pub(crate) hostname: String,
    pub(crate) id_mappings: IdMappings,
    pub(crate) kernel: String,
    pub(crate) log_driver: String,
    pub(crate) mem_free: u64,
    pub(crate) mem_total: u64,
    pub(crate) network_backend: String,
    pub(crate) oci_runtime: Program,
    pub(crate) os: String,
    pub(crate) rootless_network_cmd: String,
    pub(crate) service_is_remote: bool,
    pub(crate) security: Security,
    pub(crate) pasta: NetworkProgram,
    pub(crate) swap_free: u64,
    pub(crate) swap_total: u64,
    pub(crate) uptime: String,
    pub(crate) variant: String,
}

/// `/etc/os-release`
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "keys of os-release(5)")]
pub(crate) struct Distribution {
    pub(crate) distribution: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) variant: String,
    pub(crate) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) codename: String,
}

/// The user namespace that containers share; empty for root.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct IdMappings {
    /// Of groups.
    pub(crate) gidmap: Vec<IdMap>,
    /// Of users.
    pub(crate) uidmap: Vec<IdMap>,
}

/// A line of a map.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct IdMap {
    /// First inside.
    pub(crate) container_id: u32,
    /// First outside.
    pub(crate) host_id: u32,
    /// How many.
    pub(crate) size: u32,
}

/// A program that lodger runs, or is.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) package: String,
    pub(crate) path: String,
    pub(crate) version: String,
}

/// The program behind a container's network.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct NetworkProgram {
    pub(crate) executable: String,
    pub(crate) package: String,
    pub(crate) version: String,
}

/// What keeps containers apart here.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Security {
    pub(crate) apparmor_enabled: bool,
    pub(crate) capabilities: String,
    pub(crate) rootless: bool,
    pub(crate) seccomp_enabled: bool,
    pub(crate) seccomp_profile_path: String,
    pub(crate) selinux_enabled: bool,
}

/// Images and containers on disk; sizes in bytes.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Store {
    pub(crate) config_file: String,
    pub(crate) container_store: Containers,
    pub(crate) graph_driver_name: String,
    pub(crate) graph_options: BTreeMap<String, String>,
    pub(crate) graph_root: String,
    pub(crate) graph_root_allocated: u64,
    pub(crate) graph_root_used: u64,
    pub(crate) graph_status: BTreeMap<String, String>,
    pub(crate) image_copy_tmp_dir: String,
    pub(crate) image_store: Images,
    pub(crate) run_root: String,
    pub(crate) volume_path: String,
    pub(crate) transient_store: bool,
}

/// How many containers.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) struct Containers {
    pub(crate) number: usize,
    pub(crate) paused: usize,
    pub(crate) running: usize,
    pub(crate) stopped: usize,
}

/// How many images.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[allow(missing_docs, reason = "the name says it")]
pub(crate) struct Images {
    pub(crate) number: usize,
}

/// Drivers there are.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) struct Plugins {
    pub(crate) volume: Vec<String>,
    pub(crate) network: Vec<String>,
    pub(crate) log: Vec<String>,
    pub(crate) authorization: Option<Vec<String>>,
}

impl View for Info {
    /// A template names Go's fields, which begin with capitals: `.Host.Arch`.
    fn methods(&self, _: crate::format::Show) -> Vec<(&'static str, Value)> {
        let part = |value: Result<Value, gotmpl::TemplateError>| capitals(&value.unwrap_or(Value::Nil));
        vec![
            ("Host", part(gotmpl::to_value(&self.host))),
            ("Store", part(gotmpl::to_value(&self.store))),
            ("Registries", gotmpl::to_value(&self.registries).unwrap_or(Value::Nil)),
            ("Plugins", part(gotmpl::to_value(&self.plugins))),
            ("Version", gotmpl::to_value(&self.version).unwrap_or(Value::Nil)),
        ]
    }
}

/// Names of Go's fields that are not their JSON name with a capital.
const GO_NAMES: &[(&str, &str)] = &[
    ("cpus", "CPUs"),
    ("os", "OS"),
    ("ociRuntime", "OCIRuntime"),
    ("idMappings", "IDMappings"),
    ("cgroupVersion", "CgroupsVersion"),
    ("capabilities", "DefaultCapabilities"),
    ("apparmorEnabled", "AppArmorEnabled"),
    ("seccompEnabled", "SECCOMPEnabled"),
    ("seccompProfilePath", "SECCOMPProfilePath"),
    ("selinuxEnabled", "SELinuxEnabled"),
];

/// Structs with Go's field names.
fn capitals(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let named = map.iter().map(|(name, value)| {
                let known = GO_NAMES.iter().find(|(json, _)| **json == **name).map(|(_, go)| (*go).to_owned());
                let mut letters = name.chars();
                let capital = || letters.next().map(|c| c.to_uppercase().chain(letters).collect::<String>());
                (known.or_else(capital).unwrap_or_default().as_str().into(), capitals(value))
            });
            Value::Map(std::sync::Arc::new(named.collect()))
        }
        Value::List(list) => Value::List(list.iter().map(capitals).collect::<Vec<_>>().into()),
        other => other.clone(),
    }
}
