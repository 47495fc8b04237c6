//! `cargo xtask bench`: lodger beside podman and crun, on one booted host, in `docs/benchmarks.md`.
//!
//! Every row compares two commands run in turns, so that a machine that slows down slows both. A row
//! demands a factor; where it is not reached, the task fails. Each row begins with fresh accounts.

pub mod measure;
mod rows;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::host::{self, Host, Owner, Who};
use crate::image::catalogue;
use crate::{ability, build, owner, paths, process};
use measure::Series;
use rows::ROWS;

/// How long one script of a row may take.
const PATIENCE: Duration = Duration::from_secs(1200);
const PROGRAM: &str = "/usr/local/libexec/lodger-test/xtask";

/// One line of the table.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// What is compared.
    name: &'static str,
    /// With what.
    peer: &'static str,
    /// How it is measured.
    measure: Measure,
    /// What it must come to.
    demand: Demand,
}

/// What a row must come to, beside its peer or by itself.
#[derive(Debug, Clone, Copy)]
enum Demand {
    /// At least this many times less than the peer.
    Factor(f64),
    /// At most this much, in the row's unit.
    AtMost(f64),
}

/// How a row is measured; commands run as alice, in a login session.
#[derive(Debug, Clone, Copy)]
enum Measure {
    /// Wall time of two commands, each started `times` times, in turns.
    Time(Pair),
    /// Peak resident memory of two commands, likewise.
    Peak(Pair),
    /// Proportional memory of all that stays running beside an idle payload, for each container.
    Idle { ours: &'static str, theirs: &'static str },
    /// Size of two files.
    Size { theirs: &'static str },
}

/// Two commands in turns.
#[derive(Debug, Clone, Copy)]
struct Pair {
    times: u32,
    /// Shell script run once.
    setup: &'static str,
    ours: Step,
    theirs: Step,
}

/// A measured command, and an unmeasured shell script before each time it runs.
#[derive(Debug, Clone, Copy)]
struct Step {
    before: &'static str,
    command: &'static str,
}

/// What a row came to.
#[derive(Debug, Clone, Copy)]
struct Finding {
    ours: f64,
    theirs: f64,
    unit: &'static str,
}

impl Finding {
    fn factor(&self) -> f64 {
        self.theirs / self.ours
    }

    fn meets(&self, demand: Demand) -> bool {
        match demand {
            Demand::Factor(least) => self.factor() >= least,
            Demand::AtMost(most) => self.ours <= most,
        }
    }
}

/// Measures the rows whose names contain the filter; without a filter, writes the page.
pub fn run(filter: Option<&str>) -> Result<()> {
    let chosen = ROWS.iter().filter(|row| filter.is_none_or(|filter| row.name.contains(filter)));
    let host = prepare()?;
    let mut findings = Vec::new();
    for row in chosen {
        let finding = host.clean().and_then(|()| find(&host, row));
        match &finding {
            Ok(finding) => println!("{}", line(row, finding)),
            Err(error) => println!("{}: {error:#}", row.name),
        }
        findings.push((row, finding));
    }
    if filter.is_none() {
        let page = page(&host, &findings)?;
        let path = paths::workspace().join("docs/benchmarks.md");
        fs::create_dir_all(paths::workspace().join("docs"))?;
        fs::write(&path, page).with_context(|| format!("write {path:?}"))?;
    }
    Host::down(host.name())?;
    let missed = findings.iter().filter(|(row, finding)| !reached(row, finding)).count();
    ensure!(missed == 0, "{missed} of {} rows are not what they must be", findings.len());
    Ok(())
}

fn prepare() -> Result<Host> {
    ability::boots_hosts()?;
    host::reap()?;
    if std::env::var_os("LODGER_BIN").is_none() {
        build::lodger()?;
    }
    ensure!(host::lodger().is_file(), "no lodger at {}", host::lodger().display());
    catalogue::NAMES.iter().try_for_each(|name| catalogue::ensure(name))?;
    let host = Host::up(&owner::unique_name("bench")?, Owner::ThisProcess)?;
    let own = std::env::current_exe().context("find this program")?;
    host.install(&own, PROGRAM)?;
    host.push("big")?;
    Ok(host)
}

fn find(host: &Host, row: &Row) -> Result<Finding> {
    match row.measure {
        Measure::Time(pair) => {
            let (ours, theirs) = turns(host, &pair, "time")?;
            Ok(Finding { ours: ours.median() / 1e3, theirs: theirs.median() / 1e3, unit: "ms" })
        }
        Measure::Peak(pair) => {
            let (ours, theirs) = turns(host, &pair, "peak")?;
            Ok(Finding { ours: ours.median() / 1e3, theirs: theirs.median() / 1e3, unit: "MB" })
        }
        Measure::Idle { ours, theirs } => {
            Ok(Finding { ours: idle(host, ours)?, theirs: idle(host, theirs)?, unit: "MB" })
        }
        Measure::Size { theirs } => {
            let size = |path: &Path| fs::metadata(path).map(|meta| meta.len() as f64 / 1e6);
            let ours = size(&host::lodger()).context("look at lodger")?;
            let theirs = size(&host.path(theirs)?).with_context(|| format!("look at {theirs}"))?;
            Ok(Finding { ours, theirs, unit: "MB" })
        }
    }
}

/// Runs a pair in turns inside the host.
fn turns(host: &Host, pair: &Pair, what: &str) -> Result<(Series, Series)> {
    patient(host, pair.setup)?;
    let step = |step: Step| json!({"before": step.before, "command": step.command});
    let plan = json!({
        "times": pair.times, "what": what, "steps": [step(pair.ours), step(pair.theirs)]
    });
    let found = patient(host, &format!("{PROGRAM} measure {}", process::quoted(&plan.to_string())))?;
    let found: Value = serde_json::from_str(&found).context("read the measurement")?;
    Ok((Series::read(&found[0])?, Series::read(&found[1])?))
}

/// Proportional memory, in MB for each container, of what runs beside ten idle payloads.
fn idle(host: &Host, start: &str) -> Result<f64> {
    const CONTAINERS: u32 = 10;
    let beside = format!("{PROGRAM} pss /user.slice/user-1001.slice sleep");
    let pss = || -> Result<f64> { Ok(host.root(&beside)?.ok().text().parse()?) };
    host.clean()?;
    patient(host, "podman load --quiet --input /images/busybox.tar; lodger load --quiet --input /images/busybox.tar")?;
    let before = pss()?;
    patient(host, &format!("for i in $(seq {CONTAINERS}); do {start} || exit; done"))?;
    Ok((pss()? - before) / 1e3 / f64::from(CONTAINERS))
}

/// Runs a script of alice's that may take minutes; its standard output.
fn patient(host: &Host, script: &str) -> Result<String> {
    let did = process::capture(&mut host.enter(&Who::Login("alice".into()), script), PATIENCE)?;
    ensure!(did.status.success(), "{script}: {}\n{}", did.status, did.stderr.trim_end());
    Ok(did.stdout)
}

fn reached(row: &Row, finding: &Result<Finding>) -> bool {
    finding.as_ref().is_ok_and(|finding| finding.meets(row.demand))
}

fn line(row: &Row, finding: &Finding) -> String {
    let Finding { ours, theirs, unit } = finding;
    let (factor, demand) = (finding.factor(), wanted(row));
    let digits = if unit == &"MB" && *ours < 1.0 { 3 } else { 1 };
    let verdict = if finding.meets(row.demand) { "" } else { " (missed)" };
    format!(
        "| {} | {ours:.digits$} {unit} | {} | {theirs:.digits$} {unit} | {factor:.1} | {demand}{verdict} |",
        row.name, row.peer
    )
}

fn wanted(row: &Row) -> String {
    let unit = match row.measure {
        Measure::Time(_) => "ms",
        Measure::Peak(_) | Measure::Idle { .. } | Measure::Size { .. } => "MB",
    };
    match row.demand {
        Demand::Factor(least) => format!("factor {least}"),
        Demand::AtMost(most) => format!("at most {most} {unit}"),
    }
}

fn page(host: &Host, findings: &[(&Row, Result<Finding>)]) -> Result<String> {
    let versions = "podman --version; crun --version | head -n 1; pasta --version | head -n 1";
    let versions = host.root(versions)?.ok().text().replace('\n', ", ");
    let machine = process::output(Command::new("uname").args(["--kernel-release", "--machine"]))?;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let mut page = format!(
        "# Benchmarks\n\n\
         Written by `make bench`, which boots a Debian host in a container, runs both commands of a row in\n\
         turns and takes medians. The factor is the other's number divided by lodger's; where *wanted* is not\n\
         reached, `make bench` fails. Run it on a machine that does nothing else.\n\n\
         Machine: {cpus} CPUs, Linux {machine}. {versions}.\n\n\
         | what | lodger | beside | | factor | wanted |\n|---|---|---|---|---|---|\n"
    );
    for (row, finding) in findings {
        let text = match finding {
            Ok(finding) => line(row, finding),
            Err(_) => format!("| {} | failed | {} | | | {} |", row.name, row.peer, wanted(row)),
        };
        writeln!(page, "{text}").context("write the page")?;
    }
    Ok(page)
}
