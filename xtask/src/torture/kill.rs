//! Commands that are killed: every verb that changes something, at any moment, in several ways.
//!
//! The lines that say what to kill are made here, from the seed; `kill.sh` plays them with the verbs of `verbs.sh`, and judges.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{ENOUGH, Found, Rack};
use crate::random::Random;

/// Rounds that one session plays.
const BATCH: usize = 60;
/// What such a session may take.
const BOUND: Duration = Duration::from_secs(900);

/// What the verbs are in words of the shell.
pub(super) const VERBS_OF_SHELL: &str = include_str!("verbs.sh");

/// Verbs of `verbs.sh`, and whether systemd starts a process for them.
const VERBS: &[(&str, Starts)] = &[
    ("create", Starts::Nothing),
    ("run", Starts::Nothing),
    ("detach", Starts::Unit),
    ("publish", Starts::Unit),
    ("start", Starts::Unit),
    ("stop", Starts::Nothing),
    ("restart", Starts::Unit),
    ("kill", Starts::Nothing),
    ("rm", Starts::Nothing),
    ("rmf", Starts::Nothing),
    ("rename", Starts::Nothing),
    ("pause", Starts::Nothing),
    ("unpause", Starts::Nothing),
    ("update", Starts::Nothing),
    ("copyin", Starts::Nothing),
    ("copyout", Starts::Nothing),
    ("exec", Starts::Nothing),
    ("execd", Starts::Nothing),
    ("pull", Starts::Nothing),
    ("load", Starts::Nothing),
    ("rmi", Starts::Nothing),
    ("tag", Starts::Nothing),
    ("untag", Starts::Nothing),
    ("save", Starts::Nothing),
    ("import", Starts::Nothing),
    ("push", Starts::Nothing),
    ("volume", Starts::Nothing),
    ("volumerm", Starts::Nothing),
    ("volumeprune", Starts::Nothing),
    ("volumeimport", Starts::Nothing),
    ("secret", Starts::Nothing),
    ("secretrm", Starts::Nothing),
    ("login", Starts::Nothing),
    ("logout", Starts::Nothing),
    ("prune", Starts::Nothing),
    ("commit", Starts::Nothing),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Starts {
    Nothing,
    Unit,
}

/// Kills one command a round.
pub(crate) fn kill(rack: &mut Rack<'_>) -> Result<Found> {
    for image in ["busybox", "guest"] {
        rack.host.push(image)?;
    }
    let mut found = Found::default();
    let mut number = 0;
    while rack.goes_on(number) && found.failed.len() < ENOUGH {
        let mut lines = String::new();
        let batch = BATCH.min(rack.rounds - number);
        for _ in 0..batch {
            number += 1;
            let _ = writeln!(lines, "{number} {}", strike(&mut rack.random));
        }
        let text =
            rack.play(&format!("{VERBS_OF_SHELL}\n{}", include_str!("kill.sh")), &lines, BOUND)?.ok().text().to_owned();
        ensure!(text.lines().next().is_none_or(|line| !line.starts_with("no fixture")), "{text}");
        found.read(&text);
    }
    Ok(found)
}

/// A verb, whose end it is, and when.
fn strike(random: &mut Random) -> String {
    let (verb, starts) = random.one_of(VERBS);
    let how = match (random.below(20), starts) {
        (0..=9, _) => "time",
        (10..=13, _) => "call",
        (14..=16, _) => "group",
        (17..=18, Starts::Unit) => "launch",
        (17..=18, Starts::Nothing) => "call",
        _ => "keeper",
    };
    // Now and then a little after its end.
    format!("{verb} {how} {}", random.below(1300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_one_of_the_shells() {
        let shell = VERBS_OF_SHELL;
        for (verb, _) in VERBS {
            for part in ["prepare", "command", "finish"] {
                assert!(shell.contains(&format!("\n{part}_{verb}()")), "{part}_{verb}");
            }
        }
        assert_eq!(shell.matches("\ncommand_").count(), VERBS.len());
    }

    #[test]
    fn every_verb_and_every_way_is_chosen() {
        let mut random = Random(1);
        let strikes: Vec<String> = (0..3000).map(|_| strike(&mut random)).collect();
        for (verb, _) in VERBS {
            assert!(strikes.iter().any(|strike| strike.starts_with(&format!("{verb} "))), "{verb}");
        }
        for how in ["time", "call", "group", "launch", "keeper"] {
            assert!(strikes.iter().any(|strike| strike.contains(&format!(" {how} "))), "{how}");
        }
    }
}
