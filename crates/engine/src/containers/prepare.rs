//! `init`: everything that a start needs is looked at, and nothing runs.
//!
//! A start takes milliseconds and mounts only in the namespace of the container's process, so nothing is kept between `init`
//! and `start` but the word that it would succeed.

use super::{Container, Status};
use crate::error::Result;
use crate::events::Act;
use crate::launch::{LOCK_WAIT, StandardInput};
use crate::{Engine, store_error};
use store::{Access, Durability, Wait};

impl Engine {
    /// Checks that a container can be started, and shows it as initialized until it is.
    pub fn init(&self, container: &Container) -> Result<()> {
        if matches!(container.status(), Status::Running | Status::Paused | Status::Initialized) {
            return Err(self.wrong_state(container, "init"));
        }
        self.reach_for_start(&container.record.spec)?;
        self.show_ops(&container.record, StandardInput::Closed)?;
        let _lock = self
            .store
            .lock_container(&container.record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT))
            .map_err(store_error)?;
        self.store.clear_exit(&container.record.id).map_err(store_error)?;
        let mut record = container.record.clone();
        record.initialized = true;
        self.store.update_container(&record, Durability::Durable).map_err(store_error)?;
        self.tell_container(&record, Act::Init);
        Ok(())
    }
}
