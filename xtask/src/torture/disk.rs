//! A disk with ever less room, or without inodes: a verb succeeds or says so, and all is well once there is room.
//!
//! Each round leaves a number of free pages on a small file system of memory, so that over the rounds each write of a verb is the one
//! that fails.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use anyhow::Result;

use super::kill::VERBS_OF_SHELL;
use super::{ENOUGH, Found, Rack};
use crate::random::Random;

/// Rounds that one session plays.
const BATCH: usize = 60;
/// What such a session may take.
const BOUND: Duration = Duration::from_secs(900);
/// Room above which it makes no difference to any verb, in pages and in inodes.
const PAGES: usize = 90;
const INODES: usize = 30;

/// Verbs of `verbs.sh` that write into the store.
const VERBS: &[&str] = &[
    "create",
    "run",
    "detach",
    "start",
    "stop",
    "restart",
    "rm",
    "rmf",
    "rename",
    "update",
    "copyin",
    "copyout",
    "exec",
    "pull",
    "load",
    "rmi",
    "tag",
    "untag",
    "save",
    "import",
    "volume",
    "volumerm",
    "volumeprune",
    "volumeimport",
    "secret",
    "secretrm",
    "prune",
];

/// Puts alice's store on a small disk, and tries verbs with ever other room.
pub(crate) fn disk(rack: &mut Rack<'_>) -> Result<Found> {
    for image in ["busybox", "guest"] {
        rack.host.push(image)?;
    }
    let mount = "install -d -o alice -g alice /home/alice/disk && \
                 mount -t tmpfs -o size=16m,nr_inodes=4096,mode=700,uid=1001,gid=1001 case-disk /home/alice/disk";
    rack.host.root(mount)?.ok();
    let done = catch_unwind(AssertUnwindSafe(|| rounds(rack)));
    rack.host.root("pkill -KILL -u alice lodger; umount -l /home/alice/disk")?.ok();
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

fn rounds(rack: &mut Rack<'_>) -> Result<Found> {
    let mut found = Found::default();
    let mut number = 0;
    while rack.goes_on(number) && found.failed.len() < ENOUGH {
        let mut lines = String::new();
        for _ in 0..BATCH.min(rack.rounds - number) {
            number += 1;
            let _ = writeln!(lines, "{number} {}", round(&mut rack.random));
        }
        found.read(rack.play(&format!("{VERBS_OF_SHELL}\n{}", include_str!("disk.sh")), &lines, BOUND)?.ok().text());
    }
    Ok(found)
}

/// A verb, and what is left for it: mostly little.
fn round(random: &mut Random) -> String {
    let verb = random.one_of(VERBS);
    let (what, most) = if random.below(3) == 0 { ("inodes", INODES) } else { ("blocks", PAGES) };
    let most = if random.below(2) == 0 { most / 8 } else { most };
    format!("{verb} {what} {}", random.below(most))
}
