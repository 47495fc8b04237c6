//! Limits as properties of the container's unit (systemd.resource-control(5)).

use crate::error::{Error, Kind, Result};
use crate::systemd::Property;
use spec::resources::{Limit, Resources};
use std::path::Path;
use zbus::Variant;

/// The default of `--pids-limit`.
const PIDS: u64 = 2048;

/// A limit: which controller enforces it, which flag asked for it, and the property.
struct Row {
    controller: &'static str,
    flag: &'static str,
    property: Property,
}

/// The unit properties for these limits.
///
/// A limit that was asked for and whose controller the manager does not have is an error; the default number of processes
/// is simply left out there.
pub(crate) fn properties(resources: &Resources, available: &Controllers) -> Result<Vec<Property>> {
    let rows = wanted(resources, available)?;
    demand(&rows, available)?;
    let mut properties: Vec<Property> = rows.into_iter().map(|row| row.property).collect();
    if resources.pids.is_none() && available.has("pids") {
        properties.push(("TasksMax", Variant::U64(PIDS)));
    }
    Ok(properties)
}

/// The properties that make the one set of limits of the other; a limit that is not asked for any more goes.
pub(crate) fn changes(before: &Resources, after: &Resources, available: &Controllers) -> Result<Vec<Property>> {
    let mut properties = properties(after, available)?;
    for Row { property: (name, value), .. } in rows(before)? {
        if properties.iter().all(|(kept, _)| *kept != name) {
            let none =
                if matches!(value, Variant::U64(_)) { Variant::U64(u64::MAX) } else { Variant::from(Vec::<u8>::new()) };
            properties.push((name, none));
        }
    }
    Ok(properties)
}

/// Demands the controllers of the limits that were asked for.
pub(crate) fn check(resources: &Resources, available: &Controllers) -> Result<()> {
    demand(&wanted(resources, available)?, available)
}

/// The rows of what was asked for. Where nothing counts processes, none are limited: that is no wish to be met.
fn wanted(resources: &Resources, available: &Controllers) -> Result<Vec<Row>> {
    let mut rows = rows(resources)?;
    if resources.pids == Some(Limit::Unlimited) && !available.has("pids") {
        rows.retain(|row| row.controller != "pids");
    }
    Ok(rows)
}

fn demand(rows: &[Row], available: &Controllers) -> Result<()> {
    let Some(row) = rows.iter().find(|row| !available.has(row.controller)) else { return Ok(()) };
    let controller = row.controller.to_owned();
    Err(Error::new(Kind::MissingController { controller, flag: row.flag, legacy: available.legacy }))
}

/// Whether any limit was asked for, so that a foreground container needs a unit too. That processes are not to be limited needs none.
pub(crate) fn asked(resources: &Resources) -> bool {
    let limits = rows(resources).map_or(usize::MAX, |rows| rows.len());
    let unlimited = usize::from(resources.pids == Some(Limit::Unlimited));
    !resources.cgroup_files.is_empty() || limits > unlimited
}

fn rows(resources: &Resources) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut row = |controller, flag, name, value: u64| {
        rows.push(Row { controller, flag, property: (name, Variant::U64(value)) });
    };
    if let Some(memory) = resources.memory {
        row("memory", "--memory", "MemoryMax", memory.0);
    }
    if let Some(memory) = resources.memory_reservation {
        row("memory", "--memory-reservation", "MemoryLow", memory.0);
    }
    if let Some(swap) = swap(resources)? {
        row("memory", "--memory-swap", "MemorySwapMax", swap);
    }
    if let Some(share) = cpu_per_second(resources)? {
        row("cpu", "--cpus", "CPUQuotaPerSecUSec", share);
    }
    if let Some(period) = resources.cpu_period {
        row("cpu", "--cpu-period", "CPUQuotaPeriodUSec", period);
    }
    if let Some(shares) = resources.cpu_shares {
        row("cpu", "--cpu-shares", "CPUWeight", weight_of_shares(shares));
    }
    if let Some(limit) = resources.pids {
        row("pids", "--pids-limit", "TasksMax", at_most(limit));
    }
    if let Some(weight) = resources.io_weight {
        row("io", "--blkio-weight", "IOWeight", weight_of_blkio(weight));
    }
    let disks: [(_, _, _, fn(u64) -> u64); 5] = [
        ("--blkio-weight-device", "IODeviceWeight", &resources.io_device_weight, weight_of_blkio),
        ("--device-read-bps", "IOReadBandwidthMax", &resources.io_read_bytes, |value| value),
        ("--device-write-bps", "IOWriteBandwidthMax", &resources.io_write_bytes, |value| value),
        ("--device-read-iops", "IOReadIOPSMax", &resources.io_read_operations, |value| value),
        ("--device-write-iops", "IOWriteIOPSMax", &resources.io_write_operations, |value| value),
    ];
    for (flag, name, limits, scaled) in disks {
        if !limits.is_empty() {
            let pairs: Vec<(String, u64)> =
                limits.iter().map(|limit| (limit.path.clone(), scaled(limit.value))).collect();
            rows.push(Row { controller: "io", flag, property: (name, Variant::from(pairs)) });
        }
    }
    for (flag, name, list) in [
        ("--cpuset-cpus", "AllowedCPUs", &resources.cpuset_cpus),
        ("--cpuset-mems", "AllowedMemoryNodes", &resources.cpuset_mems),
    ] {
        if let Some(list) = list {
            let mask =
                Variant::from(cpu_mask(list).ok_or_else(|| Error::invalid(format!("{flag}: invalid list {list:?}")))?);
            rows.push(Row { controller: "cpuset", flag, property: (name, mask) });
        }
    }
    Ok(rows)
}

fn at_most(limit: Limit<u64>) -> u64 {
    match limit {
        Limit::At(count) if count > 0 => count,
        _ => u64::MAX,
    }
}

/// podman's `--memory-swap` counts memory and swap together, systemd's property swap alone. Without the flag, swap is as
/// much as the memory, as podman documents.
fn swap(resources: &Resources) -> Result<Option<u64>> {
    match (resources.memory, resources.memory_swap) {
        (None, None) => Ok(None),
        (Some(memory), None) => Ok(Some(memory.0)),
        (_, Some(Limit::Unlimited)) => Ok(Some(u64::MAX)),
        (None, Some(Limit::At(_))) => Err(Error::invalid("--memory-swap needs --memory: it counts both together")),
        (Some(memory), Some(Limit::At(both))) => match both.0.checked_sub(memory.0) {
            Some(swap) => Ok(Some(swap)),
            None => Err(Error::invalid("--memory-swap must not be smaller than --memory")),
        },
    }
}

fn cpu_per_second(resources: &Resources) -> Result<Option<u64>> {
    if let Some(milli) = resources.cpus_milli {
        if resources.cpu_quota.is_some() || resources.cpu_period.is_some() {
            return Err(Error::invalid("--cpus and --cpu-quota or --cpu-period cannot be set together"));
        }
        return Ok(Some(milli * 1000).filter(|share| *share > 0));
    }
    let Some(quota) = resources.cpu_quota else { return Ok(None) };
    let period = resources.cpu_period.unwrap_or(100_000).max(1);
    Ok(Some((u128::from(quota) * 1_000_000 / u128::from(period)) as u64))
}

/// cgroup v1's 2…262144 to v2's 1…10000, by the formula of the kernel's documentation that crun and systemd use.
fn weight_of_shares(shares: u64) -> u64 {
    match shares {
        0 => 100,
        shares => 1 + (shares.clamp(2, 262_144) - 2) * 9_999 / 262_142,
    }
}

/// cgroup v1's 10…1000 to v2's 1…10000.
fn weight_of_blkio(weight: u64) -> u64 {
    1 + (weight.clamp(10, 1000) - 10) * 9_999 / 990
}

/// `0-2,4` as a bit mask, lowest first.
fn cpu_mask(list: &str) -> Option<Vec<u8>> {
    let mut mask = vec![0u8; 1];
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first > last || last >= 8192 {
            return None;
        }
        mask.resize(mask.len().max(last / 8 + 1), 0);
        (first..=last).for_each(|cpu| mask[cpu / 8] |= 1 << (cpu % 8));
    }
    Some(mask)
}

/// The cgroup v2 controllers that the manager of this user can use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Controllers {
    names: Vec<String>,
    legacy: bool,
}

impl Controllers {
    /// Reads what is delegated: for a user the controllers of `user@UID.service`, for root those of the top.
    pub(crate) fn read(uid: u32) -> Self {
        let top = Path::new("/sys/fs/cgroup");
        let legacy = !top.join("cgroup.controllers").exists();
        let path = match uid {
            0 => top.join("cgroup.controllers"),
            uid => top.join(format!("user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers")),
        };
        Self { legacy, ..Self::parse(&std::fs::read_to_string(path).unwrap_or_default()) }
    }

    /// From a file `cgroup.controllers`.
    pub(crate) fn parse(text: &str) -> Self {
        Self { names: text.split_whitespace().map(str::to_owned).collect(), legacy: false }
    }

    /// Whether it is one of them.
    pub(crate) fn has(&self, controller: &str) -> bool {
        self.names.iter().any(|name| name == controller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::bytes::Bytes;

    fn all() -> Controllers {
        Controllers { names: ["cpu", "cpuset", "io", "memory", "pids"].map(str::to_owned).to_vec(), legacy: false }
    }

    #[test]
    fn limits_become_properties() {
        let resources = Resources {
            memory: Some(Bytes(256 << 20)),
            cpus_milli: Some(1500),
            cpu_shares: Some(1024),
            pids: Some(Limit::Unlimited),
            cpuset_cpus: Some("0-2,9".into()),
            ..Default::default()
        };
        let shown: Vec<String> =
            properties(&resources, &all()).unwrap().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        assert_eq!(
            shown,
            [
                "MemoryMax=U64(268435456)",
                "MemorySwapMax=U64(268435456)",
                "CPUQuotaPerSecUSec=U64(1500000)",
                "CPUWeight=U64(39)",
                "TasksMax=U64(18446744073709551615)",
                &format!("AllowedCPUs={:?}", Variant::from(vec![7u8, 2])),
            ]
        );
    }

    #[test]
    fn what_is_not_asked_for_any_more_goes() {
        let before = Resources { memory: Some(Bytes(10)), cpuset_cpus: Some("0".into()), ..Default::default() };
        let after = Resources { memory: Some(Bytes(20)), ..Default::default() };
        let changed = changes(&before, &after, &all()).unwrap();
        let value =
            |wanted: &str| changed.iter().find(|(name, _)| *name == wanted).map(|(_, value)| format!("{value:?}"));
        assert_eq!(value("MemoryMax").unwrap(), "U64(20)");
        assert_eq!(value("AllowedCPUs").unwrap(), format!("{:?}", Variant::from(Vec::<u8>::new())));
        let changed = changes(&after, &Resources::default(), &all()).unwrap();
        assert!(changed.iter().any(|(name, value)| *name == "MemoryMax" && *value == Variant::U64(u64::MAX)));
    }

    #[test]
    fn limits_of_disks_are_pairs() {
        let limit = |path: &str, value| spec::resources::DeviceLimit { path: path.into(), value };
        let resources = Resources {
            io_device_weight: vec![limit("/dev/sda", 500)],
            io_read_bytes: vec![limit("/dev/sda", 1 << 20), limit("/dev/sdb", 7)],
            ..Default::default()
        };
        let properties = properties(&resources, &Controllers { names: vec!["io".into()], legacy: false }).unwrap();
        let pairs = |pairs: &[(&str, u64)]| {
            Variant::from(
                pairs.iter().map(|(path, value)| ((*path).to_owned(), *value)).collect::<Vec<(String, u64)>>(),
            )
        };
        assert_eq!(properties[0], ("IODeviceWeight", pairs(&[("/dev/sda", 4950)])));
        assert_eq!(properties[1], ("IOReadBandwidthMax", pairs(&[("/dev/sda", 1 << 20), ("/dev/sdb", 7)])));
    }

    #[test]
    fn a_limit_without_its_controller_is_refused_by_flag_and_name() {
        let only_pids = Controllers { names: vec!["pids".into()], legacy: false };
        let resources = Resources { io_weight: Some(100), ..Default::default() };
        let error = properties(&resources, &only_pids).unwrap_err();
        assert_eq!(
            error.kind,
            Kind::MissingController { controller: "io".into(), flag: "--blkio-weight", legacy: false }
        );
        let unlimited = Resources { pids: Some(Limit::Unlimited), ..Resources::default() };
        let nothing = Controllers { names: Vec::new(), legacy: true };
        assert_eq!(properties(&unlimited, &nothing).unwrap(), []);
        assert!(!asked(&unlimited) && asked(&Resources { memory: Some(Bytes(1 << 20)), ..unlimited }));
        assert_eq!(properties(&Resources::default(), &only_pids).unwrap(), [("TasksMax", Variant::U64(2048))]);
        assert_eq!(properties(&Resources::default(), &Controllers::default()).unwrap(), []);
    }

    #[test]
    fn swap_is_counted_without_the_memory() {
        let with = |swap| Resources { memory: Some(Bytes(10)), memory_swap: Some(swap), ..Default::default() };
        assert_eq!(super::swap(&with(Limit::At(Bytes(15)))).unwrap(), Some(5));
        assert_eq!(super::swap(&with(Limit::Unlimited)).unwrap(), Some(u64::MAX));
        assert!(super::swap(&with(Limit::At(Bytes(9)))).is_err());
    }
}
