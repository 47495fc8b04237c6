//! The small process inside the host that starts commands and takes their time.
//!
//! It is this same program: `xtask measure PLAN` prints one list of numbers for each step of the plan,
//! `xtask pss CGROUP NAME` the memory of what runs in a cgroup.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::process;

/// Numbers of one command, one for each time it ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Series(Vec<f64>);

impl Series {
    /// Reads what `measure` wrote.
    pub fn read(value: &Value) -> Result<Series> {
        let numbers = value.as_array().context("a series is a list")?;
        let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
        let numbers = numbers.filter(|numbers| !numbers.is_empty()).context("a series holds numbers")?;
        Ok(Series(numbers))
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() % 2 {
            0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
            _ => sorted[middle],
        }
    }
}

/// Follows a plan `{times, what, steps: [{before, command}]}`; microseconds or KiB for each step.
pub fn measure(plan: &str) -> Result<Value> {
    let plan: Value = serde_json::from_str(plan).context("read the plan")?;
    let steps = plan["steps"].as_array().context("a plan has steps")?;
    let times = plan["times"].as_u64().context("a plan says how often")?;
    let mut found = vec![Vec::new(); steps.len()];
    for _ in 0..times {
        for (step, numbers) in steps.iter().zip(&mut found) {
            let before = step["before"].as_str().unwrap_or_default();
            let command = step["command"].as_str().context("a step has a command")?;
            ensure!(process::succeeds(&mut shell(before)), "{before} fails");
            numbers.push(match plan["what"].as_str() {
                Some("peak") => peak(command)?,
                _ => time(command)?,
            });
        }
    }
    Ok(json!(found))
}

/// Proportional memory in kB of every process of a cgroup but those called `payload`.
pub fn pss(cgroup: &str, payload: &str) -> Result<u64> {
    let mut sum = 0;
    for pid in process::all_processes() {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let inside = read("cgroup").lines().any(|line| line.starts_with(&format!("0::{cgroup}/")));
        if !inside || read("comm").trim() == payload {
            continue;
        }
        let rollup = read("smaps_rollup");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        sum += line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0);
    }
    Ok(sum)
}

/// Microseconds from the start of a command to its end.
fn time(command: &str) -> Result<f64> {
    let mut program = program(command);
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = program.status().with_context(|| format!("start {command}"))?;
    let took = started.elapsed();
    ensure!(status.success(), "{command}: {status}");
    Ok(took.as_secs_f64() * 1e6)
}

/// Largest resident memory in KiB of any one process of a command.
fn peak(command: &str) -> Result<f64> {
    let script = format!("/usr/bin/time --format %M sh -c {} 2>&1 >/dev/null | tail -n 1", process::quoted(command));
    let text = process::output(&mut shell(&script))?;
    match text.trim().parse() {
        Ok(peak) => Ok(peak),
        Err(_) => bail!("{command}: {text}"),
    }
}

/// A command without a shell, unless it is written in a shell's words.
fn program(command: &str) -> Command {
    if command.contains(['\'', '"', '$', '&', '|', ';', '<', '>']) {
        return shell(command);
    }
    let mut words = command.split_whitespace();
    let mut program = Command::new(words.next().unwrap_or("true"));
    program.args(words);
    program
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(Series(vec![9.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(Series(vec![4.0, 1.0, 2.0, 9.0]).median(), 3.0);
    }

    #[test]
    fn a_plan_gives_a_number_for_each_time() {
        let plan = r#"{"times": 3, "what": "time", "steps": [
            {"before": "", "command": "true"}, {"before": "true", "command": "sleep 0; sleep 0"}]}"#;
        let found = measure(plan).unwrap();
        assert_eq!((found[0].as_array().unwrap().len(), found[1].as_array().unwrap().len()), (3, 3));
        assert!(Series::read(&found[0]).unwrap().median() > 0.0);
    }

    #[test]
    fn a_command_that_fails_is_no_measurement() {
        assert!(measure(r#"{"times": 1, "what": "time", "steps": [{"command": "false"}]}"#).is_err());
        assert!(measure(r#"{"times": 1, "what": "time", "steps": [{"before": "false", "command": "true"}]}"#).is_err());
    }
}
