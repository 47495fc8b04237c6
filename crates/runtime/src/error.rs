//! The error of this crate: what was tried, on what, what kind of failure, and the kernel's word.
//!
//! Display is one fragment (`mount overlay "/x": …` comes from the chain), in lower case without a full stop.

use rustix::io::Errno;
use std::fmt;

/// Why a step towards a container failed.
#[derive(Debug)]
pub struct Error {
    /// What was tried, as a verb phrase: `mount overlay`.
    operation: &'static str,
    /// The object: a path, a name, a process.
    subject: String,
    /// What kind of failure.
    kind: Kind,
    /// The kernel's or another crate's word.
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// The kernel refused; see the source.
    #[error("the system refused")]
    System,
    /// What was given cannot be.
    #[error("{0}")]
    Invalid(&'static str),
    /// The command does not exist in the container. Podman's exit code 127.
    #[error("executable file not found in the container")]
    CommandNotFound,
    /// The command exists and cannot be executed. Podman's exit code 126.
    #[error("it cannot be executed")]
    CommandNotExecutable,
    /// The command exists, and the program that runs it (`#!…`, dynamic linker) does not. Podman's exit code 127.
    #[error("the interpreter that it needs is not in the container")]
    InterpreterMissing,
    /// The working directory does not exist in the container.
    #[error("no such directory in the container")]
    WorkdirMissing,
    /// The process does not live any more, or its pid now belongs to another.
    #[error("the process has ended")]
    Gone,
    /// The image or a volume has at this place what would lead out of the container.
    #[error("it is not what a container may have there")]
    Hostile,
    /// The kernel or the administrator does not allow user namespaces.
    #[error("{0}")]
    NoUserNamespaces(&'static str),
    /// `newuidmap` or `newgidmap` is not installed.
    #[error("the program is not installed")]
    MapperMissing,
    /// `newuidmap` or `newgidmap` has neither the set-user-id bit nor file capabilities.
    #[error("the program has neither the set-user-id bit nor the file capability it needs")]
    MapperUnprivileged,
    /// The range is not the user's to map (`/etc/subuid`, `/etc/subgid`).
    #[error("the range is not the user's to map")]
    RangeRefused,
    /// Files cannot be shown with other ids than they have on the disk.
    #[error("the kernel (Linux 5.19 is needed) or the file system cannot show files with other ids than their own")]
    NotShown,
    /// The child ended without a word.
    #[error("the container's first process ended before it could start")]
    ChildDied,
    /// Something outside grew past its bound.
    #[error("it is larger than allowed")]
    TooLarge,
}

impl Error {
    pub(crate) fn new(operation: &'static str, subject: impl fmt::Display, kind: Kind) -> Self {
        Self { operation, subject: subject.to_string(), kind, source: None }
    }

    pub(crate) fn system(operation: &'static str, subject: impl fmt::Display, errno: Errno) -> Self {
        Self::new(operation, subject, Kind::System).because(std::io::Error::from_raw_os_error(errno.raw_os_error()))
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// What kind of failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The object: a path, a name, a process.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The kernel's error number, if that is the cause.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.source.as_ref()?.downcast_ref::<std::io::Error>()?.raw_os_error()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if !self.subject.is_empty() {
            write!(f, " {:?}", self.subject)?;
        }
        match self.kind {
            Kind::System => Ok(()),
            kind => write!(f, ": {kind}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// `result` of a system call, with what was tried.
pub(crate) trait Context<T> {
    fn context(self, operation: &'static str, subject: impl fmt::Display) -> Result<T, Error>;
}

impl<T> Context<T> for rustix::io::Result<T> {
    fn context(self, operation: &'static str, subject: impl fmt::Display) -> Result<T, Error> {
        self.map_err(|errno| Error::system(operation, subject, errno))
    }
}
