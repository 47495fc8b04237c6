//! `rename`: another name, also while it runs; its unit keeps the old one until the next start.

use super::Container;
use crate::error::Result;
use crate::events::Act;
use crate::launch::LOCK_WAIT;
use crate::{Engine, store_error, unit};
use store::{Access, ContainerRecord, Durability, Wait};

impl Engine {
    /// Gives a container another name. Its own name is no error, as in podman.
    pub fn rename(&self, container: &Container, name: &str) -> Result<()> {
        let record = &container.record;
        if record.name == name {
            return Ok(());
        }
        self.before_writing_for(&record.spec)?;
        let _lock =
            self.store.lock_container(&record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT)).map_err(store_error)?;
        let before = self.look_at(self.store.container(&record.id).map_err(store_error)?)?;
        if before.has_unit() {
            // First the word about the unit: a restart by systemd that comes in between finds itself in it.
            let mut named = before.record.clone();
            named.unit = Some(unit::of(&before.record));
            self.store.update_container(&named, Durability::Durable).map_err(store_error)?;
        }
        let renamed = self.store.rename_container(&record.id, name, Durability::Durable).map_err(store_error)?;
        self.tell_container(&renamed, Act::Rename);
        Ok(())
    }

    /// Before a start: a unit of an earlier name is not used any more.
    pub(crate) fn leave_old_unit(&self, record: &ContainerRecord) -> Result<ContainerRecord> {
        let mut record = record.clone();
        let Some(old) = record.unit.take() else { return Ok(record) };
        if let Some(systemd) = &self.host.systemd {
            systemd.stop(&old)?;
            systemd.reset_failed(&old)?;
        }
        let _lock =
            self.store.lock_container(&record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT)).map_err(store_error)?;
        self.store.update_container(&record, Durability::Durable).map_err(store_error)?;
        Ok(record)
    }
}

impl Container {
    /// Whether systemd may still hold its unit: it runs there, or has run and may wait for a restart.
    fn has_unit(&self) -> bool {
        let own = unit::of(&self.record);
        let runs = self.running.as_ref().is_some_and(|state| state.unit.as_deref() == Some(own.as_str()));
        let may_wait = self.running.is_none() && self.exit.is_some();
        runs || may_wait
    }
}
