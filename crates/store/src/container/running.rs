//! What containers are doing: run state, exit record, and the links that find the started ones quickly.

use super::ContainerId;
use crate::error::{At, Error, Result, What};
use crate::layout;
use crate::record::{self, Durability};
use crate::state::{self, ExitRecord, ProcessId, RunState};
use crate::store::Store;
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::path::Path;

impl Store {
    /// Records that a container was started. Not synced: after a power cut nothing runs anyway.
    pub fn write_state(&self, id: &ContainerId, state: &RunState) -> Result<()> {
        self.expect_container("record state", id)?;
        let _lease = self.lease()?;
        self.write_record(&layout::in_container(id, layout::CONTAINER_STATE), state, Durability::Volatile)?;
        let tmp = layout::tmp(&record::random_name());
        let link = layout::run(id);
        let made = rustix::fs::symlinkat(state.link(), self.dir(), &tmp)
            .and_then(|()| rustix::fs::renameat(self.dir(), &tmp, self.dir(), &link));
        if made.is_err() {
            let _ = rustix::fs::unlinkat(self.dir(), &tmp, AtFlags::empty());
        }
        made.at("write", &self.path(&link))
    }

    /// The state as it was written; ask `RunState::is_alive` before believing it.
    pub fn read_state(&self, id: &ContainerId) -> Result<Option<RunState>> {
        self.read_record(&layout::in_container(id, layout::CONTAINER_STATE))
    }

    /// Records how a container ended, and that it does not run any more.
    pub fn write_exit(&self, id: &ContainerId, exit: &ExitRecord) -> Result<()> {
        self.expect_container("record exit", id)?;
        let path = layout::in_container(id, layout::CONTAINER_EXIT);
        self.on_full_disk(|| self.write_record(&path, exit, Durability::Volatile))?;
        self.clear_state(id)
    }

    /// How it last ended; `None` if it never has, or nobody was there to see it.
    pub fn read_exit(&self, id: &ContainerId) -> Result<Option<ExitRecord>> {
        self.read_record(&layout::in_container(id, layout::CONTAINER_EXIT))
    }

    /// Forgets that a container was started.
    pub fn clear_state(&self, id: &ContainerId) -> Result<()> {
        for path in [layout::run(id), layout::in_container(id, layout::CONTAINER_STATE)] {
            match rustix::fs::unlinkat(self.dir(), &path, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(Error::at("remove", &self.path(&path), errno)),
            }
        }
        Ok(())
    }

    /// The containers whose first process lives now, in no order. Costs what runs, not what exists.
    pub fn running(&self) -> Result<Vec<(ContainerId, ProcessId)>> {
        let boot_id = state::boot_id();
        let mut running = Vec::new();
        for name in self.list(Path::new(layout::RUN))? {
            let Ok(id) = ContainerId::parse(&name) else { continue };
            let Ok(target) = rustix::fs::readlinkat(self.dir(), layout::run(&id), Vec::new()) else { continue };
            let process = target.to_str().ok().and_then(|target| state::parse_link(target, &boot_id));
            running.extend(process.filter(ProcessId::is_alive).map(|process| (id, process)));
        }
        Ok(running)
    }

    fn expect_container(&self, op: &'static str, id: &ContainerId) -> Result<()> {
        match self.exists(&layout::container(id))? {
            true => Ok(()),
            false => Err(Error::not_found(op, What::Container, id.as_str())),
        }
    }
}
