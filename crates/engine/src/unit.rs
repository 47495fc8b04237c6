//! The transient unit of a detached container, and the unit that starts containers after a reboot.
//!
//! The unit runs `lodger container launch ID`, which prepares the container, says `MAINPID=` and `READY=1` and exits: from
//! then on the container's own first process is the unit's main process, systemd's own child.

use crate::error::{Error, Result};
use crate::systemd::Property;
use spec::ContainerSpec;
use spec::lifecycle::{Restart, SdNotify};
use spec::signal::Signal;
use std::path::Path;
use store::ContainerRecord;
use zbus::Variant;

/// podman's default of `--stop-timeout`.
pub(crate) const STOP_TIMEOUT: u32 = 10;
const SECOND: u64 = 1_000_000;
/// How long a program may take to say that it is ready.
const READY_TIMEOUT: u64 = 90 * SECOND;
/// How long lodger may take where it says so itself; only a launch that was killed takes as long.
const LAUNCH_TIMEOUT: u64 = 30 * SECOND;
/// Pause before a restart, as podman's.
const RESTART_DELAY: u64 = 100_000;

/// `lodger-NAME.service`
pub(crate) fn name(container: &str) -> String {
    format!("lodger-{container}.service")
}

/// The unit that a detached container runs in, or may be waiting in for a restart.
pub(crate) fn of(record: &ContainerRecord) -> String {
    record.unit.clone().unwrap_or_else(|| name(&record.name))
}

/// The scope of a foreground container with limits.
pub(crate) fn scope_name(container: &str) -> String {
    format!("lodger-{container}.scope")
}

/// What a unit is made from.
pub(crate) struct Parts<'a> {
    pub(crate) record: &'a ContainerRecord,
    /// `/usr/bin/lodger`
    pub(crate) program: &'a Path,
    /// The data root, so that the unit finds the same store.
    pub(crate) root: &'a Path,
    pub(crate) stop_signal: Signal,
    /// From `resolve::resources`.
    pub(crate) limits: Vec<Property>,
    /// A variable for its commands.
    pub(crate) variables: Option<(&'static str, String)>,
}

/// All properties of a container's unit.
pub(crate) fn properties(parts: Parts<'_>) -> Result<Vec<Property>> {
    let record = parts.record;
    let program = utf8(parts.program)?;
    let root = utf8(parts.root)?;
    let id = record.id.as_str();
    let command = |verb: &str| [&program, "--root", &root, "container", verb, id].map(str::to_owned).to_vec();
    let image = record.image.as_ref().map_or("a directory", |image| image.name.as_str());
    let lifecycle = &record.spec.lifecycle;
    let stop = lifecycle.stop_timeout.map_or(STOP_TIMEOUT, |seconds| seconds.0);
    let mut properties: Vec<Property> = vec![
        ("Description", text(format!("{} ({image}), a container", record.name))),
        ("Type", text("notify")),
        ("NotifyAccess", text("all")),
        ("ExecStart", exec(&program, command("launch"), false)),
        // The same command twice: before systemd kills what is left of the unit it lets the log relay finish.
        ("ExecStop", exec(&program, command("cleanup"), true)),
        ("ExecStopPost", exec(&program, command("cleanup"), true)),
        ("KillMode", text("mixed")),
        ("KillSignal", Variant::I32(parts.stop_signal.number())),
        ("TimeoutStopUSec", Variant::U64(if stop == u32::MAX { u64::MAX } else { u64::from(stop) * SECOND })),
        (
            "TimeoutStartUSec",
            Variant::U64(if program_notifies(&record.spec, false) { READY_TIMEOUT } else { LAUNCH_TIMEOUT }),
        ),
        ("Delegate", Variant::Bool(true)),
        ("SyslogIdentifier", text(record.name.clone())),
        ("Environment", Variant::from(environment(parts.variables))),
    ];
    properties.extend(restart(&record.spec));
    properties.extend(parts.limits);
    if let Some(seconds) = lifecycle.timeout.filter(|seconds| seconds.0 > 0) {
        properties.push(("RuntimeMaxUSec", Variant::U64(u64::from(seconds.0) * SECOND)));
    }
    properties.extend(slice(&record.spec)?);
    Ok(properties)
}

/// `--cgroup-parent`
pub(crate) fn slice(spec: &ContainerSpec) -> Result<Option<Property>> {
    let Some(slice) = &spec.resources.cgroup_parent else { return Ok(None) };
    if !slice.ends_with(".slice") {
        return Err(Error::invalid(format!(
            "--cgroup-parent {slice:?}: under systemd it must be a slice, such as web.slice"
        )));
    }
    Ok(Some(("Slice", text(slice.clone()))))
}

/// Restart policies are systemd's own. Whether it is started again after a reboot is decided elsewhere (`boot`).
fn restart(spec: &ContainerSpec) -> Vec<Property> {
    let (policy, attempts) = match spec.lifecycle.restart.unwrap_or(Restart::No) {
        Restart::No => return vec![("CollectMode", text("inactive"))],
        Restart::Always | Restart::UnlessStopped => ("always", None),
        Restart::OnFailure(attempts) => ("on-failure", attempts),
    };
    let mut properties = vec![("Restart", text(policy)), ("RestartUSec", Variant::U64(RESTART_DELAY))];
    match attempts {
        // systemd counts the first start too, and only within the interval.
        Some(attempts) => {
            properties.push(("StartLimitBurst", Variant::U32(attempts.saturating_add(1))));
            properties.push(("StartLimitIntervalUSec", Variant::U64(u64::MAX)));
        }
        None => properties.push(("StartLimitIntervalUSec", Variant::U64(0))),
    }
    properties
}

/// The same as lines of a unit file, every one of them said.
pub(crate) fn restart_settings(spec: &ContainerSpec) -> String {
    let policy = spec.lifecycle.restart.unwrap_or(Restart::No);
    let (word, interval, burst) = match policy {
        Restart::No => ("no", "0", 0),
        Restart::Always | Restart::UnlessStopped => ("always", "0", 0),
        Restart::OnFailure(None) => ("on-failure", "0", 0),
        Restart::OnFailure(Some(attempts)) => ("on-failure", "infinity", attempts.saturating_add(1)),
    };
    // As `restart` has it: one that failed is kept only where systemd may start it again.
    format!(
        "[Unit]\nStartLimitIntervalSec={interval}\nStartLimitBurst={burst}\n\n\
         [Service]\nRestart={word}\nRestartSec={RESTART_DELAY}us\n"
    )
}

/// Whether the start of the unit waits for a word from the program itself.
///
/// podman's default `container` passes a socket on only where it got one itself; a container that was started from a
/// shell got none, so only an explicit `--sdnotify=container` waits here.
pub(crate) fn program_notifies(spec: &ContainerSpec, in_own_unit: bool) -> bool {
    match spec.lifecycle.sdnotify {
        Some(SdNotify::Container) => true,
        None => in_own_unit,
        Some(SdNotify::Conmon | SdNotify::Healthy | SdNotify::Ignore) => false,
    }
}

/// Variables that change what lodger does; the manager's environment may lack them.
fn environment(further: Option<(&'static str, String)>) -> Vec<String> {
    let names = [
        "PATH",
        "HOME",
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_RUNTIME_DIR",
        "CONTAINERS_CONF",
        "CONTAINERS_CONF_OVERRIDE",
        "CONTAINERS_REGISTRIES_CONF",
        "TZ",
    ];
    let own = names.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
    own.chain(further).map(|(name, value)| format!("{name}={value}")).collect()
}

fn text(value: impl Into<String>) -> Variant<'static> {
    Variant::from(value.into())
}

fn exec(program: &str, words: Vec<String>, ignore_failure: bool) -> Variant<'static> {
    Variant::from(vec![(program.to_owned(), words, ignore_failure)])
}

fn utf8(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::other(format!("path {path:?} is not UTF-8, which D-Bus requires")))
}
