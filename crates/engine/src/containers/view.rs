//! A container's files as the container sees them, with volumes and binds, whether it runs or not.
//!
//! One that runs is looked at through its first process. For one that does not, a child of this process makes everything that a start
//! makes up to the last step (namespaces and mounts, but no program), waits there, and goes when this view goes. Meanwhile it holds
//! the container's lock, so that nobody starts it.

use super::{Container, open};
use crate::error::{Error, Result};
use crate::launch::{LOCK_WAIT, StandardInput};
use crate::{Engine, runtime_error, store_error};
use kernel::clone::{Namespaces, Parent};
use rustix::fs::{Mode, OFlags};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use store::{Access, Wait};

/// A container's root directory, as long as this lives.
pub(crate) struct View {
    /// `/proc/PID/root`, opened; only to be gone down from by openat2(RESOLVE_IN_ROOT).
    pub(crate) root: OwnedFd,
    /// A process that has this root.
    pub(crate) pid: u32,
    /// Its end lets the child go.
    holder: Option<(OwnedFd, OwnedFd)>,
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some((end, child)) = self.holder.take() {
            drop(end);
            let _ = waitid(WaitId::PidFd(child.as_fd()), WaitIdOptions::EXITED);
        }
    }
}

impl Engine {
    /// Opens the view. As root this process stays what it is; a user's has entered the namespace of the container's files then.
    pub(crate) fn view(&self, container: &Container) -> Result<View> {
        let (pid, holder) = match &container.running {
            Some(state) => (state.main.pid, None),
            None => {
                let (pid, end, child) = self.hold_view(container)?;
                (pid, Some((end, child)))
            }
        };
        if self.host.rootless() {
            self.approach(&container.record.spec)?;
        }
        let path = format!("/proc/{pid}/root");
        let root = rustix::fs::open(&path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let view = View { root: root.map_err(|e| Error::io(format!("open {path:?}"), e.into()))?, pid, holder };
        // What was opened by number was about this container only if it still has it.
        container.running.as_ref().map(open).transpose()?;
        Ok(view)
    }

    /// Starts the child; the number of the process whose root is looked at, and what ends the child.
    fn hold_view(&self, container: &Container) -> Result<(u32, OwnedFd, OwnedFd)> {
        let fail = |e: rustix::io::Errno| Error::io("make a pipe", e.into());
        let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(fail);
        let ((said, says), (waits, end)) = (pipe()?, pipe()?);
        let ends = [&said, &end].map(|fd| std::os::fd::AsRawFd::as_raw_fd(fd) as u32);
        let child = kernel::clone::spawn(Namespaces::NONE, Parent::Caller, None, || {
            let null = File::open("/dev/null");
            // Copies of the caller's ends would keep this process from seeing its end.
            for number in ends {
                let _ = null.as_ref().map(|null| kernel::descriptor::duplicate_to(null.as_fd(), number));
            }
            let mut says = File::from(says);
            let mut waits = File::from(waits);
            let shown = self.show_view(container, |pid| {
                let _ = says.write_all(format!("{pid}\n").as_bytes());
                let _ = waits.read(&mut [0]);
            });
            if let Err(error) = shown {
                let _ = says.write_all(format!("!{}", error.chain()).as_bytes());
            }
            kernel::clone::exit(0)
        });
        let (_, child) = child.map_err(|e| Error::io("start a process", e.into()))?;
        let mut text = String::new();
        let mut buffer = [0u8; 1024];
        let mut said = File::from(said);
        loop {
            let count = said.read(&mut buffer).map_err(|e| Error::io("hear of the container's files", e))?;
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            if count == 0 || text.ends_with('\n') {
                break;
            }
        }
        match (text.trim().parse(), text.strip_prefix('!')) {
            (Ok(pid), _) => Ok((pid, end, child)),
            (_, Some(error)) => Err(Error::other(error)),
            (Err(_), None) => Err(Error::other("the process that shows the container's files ended early")),
        }
    }

    fn show_view(&self, container: &Container, shown: impl FnOnce(i32)) -> Result<()> {
        let record = &container.record;
        let _lock =
            self.store.lock_container(&record.id, Access::Exclusive, Wait::at_most(LOCK_WAIT)).map_err(store_error)?;
        self.reach_for_start(&record.spec)?;
        let plan = self.plan_to_look_at(record, StandardInput::Closed)?;
        let program = runtime::compile(&plan).map_err(runtime_error)?;
        let mut spawned = runtime::spawn(&program).map_err(runtime_error)?;
        let ready = spawned.wait_ready().map_err(runtime_error);
        if ready.is_ok() {
            shown(spawned.process.pid);
        }
        spawned.abort();
        ready
    }
}
