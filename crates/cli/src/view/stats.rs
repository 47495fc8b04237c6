//! Rows of `stats`. Field names are podman's; what nobody counts is `--`.

use crate::format::size::decimal_four;
use crate::format::{Show, View};
use engine::containers::{Container, Usage};
use gotmpl::Value;
use serde::Serialize;
use spec::duration::Nanoseconds;

/// What one container uses.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names say it, and are podman's")]
pub(crate) struct Row {
    id: String,
    name: String,
    cpu_time: String,
    cpu_percent: String,
    avg_cpu: String,
    mem_usage: String,
    mem_percent: String,
    net_io: String,
    block_io: String,
    pids: String,
    #[serde(skip)]
    full_id: String,
    #[serde(skip)]
    percent: f64,
    #[serde(skip)]
    usage: Usage,
}

const NOTHING: &str = "--";

impl Row {
    /// A container that uses this now and used that before, if it was looked at before. Without either it does not run.
    pub(crate) fn of(container: &Container, usage: Option<Usage>, before: Option<&Usage>, show: Show) -> Self {
        let usage = usage.unwrap_or_default();
        let average = usage.cpu.map(|cpu| percent(cpu.as_secs_f64(), usage.up.as_secs_f64()));
        let since = before.and_then(|before| {
            let cpu = usage.cpu?.checked_sub(before.cpu?)?;
            Some(percent(cpu.as_secs_f64(), usage.at.duration_since(before.at).as_secs_f64()))
        });
        let current = since.or(average);
        let part = usage.memory.zip(usage.memory_limit).map(|(used, limit)| percent(used as f64, limit as f64));
        let shown = |percent: Option<f64>| percent.map_or_else(|| NOTHING.to_owned(), |share| format!("{share:.2}%"));
        Self {
            id: show.id(container.record.id.as_str()).to_owned(),
            name: container.record.name.clone(),
            cpu_time: usage.cpu.map_or_else(|| NOTHING.to_owned(), duration),
            cpu_percent: shown(current),
            avg_cpu: shown(average),
            mem_usage: pair(usage.memory.zip(usage.memory_limit)),
            mem_percent: shown(part),
            net_io: pair(usage.network),
            block_io: pair(usage.blocks),
            pids: usage.pids.map_or_else(|| NOTHING.to_owned(), |count| count.to_string()),
            full_id: container.record.id.to_string(),
            percent: current.unwrap_or_default(),
            usage,
        }
    }
}

/// `1m2.5s`, as Go writes it.
fn duration(time: std::time::Duration) -> String {
    Nanoseconds(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)).to_string()
}

fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole * 100.0 } else { 0.0 }
}

/// `1.262MB / 8.24GB`
fn pair(bytes: Option<(u64, u64)>) -> String {
    match bytes {
        None | Some((0, 0)) => format!("{NOTHING} / {NOTHING}"),
        Some((first, second)) => format!("{} / {}", decimal_four(first), decimal_four(second)),
    }
}

impl View for Row {
    const HEADINGS: &'static [(&'static str, &'static str)] = &[
        ("AvgCPU", "AVG CPU %"),
        ("BlockIO", "BLOCK IO"),
        ("CPUPerc", "CPU %"),
        ("MemPerc", "MEM %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("NetIO", "NET IO"),
        ("PIDs", "PIDS"),
        ("PIDS", "PIDS"),
        ("UpTime", "CPU TIME"),
    ];

    fn methods(&self, _: Show) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::String(text.into());
        let number = |number: Option<u64>| Value::Int(number.and_then(|n| i64::try_from(n).ok()).unwrap_or(0));
        let nanos =
            |time: Option<std::time::Duration>| number(time.and_then(|time| u64::try_from(time.as_nanos()).ok()));
        let usage = &self.usage;
        let at = u64::try_from(usage.at.as_nanosecond()).ok();
        let memory = usage.memory.zip(usage.memory_limit);
        let bytes = memory.map_or_else(|| pair(None), |(used, limit)| format!("{used} / {limit}"));
        vec![
            ("AvgCPU", text(&self.avg_cpu)),
            ("BlockIO", text(&self.block_io)),
            ("BlockInput", number(usage.blocks.map(|(read, _)| read))),
            ("BlockOutput", number(usage.blocks.map(|(_, written)| written))),
            ("CPU", Value::Float(self.percent)),
            ("CPUNano", nanos(usage.cpu)),
            ("CPUPerc", text(&self.cpu_percent)),
            ("CPUSystemNano", nanos(usage.cpu_system)),
            ("ContainerID", text(&self.full_id)),
            ("Duration", nanos(Some(usage.up))),
            ("ID", text(&self.id)),
            ("MemLimit", number(usage.memory_limit)),
            ("MemPerc", text(&self.mem_percent)),
            ("MemUsage", text(&self.mem_usage)),
            ("MemUsageBytes", text(&bytes)),
            ("Name", text(&self.name)),
            ("NetIO", text(&self.net_io)),
            ("PIDS", text(&self.pids)),
            ("PIDs", text(&self.pids)),
            ("SystemNano", number(at)),
            ("Up", text(&duration(usage.up))),
            ("UpTime", text(&self.cpu_time)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_counts_is_no_number() {
        assert_eq!((pair(None), pair(Some((0, 0)))), ("-- / --".to_owned(), "-- / --".to_owned()));
        assert_eq!(pair(Some((1_262_000, 8_240_000_000))), "1.262MB / 8.24GB");
        assert_eq!(duration(std::time::Duration::from_micros(11_284)), "11.284ms");
        assert!((percent(1.0, 4.0) - 25.0).abs() < 1e-9 && percent(1.0, 0.0) == 0.0);
    }
}
