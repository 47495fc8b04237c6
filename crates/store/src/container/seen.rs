//! All containers with what they do, read by several threads: `ps` of a thousand is three thousand look-ups.

use super::{ContainerId, ContainerRecord};
use crate::error::{At, Result};
use crate::layout;
use crate::record;
use crate::state::{ExitRecord, RunState};
use crate::store::{Listing, Store};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

/// Fewer are read before a thread has started.
const WORTH_A_THREAD: usize = 100;

/// A container and what was written of its runs.
#[derive(Debug)]
pub struct Seen {
    /// What it is.
    pub record: ContainerRecord,
    /// That it was started; ask `RunState::is_alive` before believing it.
    pub state: Option<RunState>,
    /// How it last ended.
    pub exit: Option<ExitRecord>,
}

impl Store {
    /// All containers, in no order, read by at most this many threads.
    ///
    /// They have ended when this returns, though the kernel may count them for a moment: what demands a process of one thread
    /// (joining a user namespace) must not follow.
    pub fn seen_containers(&self, threads: NonZeroUsize) -> Result<Listing<Seen>> {
        let containers = self.open_dir(Path::new(layout::CONTAINERS))?;
        let started: HashSet<String> = self.list(Path::new(layout::RUN))?.into_iter().collect();
        let ids = self.container_ids()?;
        let share = ids.len().div_ceil(threads.get()).max(WORTH_A_THREAD);
        let mut parts = ids.chunks(share);
        let first = parts.next().unwrap_or_default();
        let read = |ids: &[ContainerId]| self.see(containers.as_fd(), &started, ids);
        Ok(std::thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(move || read(part))).collect();
            let mut all = read(first);
            for other in others {
                let Listing { items, damaged } = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all.items.extend(items);
                all.damaged.extend(damaged);
            }
            all
        }))
    }

    fn see(&self, containers: BorrowedFd<'_>, started: &HashSet<String>, ids: &[ContainerId]) -> Listing<Seen> {
        let mut listing = Listing { items: Vec::with_capacity(ids.len()), damaged: Vec::new() };
        for id in ids {
            match self.see_one(containers, started, id) {
                // `None`: it was removed meanwhile.
                Ok(seen) => listing.items.extend(seen),
                Err(error) => listing.damaged.push(error),
            }
        }
        listing
    }

    fn see_one(&self, containers: BorrowedFd<'_>, started: &HashSet<String>, id: &ContainerId) -> Result<Option<Seen>> {
        let Some(record) = self.read_beside(containers, id, layout::CONTAINER_RECORD)? else { return Ok(None) };
        let state = match started.contains(id.as_str()) {
            true => self.read_beside(containers, id, layout::CONTAINER_STATE)?,
            false => None,
        };
        let exit = self.read_beside(containers, id, layout::CONTAINER_EXIT)?;
        Ok(Some(Seen { record, state, exit }))
    }

    /// Reads one of a container's records from the directory of all containers: a shorter way than from the root.
    pub(super) fn read_beside<T: serde::de::DeserializeOwned>(
        &self,
        containers: BorrowedFd<'_>,
        id: &ContainerId,
        file: &str,
    ) -> Result<Option<T>> {
        let path = layout::in_container(id, file);
        let short = path.strip_prefix(layout::CONTAINERS).unwrap_or(&path);
        let bytes = record::read_at(containers, short).at("read", &self.path(&path))?;
        bytes.map(|bytes| self.parse_record(&path, &bytes)).transpose()
    }
}
