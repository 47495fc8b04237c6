//! A short run of each part of the torture but the crowd, with the same choices each time; `cargo xtask torture` takes longer, with others.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::case::Case;
use crate::cases;
use crate::host::Host;
use crate::torture::{self, Found, Rack};

pub(super) const CASES: &[Case] = cases![
    commands_killed_at_any_moment_leave_nothing_to_mend,
    many_lives_leave_as_much_as_a_few,
    what_runs_beside_a_container_can_be_killed,
    a_disk_without_room_is_told_and_survived,
];

/// The seed of these runs.
const SEED: u64 = 1;

fn rack(host: &Host, rounds: usize, part: fn(&mut Rack<'_>) -> Result<Found>) -> Result<()> {
    part(&mut Rack::new(host, SEED, rounds, Instant::now() + Duration::from_secs(50)))?.held()
}

fn commands_killed_at_any_moment_leave_nothing_to_mend(host: &Host) -> Result<()> {
    rack(host, 20, torture::kill)
}

fn many_lives_leave_as_much_as_a_few(host: &Host) -> Result<()> {
    rack(host, 8, torture::soak)
}

fn what_runs_beside_a_container_can_be_killed(host: &Host) -> Result<()> {
    rack(host, 1, torture::pieces)
}

fn a_disk_without_room_is_told_and_survived(host: &Host) -> Result<()> {
    rack(host, 25, torture::disk)
}
