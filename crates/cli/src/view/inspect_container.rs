//! One container as `container inspect` shows it: podman's fields, which are Docker's and some more.
//!
//! Fields of things that lodger has no use for keep podman's empty value and are grouped at the end of their struct
//! where the order allows. Times are RFC 3339; memory is in bytes; CPU times are in microseconds.

mod convert;

use crate::format::json::null_if_empty;
use crate::format::time::Time;
use crate::format::{Empty, Show, View};
use gotmpl::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// A container.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Container {
    /// All 64 digits.
    pub(crate) id: String,
    /// When it was made.
    pub(crate) created: Time,
    /// The program.
    pub(crate) path: String,
    /// Its arguments.
    pub(crate) args: Vec<String>,
    /// What it is doing.
    pub(crate) state: State,
    /// ID of its image.
    pub(crate) image: String,
    /// Of the image's manifest.
    pub(crate) image_digest: String,
    /// As it was asked for, completed.
    pub(crate) image_name: String,
    /// `--rootfs`
    pub(crate) rootfs: String,
    /// ID of its pod.
    pub(crate) pod: String,
    /// File of the host that is `/etc/resolv.conf`.
    pub(crate) resolv_conf_path: String,
    /// File of the host that is `/etc/hostname`.
    pub(crate) hostname_path: String,
    /// File of the host that is `/etc/hosts`.
    pub(crate) hosts_path: String,
    /// Directory of its record.
    pub(crate) static_dir: String,
    /// `lodger`
    #[serde(rename = "OCIRuntime")]
    pub(crate) oci_runtime: String,
    /// Always empty.
    pub(crate) conmon_pid_file: String,
    /// `--pidfile`
    pub(crate) pid_file: String,
    /// Its name.
    pub(crate) name: String,
    /// By the restart policy.
    pub(crate) restart_count: u32,
    /// `overlay`
    pub(crate) driver: String,
    /// SELinux.
    pub(crate) mount_label: String,
    /// SELinux.
    pub(crate) process_label: String,
    /// AppArmor.
    pub(crate) app_armor_profile: String,
    /// `CAP_CHOWN`, …
    pub(crate) effective_caps: Vec<String>,
    /// `CAP_CHOWN`, …
    pub(crate) bounding_caps: Vec<String>,
    /// Commands of `exec` that run.
    #[serde(rename = "ExecIDs")]
    pub(crate) exec_ids: Vec<String>,
    /// Where its files are.
    pub(crate) graph_driver: GraphDriver,
    /// Bytes it changed, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_rw: Option<u64>,
    /// Bytes with its image, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_root_fs: Option<u64>,
    /// Volumes and binds.
    pub(crate) mounts: Vec<Mount>,
    /// Containers that must run first.
    pub(crate) dependencies: Vec<String>,
    /// Addresses and ports.
    pub(crate) network_settings: NetworkSettings,
    /// Always empty.
    pub(crate) namespace: String,
    /// Always false.
    pub(crate) is_infra: bool,
    /// Always false.
    pub(crate) is_service: bool,
    /// Always `invalid`.
    pub(crate) kube_exit_code_propagation: String,
    /// Always 0: there are no numbered locks.
    #[serde(rename = "lockNumber")]
    pub(crate) lock_number: u32,
    /// What was asked of it.
    pub(crate) config: Config,
    /// What was asked of the host.
    pub(crate) host_config: HostConfig,
    /// `--no-hosts`
    pub(crate) use_image_hosts: bool,
    /// `--no-hostname`
    pub(crate) use_image_hostname: bool,
}

/// What a container is doing.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct State {
    /// Of the runtime specification that its behaviour follows.
    pub(crate) oci_version: String,
    /// `running`, `exited`, `created`, …
    pub(crate) status: String,
    /// As `status` says.
    pub(crate) running: bool,
    /// As `status` says.
    pub(crate) paused: bool,
    /// Whether it waits for its restart.
    pub(crate) restarting: bool,
    /// Whether the kernel ended it for want of memory.
    #[serde(rename = "OOMKilled")]
    pub(crate) oom_killed: bool,
    /// Always false.
    pub(crate) dead: bool,
    /// Main process on the host, or 0.
    pub(crate) pid: u32,
    /// Of the last run.
    pub(crate) exit_code: i32,
    /// Why it did not start.
    pub(crate) error: String,
    /// Of the last run.
    pub(crate) started_at: Time,
    /// Of the last run.
    pub(crate) finished_at: Time,
    /// Results of the health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Health>,
    /// Its cgroup below the root.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cgroup_path: String,
    /// Always never.
    pub(crate) checkpointed_at: Time,
    /// Always never.
    pub(crate) restored_at: Time,
    /// Whether `stop` ended it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stopped_by_user: bool,
}

/// Results of a health check.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Health {
    /// `healthy`, `unhealthy`, `starting`
    pub(crate) status: String,
    /// Failures since the last success.
    pub(crate) failing_streak: u32,
    /// The latest results; null without any.
    pub(crate) log: Option<Vec<HealthResult>>,
}

/// One run of a health check.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HealthResult {
    /// RFC 3339.
    pub(crate) start: String,
    /// RFC 3339.
    pub(crate) end: String,
    /// 0 = healthy.
    pub(crate) exit_code: i32,
    /// What it wrote, cut.
    pub(crate) output: String,
}

/// Where files of an image or container are.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GraphDriver {
    /// `overlay`
    pub(crate) name: String,
    /// `LowerDir`, `UpperDir`, `WorkDir`, `MergedDir`
    pub(crate) data: BTreeMap<String, String>,
}

/// A mount that was asked for.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Mount {
    /// `volume`, `bind`
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    /// Of the volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    /// On the host.
    pub(crate) source: String,
    /// Inside.
    pub(crate) destination: String,
    /// `local` for a volume.
    pub(crate) driver: String,
    /// `z` or `Z`.
    pub(crate) mode: String,
    /// Flags and propagation.
    pub(crate) options: Vec<String>,
    /// Whether it can be written.
    #[serde(rename = "RW")]
    pub(crate) rw: bool,
    /// `rprivate`
    pub(crate) propagation: String,
}

/// Addresses and ports of a container.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NetworkSettings {
    /// Of the only network.
    #[serde(flatten)]
    pub(crate) basic: BasicNetwork,
    /// Always empty.
    pub(crate) bridge: String,
    /// Always empty.
    #[serde(rename = "SandboxID")]
    pub(crate) sandbox_id: String,
    /// Always false.
    pub(crate) hairpin_mode: bool,
    /// Always empty.
    #[serde(rename = "LinkLocalIPv6Address")]
    pub(crate) link_local_ipv6_address: String,
    /// Always 0.
    #[serde(rename = "LinkLocalIPv6PrefixLen")]
    pub(crate) link_local_ipv6_prefix_len: u32,
    /// `80/tcp` → where on the host; null for one that is only exposed.
    pub(crate) ports: BTreeMap<String, Option<Vec<HostPort>>>,
    /// Path of the network namespace.
    pub(crate) sandbox_key: String,
    /// By name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) networks: BTreeMap<String, Network>,
}

/// Addresses on one network.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BasicNetwork {
    /// Always empty.
    #[serde(rename = "EndpointID")]
    pub(crate) endpoint_id: String,
    /// IPv4.
    pub(crate) gateway: String,
    /// IPv4.
    #[serde(rename = "IPAddress")]
    pub(crate) ip_address: String,
    /// IPv4.
    #[serde(rename = "IPPrefixLen")]
    pub(crate) ip_prefix_len: u32,
    /// IPv6.
    #[serde(rename = "IPv6Gateway")]
    pub(crate) ipv6_gateway: String,
    /// IPv6.
    #[serde(rename = "GlobalIPv6Address")]
    pub(crate) global_ipv6_address: String,
    /// IPv6.
    #[serde(rename = "GlobalIPv6PrefixLen")]
    pub(crate) global_ipv6_prefix_len: u32,
    /// `02:42:…`
    pub(crate) mac_address: String,
}

/// One network that a container is on.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Network {
    /// Addresses.
    #[serde(flatten)]
    pub(crate) basic: BasicNetwork,
    /// Its name.
    #[serde(rename = "NetworkID")]
    pub(crate) network_id: String,
    /// Always null.
    pub(crate) driver_opts: Option<BTreeMap<String, String>>,
    /// Always null.
    #[serde(rename = "IPAMConfig")]
    pub(crate) ipam_config: Option<BTreeMap<String, String>>,
    /// Always null.
    pub(crate) links: Option<Vec<String>>,
    /// Names there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) aliases: Vec<String>,
}

/// Where a port is published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HostPort {
    /// Empty or `0.0.0.0` = all.
    pub(crate) host_ip: String,
    /// A number.
    pub(crate) host_port: String,
}

/// `{}`
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Nothing {}

/// What was asked of a container.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Config {
    /// `--hostname`
    pub(crate) hostname: String,
    /// Always empty.
    pub(crate) domainname: String,
    /// `--user`
    pub(crate) user: String,
    /// Always false, as podman's.
    pub(crate) attach_stdin: bool,
    /// Always false, as podman's.
    pub(crate) attach_stdout: bool,
    /// Always false, as podman's.
    pub(crate) attach_stderr: bool,
    /// `--tty`
    pub(crate) tty: bool,
    /// `--interactive`
    pub(crate) open_stdin: bool,
    /// Always false.
    pub(crate) stdin_once: bool,
    /// `NAME=value`
    pub(crate) env: Vec<String>,
    /// Arguments after the entry point.
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) cmd: Vec<String>,
    /// Full name of the image.
    pub(crate) image: String,
    /// Always null, as podman's.
    pub(crate) volumes: Option<BTreeMap<String, ()>>,
    /// Inside.
    pub(crate) working_dir: String,
    /// First words of the command.
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) entrypoint: Vec<String>,
    /// Always null.
    pub(crate) on_build: Option<String>,
    /// Of container and image.
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// `--annotation`
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// `SIGTERM`
    pub(crate) stop_signal: String,
    /// The health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<Healthcheck>,
    /// Always podman's default: nothing is written.
    pub(crate) health_log_destination: String,
    /// The same.
    pub(crate) healthcheck_max_log_count: u32,
    /// The same, in characters.
    pub(crate) healthcheck_max_log_size: u32,
    /// The check that comes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) startup_health_check: Option<Healthcheck>,
    /// `none`, `kill`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) healthcheck_on_failure_action: String,
    /// The command line that made it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) create_command: Vec<String>,
    /// `--tz`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) timezone: String,
    /// `--systemd`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) systemd_mode: bool,
    /// Octal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) umask: String,
    /// Those that are files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<Secret>,
    /// `--timeout` in seconds.
    pub(crate) timeout: u32,
    /// `--stop-timeout` in seconds.
    pub(crate) stop_timeout: u32,
    /// `--passwd`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passwd: Option<bool>,
    /// `--sdnotify`
    #[serde(rename = "sdNotifyMode", skip_serializing_if = "String::is_empty")]
    pub(crate) sd_notify_mode: String,
    /// `80/tcp` → nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) exposed_ports: BTreeMap<String, Nothing>,
}

/// A secret that is a file.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Secret {
    /// As it was asked for.
    #[serde(rename = "Name")]
    pub(crate) name: String,
    /// When the container was made.
    #[serde(rename = "ID")]
    pub(crate) id: String,
    /// Owner inside.
    #[serde(rename = "UID")]
    pub(crate) uid: u32,
    /// Group inside.
    #[serde(rename = "GID")]
    pub(crate) gid: u32,
    /// Permission bits.
    #[serde(rename = "Mode")]
    pub(crate) mode: u32,
}

/// A health check; times in nanoseconds.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Healthcheck {
    /// `CMD-SHELL`, command
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) test: Vec<String>,
    /// Grace at the start.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) start_period: u64,
    /// Between two.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) interval: u64,
    /// Of one.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) timeout: u64,
    /// Failures until unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) retries: u64,
    /// Of the check before it: how many it needs.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) successes: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Log driver.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LogConfig {
    /// `journald`, …
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    /// Always null.
    pub(crate) config: Option<BTreeMap<String, String>>,
    /// File, if it is one.
    pub(crate) path: String,
    /// Identifier in the journal.
    pub(crate) tag: String,
    /// Largest size of the file.
    pub(crate) size: String,
}

/// `--restart`
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RestartPolicy {
    /// `no`, `always`, …
    pub(crate) name: String,
    /// Of `on-failure`.
    pub(crate) maximum_retry_count: u32,
}

/// `--ulimit`
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Ulimit {
    /// `RLIMIT_NOFILE`
    pub(crate) name: String,
    /// -1 = none.
    pub(crate) soft: i64,
    /// -1 = none.
    pub(crate) hard: i64,
}

/// `--device`
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Device {
    /// On the host.
    pub(crate) path_on_host: String,
    /// Inside.
    pub(crate) path_in_container: String,
    /// `rwm`
    pub(crate) cgroup_permissions: String,
}

/// A limit for one block device.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Throttle {
    /// On the host.
    pub(crate) path: String,
    /// Bytes or operations for each second.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) rate: u64,
    /// Share of its time.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) weight: u64,
}

/// What was asked of the host.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HostConfig {
    /// `source:destination:options`
    pub(crate) binds: Vec<String>,
    /// `systemd`
    pub(crate) cgroup_manager: String,
    /// `private`, `host`, …
    pub(crate) cgroup_mode: String,
    /// `--cidfile`
    #[serde(rename = "ContainerIDFile")]
    pub(crate) container_id_file: String,
    /// `--log-driver`
    pub(crate) log_config: LogConfig,
    /// `pasta`, `host`, …
    pub(crate) network_mode: String,
    /// `80/tcp` → where on the host.
    pub(crate) port_bindings: BTreeMap<String, Vec<HostPort>>,
    /// `--restart`
    pub(crate) restart_policy: RestartPolicy,
    /// `--rm`
    pub(crate) auto_remove: bool,
    /// `--rmi`
    pub(crate) auto_remove_image: bool,
    /// `--annotation`
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Always empty.
    pub(crate) volume_driver: String,
    /// `--volumes-from`
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) volumes_from: Vec<String>,
    /// Beyond the default.
    pub(crate) cap_add: Vec<String>,
    /// Of the default.
    pub(crate) cap_drop: Vec<String>,
    /// `--dns`
    pub(crate) dns: Vec<String>,
    /// `--dns-option`
    pub(crate) dns_options: Vec<String>,
    /// `--dns-search`
    pub(crate) dns_search: Vec<String>,
    /// `--add-host`
    pub(crate) extra_hosts: Vec<String>,
    /// `--hosts-file`
    pub(crate) hosts_file: String,
    /// `--group-add`
    pub(crate) group_add: Vec<String>,
    /// `shareable`, …
    pub(crate) ipc_mode: String,
    /// Always empty.
    pub(crate) cgroup: String,
    /// `default`, `disabled`
    pub(crate) cgroups: String,
    /// Always null.
    pub(crate) links: Option<Vec<String>>,
    /// `--oom-score-adj`
    pub(crate) oom_score_adj: i32,
    /// `private`, …
    pub(crate) pid_mode: String,
    /// `--privileged`
    pub(crate) privileged: bool,
    /// `--publish-all`
    pub(crate) publish_all_ports: bool,
    /// `--read-only`
    pub(crate) readonly_rootfs: bool,
    /// `--security-opt`
    pub(crate) security_opt: Vec<String>,
    /// `--tmpfs`: path → options.
    pub(crate) tmpfs: BTreeMap<String, String>,
    /// `private`, …
    #[serde(rename = "UTSMode")]
    pub(crate) uts_mode: String,
    /// `private` with ids of its own, `container:…`
    pub(crate) userns_mode: String,
    /// Its ids.
    #[serde(rename = "IDMappings")]
    pub(crate) id_mappings: Option<IdMappings>,
    /// Bytes.
    pub(crate) shm_size: u64,
    /// `oci`
    pub(crate) runtime: String,
    /// Always 0 0.
    pub(crate) console_size: [u32; 2],
    /// Always empty.
    pub(crate) isolation: String,
    /// `--cpu-shares`
    pub(crate) cpu_shares: u64,
    /// `--memory`
    pub(crate) memory: u64,
    /// `--cpus` times 10⁹
    pub(crate) nano_cpus: u64,
    /// `--cgroup-parent`
    pub(crate) cgroup_parent: String,
    /// `--blkio-weight`
    pub(crate) blkio_weight: u64,
    /// Always empty.
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) blkio_weight_device: Vec<Throttle>,
    /// Always empty.
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) blkio_device_read_bps: Vec<Throttle>,
    /// Always empty.
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) blkio_device_write_bps: Vec<Throttle>,
    /// Always empty.
    #[serde(rename = "BlkioDeviceReadIOps")]
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) blkio_device_read_iops: Vec<Throttle>,
    /// Always empty.
    #[serde(rename = "BlkioDeviceWriteIOps")]
    #[serde(serialize_with = "null_if_empty")]
    pub(crate) blkio_device_write_iops: Vec<Throttle>,
    /// `--cpu-period`
    pub(crate) cpu_period: u64,
    /// `--cpu-quota`
    pub(crate) cpu_quota: u64,
    /// Always 0.
    pub(crate) cpu_realtime_period: u64,
    /// Always 0.
    pub(crate) cpu_realtime_runtime: u64,
    /// `--cpuset-cpus`
    pub(crate) cpuset_cpus: String,
    /// `--cpuset-mems`
    pub(crate) cpuset_mems: String,
    /// `--device`
    pub(crate) devices: Vec<Device>,
    /// Always 0.
    pub(crate) disk_quota: u64,
    /// Always 0.
    pub(crate) kernel_memory: u64,
    /// `--memory-reservation`
    pub(crate) memory_reservation: u64,
    /// `--memory-swap`
    pub(crate) memory_swap: i64,
    /// 0, or -1 with a limit of memory, as podman has it: cgroup v2 knows none.
    pub(crate) memory_swappiness: i64,
    /// Always false.
    pub(crate) oom_kill_disable: bool,
    /// `--init`
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) init: bool,
    /// `--pids-limit`; 0 = none.
    pub(crate) pids_limit: i64,
    /// `--ulimit`
    pub(crate) ulimits: Vec<Ulimit>,
    /// Always 0.
    pub(crate) cpu_count: u64,
    /// Always 0.
    pub(crate) cpu_percent: u64,
    /// Always 0.
    #[serde(rename = "IOMaximumIOps")]
    pub(crate) io_maximum_iops: u64,
    /// Always 0.
    #[serde(rename = "IOMaximumBandwidth")]
    pub(crate) io_maximum_bandwidth: u64,
    /// `--cgroup-conf`
    pub(crate) cgroup_conf: Option<BTreeMap<String, String>>,
}

impl View for Container {
    const TIMES: &'static [&'static str] =
        &["Created", "State.StartedAt", "State.FinishedAt", "State.CheckpointedAt", "State.RestoredAt"];

    const NULLS: &'static [(&'static str, Empty)] = &[
        ("Config.Annotations", Empty::Map),
        ("Config.Cmd", Empty::List),
        ("Config.Entrypoint", Empty::List),
        ("Config.Labels", Empty::Map),
        ("Config.OnBuild", Empty::List),
        ("Config.Volumes", Empty::Map),
        ("HostConfig.Annotations", Empty::Map),
        ("HostConfig.BlkioDeviceReadBps", Empty::List),
        ("HostConfig.BlkioDeviceReadIOps", Empty::List),
        ("HostConfig.BlkioDeviceWriteBps", Empty::List),
        ("HostConfig.BlkioDeviceWriteIOps", Empty::List),
        ("HostConfig.BlkioWeightDevice", Empty::List),
        ("HostConfig.CgroupConf", Empty::Map),
        ("HostConfig.Links", Empty::List),
        ("HostConfig.LogConfig.Config", Empty::Map),
        ("HostConfig.VolumesFrom", Empty::List),
        ("NetworkSettings.Networks", Empty::Map),
    ];

    fn methods(&self, _: Show) -> Vec<(&'static str, Value)> {
        vec![("ID", Value::String(self.id.as_str().into()))]
    }
}

/// Ids of a container, each `INSIDE:OUTSIDE:COUNT`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IdMappings {
    /// Of users.
    pub(crate) uid_map: Vec<String>,
    /// Of groups.
    pub(crate) gid_map: Vec<String>,
}
