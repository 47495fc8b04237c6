//! The tier of whole-host cases: builds lodger, boots a host, runs each case on fresh accounts.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use super::{Tally, Verdict, report};
use crate::case::Case;
use crate::cases::AREAS;
use crate::host::{self, Host, Owner};
use crate::image::catalogue;
use crate::{ability, build};

/// Where the last panic happened, for the report of the case it ended.
static PANICKED_AT: Mutex<String> = Mutex::new(String::new());

/// Runs the cases whose `area::name` contains the filter.
pub(super) fn run(filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    let cases = chosen(filter);
    if cases.is_empty() {
        return Ok(tally);
    }
    let host = match prepare() {
        Ok(host) => host,
        Err(error) => {
            let verdict = match ability::reason(&error) {
                Some(reason) => Verdict::unable(reason),
                None => Verdict::Failed(format!("{error:#}")),
            };
            report(&format!("host: all {} cases", cases.len()), &verdict, 0.0);
            cases.iter().for_each(|_| tally.count(&verdict));
            return Ok(tally);
        }
    };
    let quiet = panic::take_hook();
    panic::set_hook(Box::new(remember_place));
    for (name, case) in cases {
        let started = Instant::now();
        let verdict = run_case(&host, case);
        report(&name, &verdict, started.elapsed().as_secs_f64());
        tally.count(&verdict);
    }
    panic::set_hook(quiet);
    Host::down(host.name())?;
    Ok(tally)
}

fn chosen(filter: Option<&str>) -> Vec<(String, &'static Case)> {
    let all =
        AREAS.iter().flat_map(|(area, cases)| cases.iter().map(move |case| (format!("{area}::{}", case.name), case)));
    all.filter(|(name, _)| filter.is_none_or(|filter| name.contains(filter))).collect()
}

fn prepare() -> Result<Host> {
    ability::boots_hosts()?;
    host::reap()?;
    if std::env::var_os("LODGER_BIN").is_none() {
        build::lodger()?;
    }
    make_images()?;
    Host::up(&format!("test-{}", std::process::id()), Owner::ThisProcess)
}

/// Makes the images that tests use, where that is possible.
pub(super) fn make_images() -> Result<()> {
    ability::boots_hosts()?;
    catalogue::FOR_TESTS.iter().try_for_each(|image| catalogue::ensure(image))
}

fn run_case(host: &Host, case: &Case) -> Verdict {
    if let Err(error) = host.clean() {
        return Verdict::Failed(format!("clean the host: {error:#}"));
    }
    let began = SystemTime::now();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| (case.run)(host)));
    let failure = match outcome {
        Ok(Ok(())) => return Verdict::Passed,
        Ok(Err(error)) => match ability::reason(&error) {
            Some(reason) => return Verdict::unable(reason),
            None => format!("{error:#}"),
        },
        Err(payload) => format!("{}: {}", place(), message(payload.as_ref())),
    };
    Verdict::Failed(format!("{failure}\n{}", journal(host, began)))
}

/// The end of what the host logged since a case began.
fn journal(host: &Host, since: SystemTime) -> String {
    let since = since.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let script = format!("journalctl --quiet --no-pager --output=short-precise --since=@{since:.3} | tail -n 60");
    match host.root(&script) {
        Ok(journal) => format!("journal of the host:\n{}", journal.text()),
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
