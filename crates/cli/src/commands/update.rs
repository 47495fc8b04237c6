//! `lodger update`: other limits for a container.

use crate::command::{Command, Count, Invocation, Unsupported};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output;
use spec::options::{self, Complete, Flag, Opt};

pub(crate) const COMMAND: Command = Command {
    paths: &["update", "container update"],
    operands: "CONTAINER",
    summary: "Update an existing container",
    about: "Changes the limits and the restart policy of a container, at once if it runs. What is not named stays as it is.",
    examples: &["lodger update --memory 512m --cpus 2 web", "lodger update --restart unless-stopped web"],
    count: Count::Exactly(1),
    complete: &[Complete::Containers],
    flags: || rows().iter().filter_map(|row| row.flag.as_ref()).collect(),
    unsupported: UNSUPPORTED,
    run,
    ..Command::PLAIN
};

/// Rows of the option table that change a container that exists.
pub(crate) const LIMITS: &[&str] = &[
    "blkio-weight",
    "cpu-period",
    "cpu-quota",
    "cpu-shares",
    "cpus",
    "cpuset-cpus",
    "cpuset-mems",
    "memory",
    "memory-reservation",
    "memory-swap",
];

const NO_DEVICE: &str = "limits of single devices are not there; --blkio-weight holds for all";
const NO_REALTIME: &str = "the kernel has no such limit in control groups of version 2";
const NO_SWAPPINESS: &str = "the kernel has no such setting in control groups of version 2";
const AT_CREATION: &str = "health checks are set when the container is made";

const UNSUPPORTED: &[Unsupported] = &[
    Unsupported::with_value("blkio-weight-device", NO_DEVICE),
    Unsupported::with_value("cpu-rt-period", NO_REALTIME),
    Unsupported::with_value("cpu-rt-runtime", NO_REALTIME),
    Unsupported::with_value("device-read-bps", NO_DEVICE),
    Unsupported::with_value("device-read-iops", NO_DEVICE),
    Unsupported::with_value("device-write-bps", NO_DEVICE),
    Unsupported::with_value("device-write-iops", NO_DEVICE),
    Unsupported::with_value("env", "the environment is set when the container is made: `lodger container clone`")
        .short('e'),
    Unsupported::with_value("health-cmd", AT_CREATION),
    Unsupported::with_value("health-interval", AT_CREATION),
    Unsupported::with_value("health-log-destination", AT_CREATION),
    Unsupported::with_value("health-max-log-count", AT_CREATION),
    Unsupported::with_value("health-max-log-size", AT_CREATION),
    Unsupported::with_value("health-on-failure", AT_CREATION),
    Unsupported::with_value("health-retries", AT_CREATION),
    Unsupported::with_value("health-start-period", AT_CREATION),
    Unsupported::with_value("health-startup-cmd", AT_CREATION),
    Unsupported::with_value("health-startup-interval", AT_CREATION),
    Unsupported::with_value("health-startup-retries", AT_CREATION),
    Unsupported::with_value("health-startup-success", AT_CREATION),
    Unsupported::with_value("health-startup-timeout", AT_CREATION),
    Unsupported::with_value("health-timeout", AT_CREATION),
    Unsupported::switch("latest", "podman's update has it from version 5.5 on; name the container").short('l'),
    Unsupported::with_value("memory-swappiness", NO_SWAPPINESS),
    Unsupported::switch("no-healthcheck", AT_CREATION),
    Unsupported::with_value("ulimit", "limits of a process are set when it starts: `lodger container clone`"),
    Unsupported::with_value("unsetenv", "the environment is set when the container is made: `lodger container clone`"),
];

/// The rows of these flags, in their order.
pub(crate) fn rows_of(names: &[&str]) -> Vec<&'static Opt> {
    names.iter().filter_map(|name| options::find_flag(name)).collect()
}

fn rows() -> Vec<&'static Opt> {
    let mut rows = rows_of(LIMITS);
    rows.extend(rows_of(&["pids-limit", "restart"]));
    rows
}

/// Sets in a container's description what flags of these rows say.
pub(crate) fn apply(call: &Invocation, rows: &[&'static Opt], spec: &mut spec::ContainerSpec) -> Result<()> {
    for (index, value) in &call.given {
        let Some(row) = rows.get(*index) else { continue };
        let flag = row.flag.as_ref().map_or_else(String::new, Flag::title);
        row.set_from_flag(spec, value)
            .map_err(|error| call.usage(format!("invalid argument {value:?} for {flag:?} flag: {error}")))?;
    }
    Ok(())
}

fn run(call: Invocation) -> Result<ExitCode> {
    let engine = call.engine()?;
    let container = engine.container(&call.operands[0])?;
    let mut spec = (*container.record.spec).clone();
    apply(&call, &rows(), &mut spec)?;
    engine.update(&container, spec)?;
    output::print_line(container.record.id.as_str())?;
    Ok(ExitCode::SUCCESS)
}
