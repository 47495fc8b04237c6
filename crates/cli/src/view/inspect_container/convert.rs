//! From what the engine knows of a container to the document that `inspect` shows.

use super::{
    BasicNetwork, Config, Container, Device, GraphDriver, Health, HealthResult, Healthcheck, HostConfig, HostPort,
    IdMappings, LogConfig, Mount, Network, NetworkSettings, Nothing, RestartPolicy, Secret, State, Throttle, Ulimit,
};
use crate::error::Result;
use crate::filter::containers::words;
use crate::format::time::Time;
use engine::containers::Status;
use engine::{ContainerRecord, Engine};
use spec::ContainerSpec;
use spec::container::Root;
use spec::duration::Nanoseconds;
use spec::idmap::{IdMap, IdRanges};
use spec::lifecycle::Restart;
use spec::logging::LogDriver;
use spec::mount::{MountSource, Relabel};
use spec::namespaces::UserNs;
use spec::network::Mode;
use spec::oci::{ContainerDefaults, ImageHealthcheck};
use spec::process::Ulimit as Limit;
use spec::resources::{self, CgroupMode};
use spec::secret::{SecretForm, SecretUse};
use spec::signal::Signal;
use std::collections::BTreeMap;

/// podman's default of `--stop-timeout`, in seconds.
const STOP_TIMEOUT: u32 = 10;
/// The default of `--shm-size`, in bytes.
const SHM_SIZE: u64 = 64 << 20;
/// What `--cpus` counts in, in microseconds.
const CPU_PERIOD: u64 = 100_000;
/// podman's default of `--pids-limit`.
const PIDS: i64 = 2048;

impl Container {
    /// Fills in the sizes.
    pub(crate) fn measure(&mut self, container: &engine::containers::Container, engine: &Engine) -> Result<()> {
        let (own, image) = engine.container_size(&container.record)?;
        (self.size_rw, self.size_root_fs) = (Some(own), Some(own + image));
        Ok(())
    }

    /// The document of one container.
    pub(crate) fn of(container: &engine::containers::Container, engine: &Engine) -> Result<Self> {
        let record = &container.record;
        let spec = &record.spec;
        let image = engine.image_defaults(record)?;
        let command = words(spec, &image);
        let path = command.first().cloned().unwrap_or_default();
        // As podman has it: a command of one word is its own argument.
        let args = if command.len() > 1 { command[1..].to_vec() } else { command };
        let directory = engine.store.upper_dir(&record.id);
        // Words that cannot be capabilities are told at the start.
        let (effective_caps, bounding_caps) = engine.capabilities(record).unwrap_or_default();
        Ok(Self {
            id: record.id.to_string(),
            created: Time::local(record.created),
            path,
            args,
            state: State { health: health(container, engine)?, ..state(container) },
            image: record.image.as_ref().map(|image| image.id.hex()).unwrap_or_default(),
            image_digest: record
                .image
                .as_ref()
                .and_then(|image| image.manifest)
                .map(|digest| digest.to_string())
                .unwrap_or_default(),
            image_name: record.image.as_ref().map(|image| image.name.clone()).unwrap_or_default(),
            rootfs: match &spec.root {
                Root::Directory { path, .. } => path.clone(),
                Root::Image(_) => String::new(),
            },
            static_dir: directory.parent().map(|path| path.display().to_string()).unwrap_or_default(),
            oci_runtime: "lodger".to_owned(),
            pid_file: spec.identity.pidfile.clone().unwrap_or_default(),
            name: record.name.clone(),
            restart_count: restarts(container),
            driver: "overlay".to_owned(),
            graph_driver: graph_driver(record, engine),
            effective_caps,
            bounding_caps,
            mounts: mounts(spec, engine),
            dependencies: spec.identity.requires.clone(),
            network_settings: network_settings(container, &image),
            kube_exit_code_propagation: "invalid".to_owned(),
            config: config(record, &image, engine),
            host_config: host_config(record, engine),
            use_image_hosts: spec.network.no_hosts,
            use_image_hostname: spec.network.no_hostname,
            ..Self::default()
        })
    }
}

/// What a flag was given, as the option table shows it.
fn said(spec: &ContainerSpec, flag: &str) -> Vec<String> {
    spec::options::find_flag(flag).map(|row| (row.show)(spec)).unwrap_or_default()
}

fn restarts(container: &engine::containers::Container) -> u32 {
    let running = container.running.as_ref().map(|state| state.restarts);
    running.or(container.exit.as_ref().map(|exit| exit.restarts)).unwrap_or(0)
}

/// What health checks found; `None` where nothing checks it or it never ran.
fn health(container: &engine::containers::Container, engine: &Engine) -> Result<Option<Health>> {
    let Some(known) = engine.health(container)? else { return Ok(None) };
    let shown = |result: engine::HealthResult| HealthResult {
        start: Time::local(result.start).rfc3339(),
        end: Time::local(result.end).rfc3339(),
        exit_code: result.exit_code,
        output: result.output,
    };
    let log: Vec<HealthResult> = known.log.into_iter().map(shown).collect();
    let log = Some(log).filter(|log| !log.is_empty());
    Ok(Some(Health { status: known.status.word().to_owned(), failing_streak: known.failing_streak, log }))
}

fn state(container: &engine::containers::Container) -> State {
    let (running, exit) = (container.running.as_ref(), container.exit.as_ref());
    let error = exit.filter(|_| running.is_none()).and_then(|exit| exit.error.clone()).unwrap_or_default();
    let exit = exit.filter(|_| !matches!(container.status(), Status::Created | Status::Initialized));
    let ended = exit.filter(|_| running.is_none());
    let started = running.map(|state| state.started_at).or(exit.map(|exit| exit.started_at));
    State {
        oci_version: "1.2.1".to_owned(),
        status: container.status().word().to_owned(),
        running: container.status() == Status::Running,
        paused: container.status() == Status::Paused,
        oom_killed: ended.is_some_and(|exit| exit.oom_killed),
        pid: running.map_or(0, |state| state.main.pid),
        exit_code: ended.map_or(0, |exit| exit.exit_code),
        error,
        started_at: started.map_or(Time::NEVER, Time::local),
        finished_at: ended.map_or(Time::NEVER, |exit| Time::local(exit.finished_at)),
        cgroup_path: running.and_then(|state| cgroup(state.main.pid)).unwrap_or_default(),
        checkpointed_at: Time::NEVER,
        restored_at: Time::NEVER,
        ..State::default()
    }
}

/// Where a process is in the hierarchy of version 2.
fn cgroup(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

fn graph_driver(record: &ContainerRecord, engine: &Engine) -> GraphDriver {
    let mut data = BTreeMap::new();
    if let Some(image) = &record.image {
        // A layer that is missing leaves the rest of the document whole.
        if let Ok(dirs) = engine.store.overlay_dirs(&record.id, &image.layers) {
            let lower: Vec<String> = dirs.lower.iter().map(|path| path.display().to_string()).collect();
            data.insert("LowerDir".to_owned(), lower.join(":"));
            data.insert("UpperDir".to_owned(), dirs.upper.display().to_string());
            data.insert("WorkDir".to_owned(), dirs.work.display().to_string());
        }
    }
    GraphDriver { name: "overlay".to_owned(), data }
}

fn mounts(spec: &ContainerSpec, engine: &Engine) -> Vec<Mount> {
    let shown = spec.mounts.list.iter().filter_map(|mount| {
        let (kind, name, source) = match &mount.source {
            MountSource::Bind(path) => ("bind", String::new(), path.clone()),
            MountSource::Volume(name) => {
                let path = engine.volume(name).and_then(|volume| engine.volume_path(&volume));
                ("volume", name.clone(), path.map(|path| path.display().to_string()).unwrap_or_default())
            }
            _ => return None,
        };
        let options = &mount.options;
        let mut words = access_words(options);
        words.push(if options.recursive == Some(false) { "bind" } else { "rbind" }.to_owned());
        Some(Mount {
            kind: kind.to_owned(),
            name,
            source,
            destination: mount.target.clone(),
            driver: if kind == "volume" { "local" } else { "" }.to_owned(),
            mode: match options.relabel {
                Some(Relabel::Shared) => "z".to_owned(),
                Some(Relabel::Private) => "Z".to_owned(),
                None => String::new(),
            },
            options: words,
            rw: !options.read_only.unwrap_or(false),
            propagation: options
                .propagation
                .map_or_else(|| "rprivate".to_owned(), |one| format!("{one:?}").to_lowercase()),
        })
    });
    shown.collect()
}

/// What a mount takes away unless told otherwise: set-user-id programs and devices; and programs, if asked to.
fn access_words(options: &spec::mount::MountOptions) -> Vec<String> {
    let words = [
        (options.no_suid.unwrap_or(true), "nosuid"),
        (options.no_dev.unwrap_or(true), "nodev"),
        (options.no_exec.unwrap_or(false), "noexec"),
    ];
    words.into_iter().filter(|(on, _)| *on).map(|(_, word)| word.to_owned()).collect()
}

/// `80/tcp` → where on the host; a port that may be any is empty.
fn bindings(spec: &ContainerSpec) -> BTreeMap<String, Vec<HostPort>> {
    let mut ports: BTreeMap<String, Vec<HostPort>> = BTreeMap::new();
    for publish in &spec.network.publish {
        for (offset, port) in (publish.container.first..=publish.container.last).enumerate() {
            let host = publish.host.map(|range| usize::from(range.first) + offset);
            ports.entry(format!("{port}/{}", publish.protocol)).or_default().push(HostPort {
                host_ip: publish.address.map_or_else(|| "0.0.0.0".to_owned(), |address| address.to_string()),
                host_port: host.map(|port| port.to_string()).unwrap_or_default(),
            });
        }
    }
    ports
}

fn network_settings(container: &engine::containers::Container, image: &ContainerDefaults) -> NetworkSettings {
    let spec = &container.record.spec;
    let networks = match &spec.network.mode {
        Some(Mode::Named(names)) => names.clone(),
        Some(Mode::Host) => vec!["host".to_owned()],
        Some(Mode::None) => vec!["none".to_owned()],
        // As podman has it: pasta's is one until it has run.
        None | Some(Mode::Private | Mode::Pasta(_)) if container.status() == Status::Created => {
            vec!["pasta".to_owned()]
        }
        _ => Vec::new(),
    };
    let named = networks
        .into_iter()
        .map(|name| (name.clone(), Network { network_id: name, basic: BasicNetwork::default(), ..Network::default() }));
    let mut ports: BTreeMap<String, Option<Vec<HostPort>>> = exposed(spec, image).map(|port| (port, None)).collect();
    ports.extend(bindings(spec).into_iter().map(|(port, hosts)| (port, Some(hosts))));
    NetworkSettings { ports, networks: named.collect(), ..NetworkSettings::default() }
}

/// Ports that image and flags expose: `80/tcp`.
fn exposed(spec: &ContainerSpec, image: &ContainerDefaults) -> impl Iterator<Item = String> {
    let declared: Vec<String> = image.exposed_ports.keys().cloned().collect();
    let asked = spec.network.expose.clone().into_iter().flat_map(|expose| {
        (expose.ports.first..=expose.ports.last).map(move |port| format!("{port}/{}", expose.protocol))
    });
    declared.into_iter().chain(asked)
}

fn config(record: &ContainerRecord, image: &ContainerDefaults, engine: &Engine) -> Config {
    let spec = &record.spec;
    let process = &spec.process;
    let mut labels = image.labels.clone();
    labels.extend(spec.identity.labels.clone());
    let own_command = !process.command.is_empty() || process.entrypoint.is_some();
    let exposed = exposed(spec, image).chain(bindings(spec).into_keys());
    Config {
        hostname: engine.hostname(record),
        user: process.user.clone().unwrap_or_else(|| image.user.clone()),
        tty: process.tty,
        open_stdin: process.interactive,
        env: process
            .env
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or_default()))
            .collect(),
        cmd: if own_command { process.command.clone() } else { image.cmd.clone().unwrap_or_default() },
        image: record.image.as_ref().map(|image| image.name.clone()).unwrap_or_default(),
        working_dir: match process.workdir.as_deref().unwrap_or(&image.working_dir) {
            "" => "/".to_owned(),
            path => path.to_owned(),
        },
        entrypoint: process.entrypoint.clone().or(image.entrypoint.clone()).unwrap_or_default(),
        labels,
        annotations: spec.identity.annotations.clone(),
        stop_signal: engine.stop_signal(record).unwrap_or(Signal::TERM).to_string(),
        systemd_mode: engine.runs_systemd(record),
        healthcheck: healthcheck(spec, image),
        startup_health_check: startup_healthcheck(spec),
        health_log_destination: spec.health.log_destination.clone().unwrap_or_else(|| "local".to_owned()),
        healthcheck_max_log_count: spec.health.max_log_count.unwrap_or(5),
        healthcheck_max_log_size: spec.health.max_log_size.unwrap_or(500),
        healthcheck_on_failure_action: spec
            .health
            .on_failure
            .map_or_else(|| "none".to_owned(), |action| action.to_string()),
        create_command: record.create_command.clone(),
        timezone: process.timezone.clone().unwrap_or_default(),
        umask: format!("{:04o}", process.umask.unwrap_or(0o022)),
        secrets: spec.mounts.secrets.iter().filter_map(secret).collect(),
        timeout: spec.lifecycle.timeout.map_or(0, |seconds| seconds.0),
        stop_timeout: spec.lifecycle.stop_timeout.map_or(STOP_TIMEOUT, |seconds| seconds.0),
        passwd: Some(process.passwd.unwrap_or(true)),
        sd_notify_mode: spec.lifecycle.sdnotify.map_or_else(|| "container".to_owned(), |mode| mode.to_string()),
        exposed_ports: exposed.map(|port| (port, Nothing {})).collect(),
        ..Config::default()
    }
}

fn secret(used: &SecretUse) -> Option<Secret> {
    let SecretForm::Mount { uid, gid, mode, .. } = used.form else { return None };
    Some(Secret { name: used.name.clone(), id: used.id.clone(), uid, gid, mode: mode.unwrap_or(0o444) })
}

/// podman's time between two checks and for one, in nanoseconds.
const CHECK_TIME: u64 = 30_000_000_000;

fn healthcheck(spec: &ContainerSpec, image: &ContainerDefaults) -> Option<Healthcheck> {
    let health = &spec.health;
    if health.disabled {
        return None;
    }
    let time = |asked: Option<Nanoseconds>, default| asked.map_or(default, |time| time.0);
    if let Some(command) = &health.command {
        return Some(Healthcheck {
            test: spec::health::test(command),
            start_period: time(health.start_period, 0),
            interval: time(health.interval, CHECK_TIME),
            timeout: time(health.timeout, CHECK_TIME),
            retries: u64::from(health.retries.unwrap_or(3)),
            successes: 0,
        });
    }
    let ImageHealthcheck { test, interval, timeout, start_period, retries } = image.healthcheck.clone()?;
    (!test.is_empty()).then_some(Healthcheck { test, start_period, interval, timeout, retries, successes: 0 })
}

/// `private` where the container has ids of its own, as in podman; nothing otherwise.
fn userns_mode(record: &ContainerRecord) -> String {
    match &record.spec.namespaces.user {
        Some(mode @ (UserNs::Container(_) | UserNs::Path(_) | UserNs::Host)) => mode.to_string(),
        _ if record.ids.is_some() => "private".to_owned(),
        _ => String::new(),
    }
}

fn id_mappings(ids: &IdMap) -> IdMappings {
    let shown = |ranges: &IdRanges| ranges.pieces().iter().map(ToString::to_string).collect();
    IdMappings { uid_map: shown(&ids.uids), gid_map: shown(&ids.gids) }
}

fn startup_healthcheck(spec: &ContainerSpec) -> Option<Healthcheck> {
    let startup = &spec.health.startup;
    let command = startup.command.as_ref()?;
    let time = |asked: Option<Nanoseconds>| asked.map_or(CHECK_TIME, |time| time.0);
    Some(Healthcheck {
        test: spec::health::test(command),
        start_period: 0,
        interval: time(startup.interval),
        timeout: time(startup.timeout),
        retries: u64::from(startup.retries.unwrap_or(0)),
        successes: u64::from(startup.successes.unwrap_or(0)),
    })
}

fn throttles(limits: &[resources::DeviceLimit]) -> Vec<Throttle> {
    limits.iter().map(|limit| Throttle { path: limit.path.clone(), rate: limit.value, weight: 0 }).collect()
}

fn host_config(record: &ContainerRecord, engine: &Engine) -> HostConfig {
    let spec = &record.spec;
    let resources = &spec.resources;
    let cpus = resources.cpus_milli.unwrap_or(0);
    let list = |flag| said(spec, flag);
    let one = |flag, default: &str| list(flag).into_iter().next().unwrap_or_else(|| default.to_owned());
    let caps =
        |flag| list(flag).into_iter().map(|name| if name == "ALL" { name } else { format!("CAP_{name}") }).collect();
    HostConfig {
        binds: binds(spec, engine),
        cgroup_manager: "systemd".to_owned(),
        cgroup_mode: one("cgroupns", "private"),
        container_id_file: spec.identity.cidfile.clone().unwrap_or_default(),
        log_config: log_config(record, engine),
        network_mode: one("network", "pasta"),
        port_bindings: bindings(spec),
        restart_policy: restart_policy(spec),
        auto_remove: record.auto_remove,
        auto_remove_image: spec.lifecycle.remove_image,
        annotations: spec.identity.annotations.clone(),
        volumes_from: spec.mounts.volumes_from.clone(),
        cap_add: caps("cap-add"),
        cap_drop: caps("cap-drop"),
        dns: list("dns"),
        dns_options: spec.network.dns_options.clone(),
        dns_search: spec.network.dns_search.clone(),
        extra_hosts: list("add-host"),
        hosts_file: spec.network.hosts_file.clone().unwrap_or_default(),
        group_add: spec.process.groups.clone(),
        ipc_mode: one("ipc", "shareable"),
        cgroups: if resources.cgroups == Some(CgroupMode::Disabled) { "disabled" } else { "default" }.to_owned(),
        oom_score_adj: spec.process.oom_score_adj.unwrap_or(0),
        pid_mode: one("pid", "private"),
        privileged: spec.security.privileged,
        publish_all_ports: spec.network.publish_all,
        readonly_rootfs: spec.mounts.read_only,
        security_opt: list("security-opt"),
        tmpfs: tmpfs(spec),
        uts_mode: one("uts", "private"),
        userns_mode: userns_mode(record),
        id_mappings: record.ids.as_ref().map(id_mappings),
        shm_size: spec.mounts.shm_size.map_or(SHM_SIZE, |size| size.0),
        runtime: "oci".to_owned(),
        cpu_shares: resources.cpu_shares.unwrap_or(0),
        memory: resources.memory.map_or(0, |size| size.0),
        nano_cpus: cpus * 1_000_000,
        cgroup_parent: resources.cgroup_parent.clone().unwrap_or_default(),
        blkio_weight: resources.io_weight.unwrap_or(0),
        blkio_weight_device: resources
            .io_device_weight
            .iter()
            .map(|limit| Throttle { path: limit.path.clone(), rate: 0, weight: limit.value })
            .collect(),
        blkio_device_read_bps: throttles(&resources.io_read_bytes),
        blkio_device_write_bps: throttles(&resources.io_write_bytes),
        blkio_device_read_iops: throttles(&resources.io_read_operations),
        blkio_device_write_iops: throttles(&resources.io_write_operations),
        cgroup_conf: (!resources.cgroup_files.is_empty()).then(|| resources.cgroup_files.iter().cloned().collect()),
        cpu_period: resources.cpu_period.unwrap_or(if cpus == 0 { 0 } else { CPU_PERIOD }),
        cpu_quota: resources.cpu_quota.unwrap_or(cpus * CPU_PERIOD / 1000),
        cpuset_cpus: resources.cpuset_cpus.clone().unwrap_or_default(),
        cpuset_mems: resources.cpuset_mems.clone().unwrap_or_default(),
        devices: spec.security.devices.iter().map(device).collect(),
        memory_reservation: resources.memory_reservation.map_or(0, |size| size.0),
        memory_swap: limit(resources.memory_swap.map(|limit| match limit {
            resources::Limit::At(size) => resources::Limit::At(size.0),
            resources::Limit::Unlimited => resources::Limit::Unlimited,
        }))
        .unwrap_or(0),
        memory_swappiness: if resources.memory.is_some() { -1 } else { 0 },
        init: spec.process.init,
        pids_limit: limit(resources.pids).unwrap_or(PIDS),
        ulimits: spec.process.ulimits.iter().filter_map(ulimit).collect(),
        ..HostConfig::default()
    }
}

/// -1 for no limit.
fn limit(limit: Option<resources::Limit<u64>>) -> Option<i64> {
    limit.map(|limit| match limit {
        resources::Limit::At(most) => i64::try_from(most).unwrap_or(i64::MAX),
        resources::Limit::Unlimited => -1,
    })
}

/// `source:destination:options`
fn binds(spec: &ContainerSpec, engine: &Engine) -> Vec<String> {
    let shown = mounts(spec, engine).into_iter().map(|mount| {
        let source = if mount.name.is_empty() { mount.source } else { mount.name };
        let access = if mount.rw { "rw" } else { "ro" };
        format!("{source}:{}:{access},{},{}", mount.destination, mount.propagation, mount.options.join(","))
    });
    shown.collect()
}

fn tmpfs(spec: &ContainerSpec) -> BTreeMap<String, String> {
    let list = spec.mounts.list.iter().filter_map(|mount| match &mount.source {
        MountSource::Tmpfs { size, mode, copy_up } => {
            let access = if mount.options.read_only == Some(true) { "ro" } else { "rw" };
            let mut words: Vec<String> = size.map(|size| format!("size={size}")).into_iter().collect();
            words.extend(mode.map(|mode| format!("mode={mode:o}")));
            words.extend([access, "rprivate"].map(str::to_owned));
            words.extend(access_words(&mount.options));
            words.extend(copy_up.then(|| "tmpcopyup".to_owned()));
            Some((mount.target.clone(), words.join(",")))
        }
        _ => None,
    });
    list.collect()
}

fn log_config(record: &ContainerRecord, engine: &Engine) -> LogConfig {
    let driver = engine.log_driver(record);
    LogConfig {
        kind: driver.to_string(),
        config: None,
        path: if driver == LogDriver::K8sFile { engine.log_file(record).display().to_string() } else { String::new() },
        tag: record.spec.logging.tag.clone().unwrap_or_default(),
        size: record.spec.logging.max_size.map_or_else(|| "0B".to_owned(), |size| crate::format::size::decimal(size.0)),
    }
}

fn restart_policy(spec: &ContainerSpec) -> RestartPolicy {
    let policy = spec.lifecycle.restart.unwrap_or(Restart::No);
    let (name, most) = match policy {
        Restart::OnFailure(most) => ("on-failure".to_owned(), most.unwrap_or(0)),
        other => (other.to_string(), 0),
    };
    RestartPolicy { name, maximum_retry_count: most }
}

fn device(device: &spec::security::Device) -> Device {
    Device {
        path_on_host: device.host.clone(),
        path_in_container: device.container.clone(),
        cgroup_permissions: device.permissions.clone(),
    }
}

fn ulimit(limit: &Limit) -> Option<Ulimit> {
    let Limit::Set { name, soft, hard } = limit else { return None };
    let number = |limit: &u64| i64::try_from(*limit).unwrap_or(-1);
    Some(Ulimit { name: format!("RLIMIT_{}", name.to_string().to_uppercase()), soft: number(soft), hard: number(hard) })
}
