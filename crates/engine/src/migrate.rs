//! `system migrate`: what a change of the user's id ranges asks for.

use crate::containers::Listed;
use crate::error::{Error, Result};
use crate::{Engine, runtime_error};
use runtime::ProcessId;
use rustix::process::{Signal, pidfd_send_signal};
use store::ContainerId;

impl Engine {
    /// Stops what runs and ends whoever keeps the user namespace, so that the next start makes it anew. Returns what was stopped.
    pub fn migrate(&self) -> Result<Vec<ContainerId>> {
        // Before anything enters the namespace: its keeper answers to its own user and to root.
        let keeper = self.keeper();
        let mut running = self.containers(Listed::Running, &mut |_| ())?;
        running.sort_by_key(|one| !self.has_host_ids(&one.record.spec));
        let mut stopped = Vec::new();
        let keeper = keeper.map(|process| process.open().map_err(runtime_error)).transpose()?;
        for container in running {
            self.stop(&container, None)?;
            stopped.push(container.record.id);
        }
        if let Some(keeper) = keeper {
            match pidfd_send_signal(keeper, Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(errno) => return Err(Error::io("end the keeper of the user namespace", errno.into())),
            }
        }
        // One that is not believed any more is no obstacle.
        let _ = std::fs::remove_file(self.store.keeper_file());
        Ok(stopped)
    }

    fn keeper(&self) -> Option<ProcessId> {
        let text = std::fs::read_to_string(self.store.keeper_file()).ok()?;
        text.trim().parse::<ProcessId>().ok().filter(ProcessId::is_alive)
    }
}
