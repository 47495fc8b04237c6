//! `attach`: a terminal's or a stream's way into a container that runs in the background.
//!
//! ```text
//! with a terminal     the caller ── STORE/containers/<id>/attach ── log relay ── master end
//! without             the caller ── /proc/PID/fd/0;  what it says comes out of the log
//! ```

use super::{StandardInput, lent};
use crate::containers::{Container, open};
use crate::error::{Error, Kind, Result};
use crate::events::Act;
use crate::{Engine, inherited, runtime_error};
use runtime::foreground::{DetachKeys, Flow, Foreground, Left, Signals};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::termios::isatty;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use store::{ContainerRecord, RunState};

/// How somebody attaches.
#[derive(Debug, Clone)]
pub struct Attach {
    /// `--no-stdin` closes it.
    pub input: StandardInput,
    /// `--sig-proxy`
    pub signals: Signals,
    /// `--detach-keys`
    pub keys: DetachKeys,
}

/// How he left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parted {
    /// The container ended with this exit code.
    Ended(u8),
    /// It goes on without him.
    Detached,
}

/// Where those who attach come to; a socket of an earlier run gives way.
pub(super) fn listen(engine: &Engine, record: &ContainerRecord) -> Result<OwnedFd> {
    let (directory, path) = address(engine, record)?;
    let _ = std::fs::remove_file(&path);
    let listener =
        UnixListener::bind(&path).map_err(|e| Error::io("make the socket of the container's terminal", e))?;
    drop(directory);
    Ok(listener.into())
}

/// A short name for the socket, good as long as the directory is open.
fn address(engine: &Engine, record: &ContainerRecord) -> Result<(File, PathBuf)> {
    let (directory, name) = engine.store.attach_socket(&record.id);
    let opened = File::open(&directory).map_err(|e| Error::io(format!("open {directory:?}"), e))?;
    let path = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(name);
    Ok((opened, path))
}

impl Engine {
    /// Attaches the caller to a container that runs, until it ends or he types the keys.
    pub fn attach(&self, container: &Container, attach: Attach) -> Result<Parted> {
        let running = container.running.as_ref().filter(|state| state.paused.is_none());
        let Some(state) = running else { return Err(self.wrong_state(container, "attach")) };
        let record = &container.record;
        let log = match record.spec.process.tty {
            true => None,
            // Before this process becomes somebody else.
            false => Some(self.check_log(record).and_then(|()| self.follow_log(record))?),
        };
        self.approach(&record.spec)?;
        self.tell_container(record, Act::Attach);
        self.send_events();
        let process = open(state)?;
        let _held = runtime::foreground::hold_signals().map_err(runtime_error)?;
        let left = match log {
            None => self.attach_terminal(record, state, &process, attach)?,
            Some(log) => attach_streams(log, state, &process, attach)?,
        };
        match left {
            Left::Detached => Ok(Parted::Detached),
            Left::Ended | Left::Overdue => {
                let exit = self.await_record(record, state)?;
                Ok(Parted::Ended(exit.map_or(0, |exit| exit.exit_code as u8)))
            }
        }
    }

    fn attach_terminal(
        &self,
        record: &ContainerRecord,
        state: &RunState,
        process: &OwnedFd,
        attach: Attach,
    ) -> Result<Left> {
        let (_directory, path) = address(self, record)?;
        let stream = UnixStream::connect(path).map_err(|e| {
            Error::caused(Kind::NotAttachable, e).within(format!("attach to container {}", record.name))
        })?;
        let input = lent(attach.input, true, Default::default())?;
        let foreground =
            Foreground { signals: attach.signals, detach: attach.keys, window: terminal_of(state), ..input };
        runtime::foreground::look_after(process.as_fd(), Some(stream.as_fd()), foreground).map_err(runtime_error)
    }

    /// What it says is followed in its log, by a process of its own.
    fn follow_log(&self, record: &ContainerRecord) -> Result<Child> {
        let program = std::env::current_exe().map_err(|e| Error::io("find lodger's own program file", e))?;
        let mut command = Command::new(program);
        let now = jiff::Timestamp::now().to_string();
        command.arg("--root").arg(self.store.root()).args(["logs", "--follow", "--since", &now, record.id.as_str()]);
        command.stdin(std::process::Stdio::null());
        command.spawn().map_err(|e| Error::io("follow the container's log", e))
    }
}

fn attach_streams(mut log: Child, state: &RunState, process: &OwnedFd, attach: Attach) -> Result<Left> {
    let inward = match attach.input {
        StandardInput::Caller => Some(Flow { from: standard(0)?, to: standard_input_of(state)?, copy: None }),
        StandardInput::Closed | StandardInput::Open => None,
    };
    let foreground =
        Foreground { inward, signals: attach.signals, detach: attach.keys, ..Foreground::new(standard(1)?) };
    let left = runtime::foreground::look_after(process.as_fd(), None, foreground).map_err(runtime_error);
    if !matches!(left, Ok(Left::Ended)) {
        let _ = log.kill();
    }
    let _ = log.wait();
    left
}

fn standard(number: u32) -> Result<OwnedFd> {
    inherited::duplicate(number).ok_or_else(|| Error::other(format!("descriptor {number} is not open")))
}

/// The container's side of its terminal, which takes the size of the window.
fn terminal_of(state: &RunState) -> Option<OwnedFd> {
    let terminal = open_input(&format!("/proc/{}/fd/0", state.main.pid), OFlags::RDWR).ok()?;
    isatty(&terminal).then_some(terminal)
}

/// Without `--interactive` it is `/dev/null`, and takes everything.
fn standard_input_of(state: &RunState) -> Result<OwnedFd> {
    open_input(&format!("/proc/{}/fd/0", state.main.pid), OFlags::WRONLY)
}

/// Opens what a program reads, which it may have exchanged for anything: a pipe or a character device. It is looked at before it is
/// opened, and nothing waits for a reader.
fn open_input(path: &str, access: OFlags) -> Result<OwnedFd> {
    let fail = |errno: rustix::io::Errno| Error::io("open the container's standard input", errno.into());
    let look = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(fail)?;
    let mode = rustix::fs::fstat(&look).map_err(fail)?.st_mode;
    if !matches!(FileType::from_raw_mode(mode), FileType::Fifo | FileType::CharacterDevice) {
        return Err(Error::invalid("the container's standard input is neither a pipe nor a terminal; use --no-stdin"));
    }
    let own = format!("/proc/self/fd/{}", look.as_raw_fd());
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(&own, flags, Mode::empty()).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    #[test]
    fn what_a_program_reads_is_opened_only_if_it_is_a_pipe_or_a_device() {
        let path = std::env::temp_dir().join(format!("lodger-input-{}", std::process::id()));
        let text = path.to_str().unwrap();
        std::fs::write(&path, "kept").unwrap();
        let error = open_input(text, OFlags::WRONLY).unwrap_err();
        assert!(error.to_string().contains("neither a pipe"), "{error}");
        std::fs::remove_file(&path).unwrap();

        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        // Nobody reads: it is told, and not waited for.
        assert!(open_input(text, OFlags::WRONLY).is_err());
        let _reader = rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap();
        assert!(open_input(text, OFlags::WRONLY).is_ok());
        std::fs::remove_file(&path).unwrap();
        assert!(open_input("/dev/null", OFlags::WRONLY).is_ok());
    }
}
