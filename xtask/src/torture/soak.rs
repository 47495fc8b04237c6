//! The same small life of a container again and again: descriptors, mounts, groups, processes, files and journal lines stay flat.

use std::time::Duration;

use anyhow::Result;

use super::{ENOUGH, Found, Rack};

/// Lives between two looks at the clock.
const BATCH: usize = 100;
/// What so many may take.
const BOUND: Duration = Duration::from_secs(900);

/// Lets containers live and end.
pub(crate) fn soak(rack: &mut Rack<'_>) -> Result<Found> {
    let mut found = Found::default();
    while rack.goes_on(found.rounds) && found.failed.len() < ENOUGH {
        let rounds = BATCH.min(rack.rounds - found.rounds).max(6);
        found.read(rack.play(include_str!("soak.sh"), &format!("{rounds}\n"), BOUND)?.ok().text());
    }
    Ok(found)
}
