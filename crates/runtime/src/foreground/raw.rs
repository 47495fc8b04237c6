//! The user's terminal in raw mode, put back on drop and on panic.

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, Once, PoisonError};

/// What a panic puts back. A binary that aborts on panic runs no destructors.
static SAVED: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);

/// While it lives, every key goes to the container.
pub(super) struct Raw(());

impl Raw {
    /// `None` when it is no terminal.
    pub(super) fn set(terminal: BorrowedFd<'_>) -> rustix::io::Result<Option<Self>> {
        if !isatty(terminal) {
            return Ok(None);
        }
        let before = tcgetattr(terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        on_panic();
        *saved() = Some((rustix::io::fcntl_dupfd_cloexec(terminal, 3)?, before));
        tcsetattr(terminal, OptionalActions::Drain, &raw)?;
        Ok(Some(Self(())))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        put_back();
    }
}

fn saved() -> std::sync::MutexGuard<'static, Option<(OwnedFd, Termios)>> {
    SAVED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put_back() {
    if let Some((terminal, before)) = saved().take() {
        let _ = tcsetattr(terminal.as_fd(), OptionalActions::Drain, &before);
    }
}

fn on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            put_back();
            next(panic);
        }));
    });
}
