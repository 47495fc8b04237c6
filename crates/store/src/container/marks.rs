//! Small things beside a container's records: its log file, and the wish that it stay stopped.

use super::ContainerId;
use crate::error::{At, Result};
use crate::layout;
use crate::lock::{Access, Guard, Wait};
use crate::store::Store;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::path::PathBuf;
use std::time::Duration;

impl Store {
    /// Where the log of a container goes that has no other place: a file for whoever carries it there.
    pub fn log_file(&self, id: &ContainerId) -> PathBuf {
        self.path(&layout::in_container(id, layout::CONTAINER_LOG))
    }

    /// The directory of a container, and in it the name of the socket of its terminal: together they may be longer than the address
    /// of a socket can be.
    pub fn attach_socket(&self, id: &ContainerId) -> (PathBuf, &'static str) {
        (self.path(&layout::container(id)), layout::CONTAINER_ATTACH)
    }

    /// The link that names a container's network namespace for its network process.
    pub fn netns_link(&self, id: &ContainerId) -> PathBuf {
        self.path(&layout::in_container(id, layout::CONTAINER_NETNS))
    }

    /// Where it is remembered what the installed pasta can do.
    pub fn pasta_abilities_file(&self) -> PathBuf {
        self.path(layout::PASTA.as_ref())
    }

    /// Where events are kept that the journal does not take.
    pub fn events_file(&self) -> PathBuf {
        self.path(layout::EVENTS.as_ref())
    }

    /// The file that names a process in the user's kept namespace.
    pub fn keeper_file(&self) -> PathBuf {
        self.path(layout::KEEPER.as_ref())
    }

    /// Held while the user's namespace and its keeper are made; waits for one second.
    pub fn lock_keeper(&self) -> Result<Guard> {
        self.lock(layout::KEEPER_LOCK.as_ref(), Access::Exclusive, Wait::at_most(Duration::from_secs(1)))
    }

    /// Notes that a container was stopped by hand: its supervisor does not restart it, nor does the next boot.
    pub fn request_stop(&self, id: &ContainerId) -> Result<()> {
        let mark = layout::in_container(id, layout::CONTAINER_STOP);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        match rustix::fs::openat(self.dir(), &mark, flags, Mode::from_raw_mode(0o600)) {
            // Removed meanwhile: then it certainly stays stopped.
            Ok(_) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno).at("write", &self.path(&mark)),
        }
    }

    /// Whether it was stopped by hand since its last start.
    pub fn stop_requested(&self, id: &ContainerId) -> bool {
        self.exists(&layout::in_container(id, layout::CONTAINER_STOP)).unwrap_or(false)
    }

    /// Forgets how a container ended and that it was stopped by hand: it is about to be started.
    pub fn clear_exit(&self, id: &ContainerId) -> Result<()> {
        for file in [layout::CONTAINER_EXIT, layout::CONTAINER_STOP] {
            let path = layout::in_container(id, file);
            match rustix::fs::unlinkat(self.dir(), &path, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno).at("remove", &self.path(&path)),
            }
        }
        Ok(())
    }
}
