//! `cargo xtask torture`: what no user does on purpose, thousands of times, in a test host.
//!
//! | part | what it does | file |
//! |---|---|---|
//! | `kill` | kills commands at any moment; nothing is left, nothing has to be mended | `kill.rs` |
//! | `crowd` | many commands at once on the same few names; none hangs | `crowd.rs` |
//! | `soak` | the same small life again and again; nothing grows | `soak.rs` |
//! | `pieces` | ends the processes beside a container in turn; unit, logs and restart stay right | `pieces.rs` |
//! | `disk` | a disk with ever less room, without inodes, read-only | `disk.rs` |
//!
//! Everything that is chosen comes from the seed, which is printed: the same seed makes the same choices. What the machine makes of a moment
//! differs, so a finding may need several runs to come again. A short run of each part is a case of the host tier
//! (`cases/torture.rs`).

mod crowd;
mod disk;
mod kill;
mod pieces;
mod soak;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};

use crate::case::Outcome;
use crate::host::{Host, Who};
use crate::random::Random;

pub(crate) use crowd::crowd;
pub(crate) use disk::disk;
pub(crate) use kill::kill;
pub(crate) use pieces::pieces;
pub(crate) use soak::soak;

/// Words of the shell that every part begins with.
const STATE: &str = include_str!("state.sh");
/// Failures after which a part gives up.
const ENOUGH: usize = 20;

/// What a part of the torture is given.
#[derive(Debug)]
pub(crate) struct Rack<'a> {
    /// Where it happens; lodger is alice's.
    pub host: &'a Host,
    /// Where its choices come from.
    pub random: Random,
    /// How many rounds it has at most.
    pub rounds: usize,
    /// When it ends at the latest, but for the round that is under way.
    pub until: Instant,
}

/// What came of a part.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Rounds that were made.
    pub rounds: usize,
    /// What did not hold, each as one line.
    pub failed: Vec<String>,
}

type Part = fn(&mut Rack<'_>) -> Result<Found>;

/// The parts, with the rounds of one thousand that each gets.
const PARTS: &[(&str, Part, usize)] =
    &[("kill", kill, 1000), ("crowd", crowd, 200), ("soak", soak, 100), ("pieces", pieces, 20), ("disk", disk, 300)];

impl<'a> Rack<'a> {
    /// For so many rounds, or until then.
    pub(crate) fn new(host: &'a Host, seed: u64, rounds: usize, until: Instant) -> Self {
        Rack { host, random: Random(seed), rounds, until }
    }

    /// Runs a script of the shell after `state.sh`, as alice, with `input`; it must succeed within `bound`.
    pub(crate) fn play(&self, script: &str, input: &str, bound: Duration) -> Result<Outcome> {
        self.host.write("alice", ".torture/script", &format!("{STATE}\n{script}"))?;
        self.host.write("alice", ".torture/input", input)?;
        let words = "bash .torture/script <.torture/input";
        let who = Who::Login("alice".into());
        Outcome::of(&mut self.host.enter(&who, words), bound, &who, words)
    }

    /// Whether there is time and are rounds for more.
    pub(crate) fn goes_on(&self, done: usize) -> bool {
        done < self.rounds && Instant::now() < self.until
    }
}

impl Found {
    /// Takes in lines of `NUMBER held` and `NUMBER FAILED: …`.
    pub(crate) fn read(&mut self, text: &str) {
        for line in text.lines() {
            let Some((_, said)) = line.split_once(' ') else { continue };
            self.rounds += usize::from(said == "held" || said.starts_with("FAILED"));
            if said.starts_with("FAILED") {
                println!("  {line}");
                self.failed.push(line.to_owned());
            }
        }
    }

    /// Nothing failed, and something was tried.
    pub(crate) fn held(self) -> Result<()> {
        ensure!(self.failed.is_empty(), "{}", self.failed.join("\n"));
        ensure!(self.rounds > 0, "not one round was made");
        Ok(())
    }
}

/// The words after `cargo xtask torture`.
#[derive(Debug)]
struct Asked {
    rounds: usize,
    seed: u64,
    length: Duration,
    parts: Vec<&'static (&'static str, Part, usize)>,
}

impl Asked {
    fn parse(words: &[&str]) -> Result<Asked> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut asked =
            Asked { rounds: 1000, seed: now.as_secs(), length: Duration::from_secs(600), parts: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || -> Result<u64> {
                let text = words.next().with_context(|| format!("torture: {word} without a number"))?;
                text.parse().with_context(|| format!("torture: {text:?} is no number"))
            };
            match *word {
                "--rounds" => asked.rounds = usize::try_from(number()?)?,
                "--seed" => asked.seed = number()?,
                "--minutes" => asked.length = Duration::from_secs(number()?.saturating_mul(60)),
                name => match PARTS.iter().find(|(part, ..)| *part == name) {
                    Some(part) => asked.parts.push(part),
                    None => bail!("torture: no such part: {name} (kill, crowd, soak, pieces, disk)"),
                },
            }
        }
        if asked.parts.is_empty() {
            asked.parts = PARTS.iter().collect();
        }
        Ok(asked)
    }
}

/// Runs the parts that the words name, or all, on a host of its own.
pub fn run(words: &[&str]) -> Result<ExitCode> {
    let asked = Asked::parse(words)?;
    println!("torture with --seed {}", asked.seed);
    let host = crate::suite::fresh_host("torture")?;
    let (mut failed, shares) = (0, asked.parts.len() as u32);
    for (name, part, share) in asked.parts {
        let began = Instant::now();
        host.clean()?;
        let rounds = (asked.rounds * share / 1000).max(1);
        let found = part(&mut Rack::new(&host, asked.seed, rounds, began + asked.length / shares))?;
        println!(
            "{name}: {} rounds, {} failed, {:.0} s, --seed {}",
            found.rounds,
            found.failed.len(),
            began.elapsed().as_secs_f64(),
            asked.seed
        );
        failed += found.failed.len();
    }
    Host::down(host.name())?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
