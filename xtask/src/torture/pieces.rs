//! The processes beside a container, ended in turn: the log relay, pasta, the keeper, the payload, all of them at once.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::{ENOUGH, Found, Rack};

/// What so many rounds may take.
const BOUND: Duration = Duration::from_secs(900);

/// Processes of a detached container, as `pieces.sh` ends them.
const PIECES: &[&str] = &["relay", "pasta", "keeper", "payload", "all"];

/// Ends one piece a round.
pub(crate) fn pieces(rack: &mut Rack<'_>) -> Result<Found> {
    let mut found = Found::default();
    while rack.goes_on(found.rounds) && found.failed.len() < ENOUGH {
        let mut lines = String::new();
        for piece in PIECES {
            let _ = writeln!(lines, "{} {piece}", found.rounds + 1);
        }
        found.read(rack.play(include_str!("pieces.sh"), &lines, BOUND)?.ok().text());
    }
    Ok(found)
}
