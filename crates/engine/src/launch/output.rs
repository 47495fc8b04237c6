//! Where a container's words go: the caller's terminal, the journal, a file, or nowhere.
//!
//! A detached container writes into pipes (or a terminal) that the relay reads: a helper of a few pages that carries the
//! words on and lives as long as anybody can write them. `/dev/stdout` opened by name works, because it is a pipe. With
//! `passthrough` the container has the unit's own descriptors and there is no relay.
//!
//! A container in the foreground has pipes too, and never the caller's own terminal or files; the caller carries the words
//! and, where the container stays, hands a copy to the relay.

use super::attach;
use crate::error::{Error, Result};
use crate::outside::Purpose;
use crate::{Engine, inherited};
use runtime::beside::{self, Environment};
use runtime::foreground::Flow;
use runtime::plan::{Stdio, WindowSize};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use spec::ContainerSpec;
use spec::logging::LogDriver;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use store::{ContainerRecord, Helper, ProcessId};

/// The journal's socket for its native protocol.
const JOURNAL: &str = "/run/systemd/journal/socket";
/// A log file is rotated at this size unless `--log-opt max-size` says otherwise.
const MAX_SIZE: u64 = 10 << 20;

/// What a container reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandardInput {
    /// Nothing.
    Closed,
    /// What the caller's standard input gives.
    Caller,
    /// Nothing, but the end never comes (`-d -i`): somebody may attach later.
    Open,
}

/// Whether a stream of the container reaches the caller of a container in the foreground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// It does.
    Shown,
    /// Only the log has it.
    Hidden,
}

/// Where a container's words go first.
#[derive(PartialEq, Eq)]
enum Way {
    /// To whoever started it, who need not stay.
    Direct,
    /// To the relay.
    Relay,
    /// To the caller, who carries them on, and sends a copy to the relay where there is a log.
    Caller([Output; 2]),
}

/// The descriptors of a container, and the relay behind them.
pub(crate) struct Wiring {
    driver: LogDriver,
    input: StandardInput,
    way: Way,
    window: WindowSize,
    /// Ends that the relay reads: standard output and standard error, or a copy of the terminal.
    sources: Vec<OwnedFd>,
    /// What the caller carries.
    pub(crate) carried: Carried,
    relay: Option<ProcessId>,
}

/// What the caller of a container in the foreground carries between it and himself.
#[derive(Default)]
pub(crate) struct Carried {
    pub(crate) inward: Option<Flow>,
    pub(crate) outward: Vec<Flow>,
    /// Gets what the terminal shows once more.
    pub(crate) copy: Option<OwnedFd>,
}

impl Wiring {
    /// For a detached container.
    pub(crate) fn detached(driver: LogDriver, spec: &ContainerSpec) -> Self {
        let input = if spec.process.interactive { StandardInput::Open } else { StandardInput::Closed };
        let way = if driver == LogDriver::Passthrough { Way::Direct } else { Way::Relay };
        Self::new(driver, input, way, WindowSize { rows: 0, columns: 0 })
    }

    /// For a container in the foreground. `output` says what the caller sees of standard output and standard error.
    pub(crate) fn foreground(driver: LogDriver, input: StandardInput, output: [Output; 2], window: WindowSize) -> Self {
        let way = if driver == LogDriver::Passthrough { Way::Direct } else { Way::Caller(output) };
        Self::new(driver, input, way, window)
    }

    /// For a further process, of which no log is kept.
    pub(crate) fn further(input: StandardInput, output: [Output; 2], window: WindowSize) -> Self {
        Self::new(LogDriver::None, input, Way::Caller(output), window)
    }

    /// For a further process that nobody listens to.
    pub(crate) fn unheard() -> Self {
        Self::new(LogDriver::None, StandardInput::Closed, Way::Relay, WindowSize { rows: 0, columns: 0 })
    }

    fn new(driver: LogDriver, input: StandardInput, way: Way, window: WindowSize) -> Self {
        Self { driver, input, way, window, sources: Vec::new(), carried: Carried::default(), relay: None }
    }

    /// The descriptors 0, 1 and 2.
    pub(crate) fn stdio(&mut self, tty: bool) -> Result<Stdio> {
        match self.way {
            Way::Caller(_) if tty => {
                if self.driver != LogDriver::None {
                    self.carried.copy = Some(self.log_copy()?);
                }
                Ok(Stdio::Terminal(self.window))
            }
            _ if tty => Ok(Stdio::Terminal(self.window)),
            Way::Direct => Ok(Stdio::Inherit([self.standard_input()?, own(1)?, own(2)?])),
            Way::Relay if self.driver == LogDriver::None => {
                Ok(Stdio::Inherit([self.standard_input()?, null(OFlags::WRONLY)?, null(OFlags::WRONLY)?]))
            }
            Way::Relay => {
                let input = self.standard_input()?;
                let (output_read, output) = open_pipe()?;
                let (errors_read, errors) = open_pipe()?;
                self.sources = vec![output_read, errors_read];
                Ok(Stdio::Inherit([input, output, errors]))
            }
            Way::Caller([output, errors]) => {
                let input = self.carried_input()?;
                Ok(Stdio::Inherit([input, self.carried_output(1, output)?, self.carried_output(2, errors)?]))
            }
        }
    }

    /// The container's own end of a stream that the caller carries.
    fn carried_output(&mut self, number: u32, output: Output) -> Result<OwnedFd> {
        let (from, end) = open_pipe()?;
        let to = if output == Output::Shown { own(number)? } else { null(OFlags::WRONLY)? };
        let copy = if self.driver == LogDriver::None { None } else { Some(self.log_copy()?) };
        self.carried.outward.push(Flow { from, to, copy });
        Ok(end)
    }

    fn carried_input(&mut self) -> Result<OwnedFd> {
        if self.input != StandardInput::Caller {
            return self.standard_input();
        }
        let (end, to) = open_pipe()?;
        self.carried.inward = Some(Flow { from: own(0)?, to, copy: None });
        Ok(end)
    }

    /// A further source of the relay, and the end that leads there.
    fn log_copy(&mut self) -> Result<OwnedFd> {
        let (read, write) = pipe()?;
        self.sources.push(read);
        Ok(write)
    }

    fn standard_input(&self) -> Result<OwnedFd> {
        match self.input {
            StandardInput::Closed => null(OFlags::RDONLY),
            StandardInput::Caller => own(0),
            StandardInput::Open => {
                // A pipe that is its own writer never ends.
                let (read, _write) = pipe()?;
                let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&read));
                rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                    .map_err(|e| Error::io("make standard input", e.into()))
            }
        }
    }

    /// Starts the relay, where there is something to carry. `terminal` is the container's, if it has one.
    pub(crate) fn start_relay(
        &mut self,
        engine: &Engine,
        record: &ContainerRecord,
        terminal: Option<&OwnedFd>,
    ) -> Result<()> {
        let sources: Vec<BorrowedFd<'_>> = match (&self.way, terminal) {
            (Way::Direct, _) => return Ok(()),
            (Way::Relay, Some(terminal)) => vec![terminal.as_fd()],
            _ if self.sources.is_empty() => return Ok(()),
            _ => self.sources.iter().map(AsFd::as_fd).collect(),
        };
        let audience =
            terminal.filter(|_| self.way == Way::Relay).map(|_| attach::listen(engine, record)).transpose()?;
        let mut words: Vec<String> = vec!["relay".into(), if terminal.is_some() { "pty" } else { "pipes" }.into()];
        let sink = self.sink(engine, record, &mut words)?;
        let mut descriptors: Vec<(u32, BorrowedFd<'_>)> = (3..).zip(sources).collect();
        descriptors.push((5, sink.to.as_fd()));
        descriptors.extend(sink.directory.as_ref().map(|directory| (6, directory.as_fd())));
        descriptors.extend(audience.as_ref().map(|socket| (7, socket.as_fd())));
        let words = words.iter().map(|word| crate::resolve::files::c_string(word)).collect::<Result<Vec<CString>>>()?;
        let relay =
            beside::start(&words, &descriptors, Environment::Empty).map_err(|e| Error::io("start the log relay", e))?;
        self.relay = ProcessId::of(relay as u32);
        self.sources.clear();
        Ok(())
    }

    /// Opens the sink and adds the relay's words about it.
    fn sink(&self, engine: &Engine, record: &ContainerRecord, words: &mut Vec<String>) -> Result<Sink> {
        if self.driver == LogDriver::Journald {
            words.extend(["journald", JOURNAL].map(str::to_owned));
            words.extend(journal_fields(record));
            return Ok(Sink { to: journal_socket()?, directory: None });
        }
        // Nobody reads it, but a terminal must be emptied all the same.
        if self.driver == LogDriver::None {
            words.extend(["k8s-file", "null", "0", "0"].map(str::to_owned));
            let directory = open(&PathBuf::from("/dev"), OFlags::RDONLY | OFlags::DIRECTORY)?;
            return Ok(Sink { to: null(OFlags::WRONLY)?, directory: Some(directory) });
        }
        let path = engine.log_file(record);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
            return Err(Error::invalid(format!("--log-opt path={path:?} is not the path of a file")));
        };
        let size = record.spec.logging.max_size.map_or(MAX_SIZE, |size| size.0);
        words.extend(["k8s-file".to_owned(), name.to_owned(), size.to_string(), utc_offset().to_string()]);
        let text = |path: &std::path::Path| path.to_str().map(str::to_owned).unwrap_or_default();
        let directory = engine.open_file(&text(parent), Purpose::Directory)?;
        let to = engine.open_file(&text(&path), Purpose::Append).map_err(|e| e.within("log"))?;
        Ok(Sink { to, directory: Some(directory) })
    }

    /// The relay as a helper of the container.
    pub(crate) fn relay(&self) -> Option<Helper> {
        self.relay.map(|process| Helper { role: "log".to_owned(), process })
    }
}

struct Sink {
    to: OwnedFd,
    directory: Option<OwnedFd>,
}

impl Engine {
    /// The log driver of a container: as asked, else the journal for units, else a file.
    ///
    /// The journal is chosen only where its owner can read it again: on a machine without a persistent journal, users see
    /// nothing of it.
    pub fn log_driver(&self, record: &ContainerRecord) -> LogDriver {
        let logging = &record.spec.logging;
        logging.driver.unwrap_or_else(|| {
            // Words that only a file can follow.
            if logging.path.is_some() || logging.max_size.is_some() {
                return LogDriver::K8sFile;
            }
            let in_unit = self.host.systemd.is_some() || self.host.unit.is_some();
            if in_unit && self.journal_is_readable() { LogDriver::Journald } else { LogDriver::K8sFile }
        })
    }

    /// Whether the journal's entries of this user are theirs to read.
    pub(crate) fn journal_is_readable(&self) -> bool {
        !self.host.rootless() || std::path::Path::new("/var/log/journal").is_dir()
    }

    /// Where `k8s-file` writes, if the driver is that.
    pub fn log_file(&self, record: &ContainerRecord) -> PathBuf {
        match &record.spec.logging.path {
            Some(path) => PathBuf::from(path),
            None => self.store.log_file(&record.id),
        }
    }
}

/// What every entry of the journal carries, as podman's do.
fn journal_fields(record: &ContainerRecord) -> Vec<String> {
    let tag = record.spec.logging.tag.as_deref().unwrap_or(&record.name);
    let image = record.image.as_ref().map_or("", |image| image.name.as_str());
    let image_id = record.image.as_ref().map(|image| image.id.hex()).unwrap_or_default();
    vec![
        format!("SYSLOG_IDENTIFIER={tag}"),
        format!("CONTAINER_NAME={}", record.name),
        format!("CONTAINER_ID={}", record.id.short()),
        format!("CONTAINER_ID_FULL={}", record.id),
        format!("IMAGE_NAME={image}"),
        format!("IMAGE_ID={image_id}"),
    ]
}

fn journal_socket() -> Result<OwnedFd> {
    let fail = |e| Error::io(format!("connect to the journal at {JOURNAL:?}"), e);
    let socket = UnixDatagram::unbound().map_err(fail)?;
    socket.connect(JOURNAL).map_err(fail)?;
    Ok(socket.into())
}

/// Seconds east of Greenwich, for the time stamps of log files.
fn utc_offset() -> i32 {
    jiff::Zoned::now().offset().seconds()
}

/// A pipe whose ends anybody inside may open again by the name of `/dev/stdout`, whoever the program runs as.
fn open_pipe() -> Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe()?;
    rustix::fs::fchmod(&write, Mode::from_raw_mode(0o666)).map_err(|e| Error::io("open a pipe to all", e.into()))?;
    Ok((read, write))
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    pipe_with(PipeFlags::CLOEXEC).map_err(|e| Error::io("make a pipe", e.into()))
}

fn own(number: u32) -> Result<OwnedFd> {
    // A descriptor that the caller closed reads as empty and swallows everything, as for any program under a shell.
    inherited::duplicate(number).map_or_else(|| null(OFlags::RDWR), Ok)
}

fn null(flags: OFlags) -> Result<OwnedFd> {
    open(std::path::Path::new("/dev/null"), flags)
}

fn open(path: &std::path::Path, flags: OFlags) -> Result<OwnedFd> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
        .map_err(|e| Error::io(format!("open {path:?}"), e.into()))
}
