//! What killed commands left, put away by the next one that brings or removes something.

use super::{Container, ended_within};
use crate::error::Result;
use crate::{Engine, store_error};
use runtime::ProcessId;
use spec::network::{Protocol, Publish};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::ffi::OsStrExt;
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

    /// Waits until network processes of containers that are gone have let go of these ports: they end by themselves when their
    /// link is removed, but whoever removed it may have been killed before it had waited for that.
    pub(crate) fn await_ports(&self, publish: &[Publish]) {
        if !publish.iter().any(taken) {
            return;
        }
        let containers = self.store.root().join("containers");
        let orphan = |word: &[u8]| {
            let link = Path::new(OsStr::from_bytes(word));
            link.starts_with(&containers) && link.ends_with("netns") && !link.is_symlink()
        };
        let Ok(processes) = std::fs::read_dir("/proc") else { return };
        for pid in processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok()) {
            // Known by its command line alone: nobody is left who could say.
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            // One that is just ending has no words any more, but still its ports.
            let ending = || std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with(b"pasta"));
            if words.split(|byte| *byte == 0).any(orphan) || words.is_empty() && ending() {
                let process = ProcessId::of(pid).and_then(|process| process.open());
                let _ = process.map(|process| ended_within(&process, NETWORK_WAIT));
            }
        }
    }

    /// The part of it that a start may need: names and ports that killed commands hold.
    pub(crate) fn tidy_containers(&self) {
        if self.enter_user_namespace().is_ok() {
            let _ = self.store.sweep_containers();
        }
    }
}

/// Whether somebody listens at one of these ports of the host. Of a range the first is asked.
fn taken(publish: &Publish) -> bool {
    let Some(host) = publish.host else { return false };
    let place = (publish.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), host.first);
    let in_use = |error: Option<std::io::Error>| error.is_some_and(|error| error.kind() == ErrorKind::AddrInUse);
    match publish.protocol {
        Protocol::Tcp => in_use(TcpListener::bind(place).err()),
        Protocol::Udp => in_use(UdpSocket::bind(place).err()),
        Protocol::Sctp => false,
    }
}
