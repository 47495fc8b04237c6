//! Runs a table of cases on a machine, one after the other, and tells how each ended.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::{Tally, Verdict, report};
use crate::ability;
use crate::case::{Case, Outcome};

/// Where the last panic happened, for the report of the case it ended.
static PANICKED_AT: Mutex<String> = Mutex::new(String::new());

/// What cases run on.
pub(super) trait Machine {
    /// Makes it fresh for the next case.
    fn clean(&self) -> Result<()>;
    /// Runs a shell command as root.
    fn root(&self, script: &str) -> Result<Outcome>;
}

/// The cases of an area whose `area::name` contains the filter.
pub(super) fn chosen<M>(
    area: &str,
    cases: &'static [Case<M>],
    filter: Option<&str>,
) -> Vec<(String, &'static Case<M>)> {
    let named = cases.iter().map(|case| (format!("{area}::{}", case.name), case));
    named.filter(|(name, _)| filter.is_none_or(|filter| name.contains(filter))).collect()
}

/// Makes the machine ready with `prepare`, runs the cases on it, and ends it.
pub(super) fn run<M: Machine>(
    tier: &str,
    cases: Vec<(String, &'static Case<M>)>,
    prepare: impl FnOnce() -> Result<M>,
    end: impl FnOnce(&M) -> Result<()>,
) -> Result<Tally> {
    let mut tally = Tally::default();
    if cases.is_empty() {
        return Ok(tally);
    }
    let started = Instant::now();
    let machine = match prepare() {
        Ok(machine) => machine,
        Err(error) => {
            let verdict = match ability::reason(&error) {
                Some(reason) => Verdict::unable(reason),
                None => Verdict::Failed(format!("{error:#}")),
            };
            report(&format!("{tier}: all {} cases", cases.len()), &verdict, started.elapsed().as_secs_f64());
            cases.iter().for_each(|_| tally.count(&verdict));
            return Ok(tally);
        }
    };
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(remember_place));
    for (name, case) in cases {
        let started = Instant::now();
        let verdict = run_case(&machine, case);
        report(&name, &verdict, started.elapsed().as_secs_f64());
        tally.count(&verdict);
    }
    panic::set_hook(quiet);
    end(&machine)?;
    Ok(tally)
}

fn run_case<M: Machine>(machine: &M, case: &Case<M>) -> Verdict {
    let began = SystemTime::now();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        machine.clean().context("clean the machine")?;
        (case.run)(machine)
    }));
    let failure = match outcome {
        Ok(Ok(())) => return Verdict::Passed,
        Ok(Err(error)) => match ability::reason(&error) {
            Some(reason) => return Verdict::unable(reason),
            None => format!("{error:#}"),
        },
        Err(payload) => format!("{}: {}", place(), message(payload.as_ref())),
    };
    Verdict::Failed(format!("{failure}\n{}", journal(machine, began)))
}

/// The end of what the machine logged since a case began.
fn journal<M: Machine>(machine: &M, since: SystemTime) -> String {
    let since = since.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let script = format!("journalctl --quiet --no-pager --output=short-precise --since=@{since:.3} | tail -n 60");
    match machine.root(&script) {
        Ok(journal) => format!("its journal:\n{}", journal.text()),
        Err(error) => format!("no journal: {error:#}"),
    }
}

fn remember_place(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
    *PANICKED_AT.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = place.unwrap_or_default();
}

fn place() -> String {
    PANICKED_AT.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}
