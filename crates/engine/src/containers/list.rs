//! `ps`: every container with its state, quickly; a damaged record hides no other.

use super::{Container, Status};
use crate::error::{Error, Result};
use crate::{Engine, store_error};
use std::num::NonZeroUsize;

/// What `ps` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Those that run.
    Running,
    /// All.
    All,
    /// All, for a command that only shows them: read by several threads, after which no namespace may be entered.
    AllShown,
}

/// Whatever there are processors for; more read no faster.
const READERS: NonZeroUsize = NonZeroUsize::new(4).expect("it is not zero");

impl Engine {
    /// The containers, oldest first.
    pub fn containers(&self, listed: Listed, damaged: &mut dyn FnMut(Error)) -> Result<Vec<Container>> {
        let mut found = Vec::new();
        let mut keep = |container: Result<Container>| match container {
            Ok(container) => found.push(container),
            Err(error) => damaged(error),
        };
        match listed {
            Listed::Running => {
                for (id, _) in self.store.running().map_err(store_error)? {
                    match self.store.container(&id) {
                        Ok(record) => keep(self.look_at(record)),
                        // Removed since.
                        Err(error) if error.is_not_found() => {}
                        Err(error) => keep(Err(store_error(error))),
                    }
                }
                found.retain(|container| container.status() == Status::Running);
            }
            Listed::AllShown => {
                let threads = std::thread::available_parallelism().map_or(NonZeroUsize::MIN, |own| own.min(READERS));
                let listing = self.store.seen_containers(threads).map_err(store_error)?;
                listing.damaged.into_iter().for_each(|error| keep(Err(store_error(error))));
                listing.items.into_iter().for_each(|seen| keep(self.look_at_seen(seen)));
            }
            Listed::All => {
                let listing = self.store.containers().map_err(store_error)?;
                listing.damaged.into_iter().for_each(|error| keep(Err(store_error(error))));
                listing.items.into_iter().for_each(|record| keep(self.look_at(record)));
            }
        }
        // A container is large: as few moves as there can be.
        found.sort_by_cached_key(|container| container.record.created);
        Ok(found)
    }
}
