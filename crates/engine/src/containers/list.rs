//! `ps`: every container with its state, quickly; a damaged record hides no other.

use super::{Container, Status};
use crate::error::{Error, Result};
use crate::{Engine, store_error};

/// What `ps` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Those that run.
    Running,
    /// All.
    All,
}

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
