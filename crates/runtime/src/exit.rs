//! How processes end.

use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::os::fd::BorrowedFd;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It called exit.
    Code(u8),
    /// A signal killed it.
    Signal(i32),
}

impl Exit {
    /// As a shell and podman tell it: the code, or 128 + the signal.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => (128 + signal.clamp(0, 127)) as u8,
        }
    }
}

/// Reaps a child.
pub(crate) fn wait(pidfd: BorrowedFd<'_>) -> rustix::io::Result<Exit> {
    loop {
        match waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED) {
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
            Ok(status) => {
                let Some(status) = status else { continue };
                return Ok(match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Exit::Code(code as u8),
                    (None, signal) => Exit::Signal(signal.unwrap_or(libc::SIGKILL)),
                });
            }
        }
    }
}
