//! What killed commands left, put away by the next one that brings or removes something.

use super::{Container, ended_within};
use crate::error::Result;
use crate::{Engine, store_error};
use runtime::ProcessId;
use std::path::Path;
use std::time::Duration;

/// How long a network process may take to notice that its link is gone.
const NETWORK_WAIT: Duration = Duration::from_secs(1);

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
            for id in self.store.sweep_containers().unwrap_or_default() {
                await_network(&self.store.netns_link(&id));
            }
        }
    }
}

/// Waits for the network process that lived by this link, which is gone: until it has ended too, its ports are taken.
///
/// Whoever started it was killed before it could note the process, so that it is known by its command line alone.
fn await_network(link: &Path) {
    let Ok(processes) = std::fs::read_dir("/proc") else { return };
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    for pid in numbers {
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if words.split(|byte| *byte == 0).any(|word| word == link.as_os_str().as_encoded_bytes()) {
            let process = ProcessId::of(pid as i32).and_then(|process| process.open());
            let _ = process.map(|process| ended_within(&process, NETWORK_WAIT));
        }
    }
}
