//! What killed commands left, put away by the next one that brings or removes something.

use super::Container;
use crate::error::Result;
use crate::{Engine, store_error};

impl Engine {
    /// Removes what commands left that were killed: things half made or half removed, `--rm` containers that nobody minds any
    /// more, their anonymous volumes and network processes.
    ///
    /// With nothing to do it costs a few directory listings and the records of containers that do not run. What cannot be
    /// put away now is no reason to fail: the next command tries again.
    pub fn tidy(&self) {
        self.tidy_containers();
        let _ = self.store.sweep_volumes();
        let _ = self.store.sweep();
    }

    /// The same, and the layers that no image needs: of a load or removal that was killed.
    pub fn tidy_images(&self) {
        self.tidy();
        let _ = self.store.gc(store::Partials::Keep);
    }

    /// What the end of a container that does not run left undone: the word about it, if nobody was there to write it, and
    /// its network process.
    pub fn clean_up(&self, container: &Container) -> Result<()> {
        let record = &container.record;
        let Some(state) = self.store.read_state(&record.id).map_err(store_error)?.filter(|state| !state.is_alive())
        else {
            return Ok(());
        };
        self.before_writing_for(&record.spec)?;
        self.end_helpers(record, &state);
        match self.exit_of(&record.id, Some(&state))? {
            Some(exit) => self.store.write_exit(&record.id, &exit).map_err(store_error),
            None => Ok(()),
        }
    }

    /// The part of it that a start may need: names and ports that killed commands hold.
    pub(crate) fn tidy_containers(&self) {
        if self.enter_user_namespace().is_ok() {
            let _ = self.store.sweep_containers();
        }
    }
}
