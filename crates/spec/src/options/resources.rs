//! Rows of the group `resources`: limits. As in podman, 0 or an empty value takes back an earlier limit where it could
//! not be one.

use super::row::{set_or_clear, show_all, show_choice};
use super::{Complete, Flag, Form, Group, Opt};
use crate::bytes::Bytes;
use crate::resources::{CgroupMode, DeviceLimit, Limit, check_set, parse_cgroup_file, parse_cpus, show_cpus};
use crate::{ContainerSpec, ParseError, word};

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag::with_value("memory", "SIZE", "Most memory, such as 512m").short('m'),
        |spec, text| set_or_clear(&mut spec.resources.memory, text, Bytes::parse),
        |spec| show_choice(&spec.resources.memory),
    )
    .in_unit("Memory", Form::Single),
    row(
        Flag::with_value("memory-reservation", "SIZE", "Memory that is taken back last"),
        |spec, text| set_or_clear(&mut spec.resources.memory_reservation, text, Bytes::parse),
        |spec| show_choice(&spec.resources.memory_reservation),
    ),
    row(
        Flag::with_value("memory-swap", "SIZE", "Most memory and swap together; -1 for no limit"),
        |spec, text| {
            set_or_clear(&mut spec.resources.memory_swap, text, |text| match text {
                "-1" => Ok(Limit::Unlimited),
                text => Bytes::parse(text).map(Limit::At),
            })
        },
        |spec| show_choice(&spec.resources.memory_swap),
    ),
    row(
        Flag::with_value("cpus", "NUMBER", "Most processor time, in processors, such as 1.5"),
        |spec, text| {
            spec.resources.cpus_milli = Some(parse_cpus(text)?).filter(|cpus| *cpus != 0);
            Ok(())
        },
        |spec| spec.resources.cpus_milli.iter().map(|cpus| show_cpus(*cpus)).collect(),
    ),
    row(
        Flag::with_value("cpu-shares", "WEIGHT", "Share of processor time, 2 to 262144 (default 1024)").short('c'),
        |spec, text| set_unless_zero(&mut spec.resources.cpu_shares, "CPU shares", text, 2, 262_144),
        |spec| show_choice(&spec.resources.cpu_shares),
    ),
    row(
        Flag::with_value("cpu-quota", "MICROSECONDS", "Most processor time in each period"),
        |spec, text| match text {
            "-1" => set_unless_zero(&mut spec.resources.cpu_quota, "CPU quota", "0", 1000, u64::MAX >> 1),
            text => set_unless_zero(&mut spec.resources.cpu_quota, "CPU quota", text, 1000, u64::MAX >> 1),
        },
        |spec| show_choice(&spec.resources.cpu_quota),
    ),
    row(
        Flag::with_value("cpu-period", "MICROSECONDS", "Length of the period of --cpu-quota (default 100000)"),
        |spec, text| set_unless_zero(&mut spec.resources.cpu_period, "CPU period", text, 1000, 1_000_000),
        |spec| show_choice(&spec.resources.cpu_period),
    ),
    row(
        Flag::with_value("cpuset-cpus", "LIST", "Processors to run on, such as 0-3,7"),
        |spec, text| set_or_clear(&mut spec.resources.cpuset_cpus, text, |text| check_set("list of processors", text)),
        |spec| show_choice(&spec.resources.cpuset_cpus),
    ),
    row(
        Flag::with_value("cpuset-mems", "LIST", "Memory nodes to use, such as 0,1"),
        |spec, text| {
            set_or_clear(&mut spec.resources.cpuset_mems, text, |text| check_set("list of memory nodes", text))
        },
        |spec| show_choice(&spec.resources.cpuset_mems),
    ),
    row(
        Flag::with_value("pids-limit", "NUMBER", "Most processes and threads; -1 for no limit (default 2048)"),
        |spec, text| {
            spec.resources.pids = Some(match text {
                "-1" | "0" => Limit::Unlimited,
                text => Limit::At(word::number("number of processes", text, 1, 1 << 22)?),
            });
            Ok(())
        },
        |spec| show_choice(&spec.resources.pids),
    )
    .in_unit("PidsLimit", Form::Single),
    row(
        Flag::with_value("blkio-weight", "WEIGHT", "Share of disk time, 10 to 1000"),
        |spec, text| set_unless_zero(&mut spec.resources.io_weight, "block I/O weight", text, 10, 1000),
        |spec| show_choice(&spec.resources.io_weight),
    ),
    row(
        Flag::with_value("cgroups", "MODE", "Whether the container gets a control group of its own (default enabled)")
            .complete(Complete::Words(&["enabled", "disabled", "no-conmon", "split"])),
        |spec, text| set_or_clear(&mut spec.resources.cgroups, text, CgroupMode::parse),
        |spec| show_choice(&spec.resources.cgroups),
    )
    .in_unit("CgroupsMode", Form::Single),
    row(
        Flag::with_value("cgroup-parent", "SLICE", "Slice below which the control group is made"),
        |spec, text| set_or_clear(&mut spec.resources.cgroup_parent, text, |text| word::solid("cgroup parent", text)),
        |spec| show_choice(&spec.resources.cgroup_parent),
    ),
    row(
        Flag::with_value("blkio-weight-device", "PATH:WEIGHT", "Share of one disk's time, 10 to 1000"),
        |spec, text| {
            let weight = |text: &str| word::number("block I/O weight", text, 10, 1000);
            add(&mut spec.resources.io_device_weight, text, weight)
        },
        |spec| show_all(&spec.resources.io_device_weight),
    )
    .commas(),
    row(
        Flag::with_value("device-read-bps", "PATH:SIZE", "Most bytes that are read from a disk each second"),
        |spec, text| add(&mut spec.resources.io_read_bytes, text, bytes),
        |spec| show_all(&spec.resources.io_read_bytes),
    )
    .commas(),
    row(
        Flag::with_value("device-write-bps", "PATH:SIZE", "Most bytes that are written to a disk each second"),
        |spec, text| add(&mut spec.resources.io_write_bytes, text, bytes),
        |spec| show_all(&spec.resources.io_write_bytes),
    )
    .commas(),
    row(
        Flag::with_value("device-read-iops", "PATH:NUMBER", "Most reads from a disk each second"),
        |spec, text| add(&mut spec.resources.io_read_operations, text, operations),
        |spec| show_all(&spec.resources.io_read_operations),
    )
    .commas(),
    row(
        Flag::with_value("device-write-iops", "PATH:NUMBER", "Most writes to a disk each second"),
        |spec, text| add(&mut spec.resources.io_write_operations, text, operations),
        |spec| show_all(&spec.resources.io_write_operations),
    )
    .commas(),
    row(
        Flag::with_value("cgroup-conf", "FILE=VALUE", "Write to a file of the container's control group"),
        |spec, text| {
            spec.resources.cgroup_files.push(parse_cgroup_file(text)?);
            Ok(())
        },
        |spec| spec.resources.cgroup_files.iter().map(|(name, value)| format!("{name}={value}")).collect(),
    ),
];

/// Adds the limit of one disk; a later one for the same disk counts.
fn add(
    list: &mut Vec<DeviceLimit>,
    text: &str,
    number: impl FnOnce(&str) -> Result<u64, ParseError>,
) -> Result<(), ParseError> {
    let limit = DeviceLimit::parse(text, number)?;
    list.retain(|other| other.path != limit.path);
    list.push(limit);
    Ok(())
}

fn bytes(text: &str) -> Result<u64, ParseError> {
    Bytes::parse(text).map(|size| size.0)
}

fn operations(text: &str) -> Result<u64, ParseError> {
    word::number("number of operations", text, 1, u64::MAX)
}

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Resources, flag, set, show)
}

/// A number within bounds; 0 means that there is no such limit.
fn set_unless_zero(
    field: &mut Option<u64>,
    what: &str,
    text: &str,
    lowest: u64,
    highest: u64,
) -> Result<(), ParseError> {
    *field = if text == "0" { None } else { Some(word::number(what, text, lowest, highest)?) };
    Ok(())
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    ("memory", "|[0-9]{1,6}[bkmg]?|1\\.5g"),
    ("memory-reservation", "[0-9]{1,6}(b|kb|mib|g)?"),
    ("memory-swap", "|-1|[0-9]{1,6}[kmg]?"),
    ("cpus", "[0-9]{1,3}(\\.[0-9]{0,3})?|\\.5|0\\.0015"),
    ("cpu-shares", "0|[2-9]|[1-9][0-9]{1,4}"),
    ("cpu-quota", "-1|0|[1-9][0-9]{3,6}"),
    ("cpu-period", "0|[1-9][0-9]{3,5}"),
    ("cpuset-cpus", "|[0-9](,[0-9]|,1-[0-9]{2})?"),
    ("cpuset-mems", "|[0-3](,5)?"),
    ("pids-limit", "-1|0|[1-9][0-9]{0,5}"),
    ("blkio-weight", "0|[1-9][0-9]{1,2}"),
    ("cgroups", "|enabled|disabled|no-conmon|split"),
    ("cgroup-parent", "|[a-z]{1,9}\\.slice"),
    ("blkio-weight-device", "/dev/[a-z]{1,3}:[1-9][0-9]{1,2}"),
    ("device-read-bps", "/dev/[a-z]{1,3}:[1-9][0-9]?mb?(,/dev/x:1k)?"),
    ("device-write-bps", "/dev/[a-z]{1,3}:[1-9][0-9]?k"),
    ("device-read-iops", "/dev/[a-z]{1,3}:[1-9][0-9]{0,3}"),
    ("device-write-iops", "/dev/[a-z]{1,3}:[1-9][0-9]{0,3}"),
    ("cgroup-conf", "memory\\.(high|low)=[0-9]{1,9}|io\\.max=8:0 rbps=[0-9]{1,4}"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("memory", "0.5g", &["512m"]),
                ("memory-reservation", "1024k", &["1m"]),
                ("memory-swap", "-1", &["-1"]),
                ("memory-swap", "1g", &["1g"]),
                ("cpus", "1.50", &["1.5"]),
                ("cpus", "2", &["2"]),
                ("cpus", ".25", &["0.25"]),
                ("cpus", "0", &[]),
                ("cpu-shares", "512", &["512"]),
                ("cpu-quota", "50000", &["50000"]),
                ("cpu-quota", "-1", &[]),
                ("cpu-period", "100000", &["100000"]),
                ("cpuset-cpus", "0-2,4", &["0-2,4"]),
                ("cpuset-mems", "0", &["0"]),
                ("pids-limit", "100", &["100"]),
                ("pids-limit", "0", &["-1"]),
                ("blkio-weight", "500", &["500"]),
                ("cgroups", "split", &["split"]),
                ("cgroup-parent", "web.slice", &["web.slice"]),
                ("blkio-weight-device", "/dev/sda:500", &["/dev/sda:500"]),
                ("device-read-bps", "/dev/sda:1mb,/dev/sdb:7", &["/dev/sda:1048576", "/dev/sdb:7"]),
                ("device-write-bps", "/dev/sda:1k", &["/dev/sda:1024"]),
                ("device-read-iops", "/dev/sda:10", &["/dev/sda:10"]),
                ("device-write-iops", "/dev/sda:10", &["/dev/sda:10"]),
                ("cgroup-conf", "memory.high=1G", &["memory.high=1G"]),
            ],
        );
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("memory", "lots", "invalid size \"lots\""),
            ("memory-swap", "-2", "invalid size"),
            ("cpus", "two", "expected a decimal number such as 1.5"),
            ("cpus", "-1", "expected a decimal number"),
            ("cpus", ".", "expected a decimal number"),
            ("cpus", "0.0001", "less than a thousandth of a CPU"),
            ("cpus", "99999999999999999999999999", "too large"),
            ("cpu-shares", "1", "from 2 to 262144"),
            ("cpu-quota", "999", "expected a whole number from 1000"),
            ("cpu-period", "1000001", "from 1000 to 1000000"),
            ("cpuset-cpus", "3-1", "expected numbers and ranges such as 0-3,7"),
            ("cpuset-cpus", "0,", "expected numbers and ranges"),
            ("cpuset-cpus", "9999", "expected numbers and ranges"),
            ("cpuset-mems", "a", "expected numbers and ranges"),
            ("pids-limit", "-5", "expected a whole number"),
            ("blkio-weight", "5", "from 10 to 1000"),
            ("device-read-bps", "sda:1m", "expected PATH:NUMBER"),
            ("device-read-bps", "/dev/sda:fast", "invalid size"),
            ("blkio-weight-device", "/dev/sda:5", "from 10 to 1000"),
            ("cgroup-conf", "memory.high", "expected FILE=VALUE"),
            ("cgroup-conf", "../x.y=1", "expected the name of a controller's file"),
            ("cgroup-conf", "cgroup.procs=1", "expected the name of a controller's file"),
            ("cgroups", "many", "expected enabled, disabled, no-conmon or split"),
        ]);
    }
}
