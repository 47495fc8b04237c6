//! What can be wrong with a profile, and where in it.

use std::fmt;

use super::Abi;

/// A profile, or a saved program, that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{subject}{kind}")]
pub struct Error {
    subject: Subject,
    kind: ErrorKind,
}

impl Error {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    pub(super) fn in_rule(self, number: usize, name: &str) -> Self {
        let subject = Subject::Rule { number, name: name.to_owned() };
        Self { subject, ..self }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { subject: Subject::Whole, kind }
    }
}

#[derive(Debug)]
enum Subject {
    Whole,
    /// Counted from one; the name of its first system call.
    Rule {
        number: usize,
        name: String,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Rule { number, name } => write!(f, "syscalls entry {number} ({name:?}): "),
        }
    }
}

/// What is wrong with a profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Larger than any sensible profile.
    #[error("has {bytes} bytes, {most} are allowed")]
    TooLarge {
        /// Size given.
        bytes: usize,
        /// Limit.
        most: usize,
    },
    /// Not JSON, or not of the format's shape.
    #[error("not a seccomp profile: {0}")]
    Syntax(serde_json::Error),
    /// Neither `defaultAction` nor `syscalls`: podman takes that as no filter at all, which nobody should get by accident.
    #[error("has no defaultAction (for no filter at all use seccomp=unconfined)")]
    NoDefaultAction,
    /// An action outside the format.
    #[error("unknown action {0:?}")]
    UnknownAction(String),
    /// `SCMP_ACT_NOTIFY`, `listenerPath`, or a flag about a listener.
    #[error("{0} needs a listener process, which lodger does not support")]
    NeedsListener(String),
    /// `errno` or `errnoRet` beside an action that returns none.
    #[error("errno given for {0}, which returns none")]
    ErrnoWithout(String),
    /// Not the name of an errno value.
    #[error("unknown errno {0:?}")]
    UnknownErrno(String),
    /// An errno value that does not fit.
    #[error("errno {0} is out of range")]
    ErrnoRange(u32),
    /// A comparison outside the format.
    #[error("unknown comparison {0:?}")]
    UnknownComparison(String),
    /// System calls have the arguments 0 to 5.
    #[error("argument index {0} is not in 0..=5")]
    ArgumentIndex(u32),
    /// More of something than any sensible profile.
    #[error("has {count} {what}, {most} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// Number given.
        count: usize,
        /// Limit.
        most: usize,
    },
    /// Two ways to say the same thing were both used.
    #[error("has both {0:?} and {1:?}")]
    Both(&'static str, &'static str),
    /// Not one of libseccomp's architectures.
    #[error("unknown architecture {0:?}")]
    UnknownArchitecture(String),
    /// Not a filter flag.
    #[error("unknown flag {0:?}")]
    UnknownFlag(String),
    /// Not `major.minor`.
    #[error("minKernel {0:?} is not a kernel version")]
    KernelVersion(String),
    /// Two rules say different things about the same arguments. libseccomp refuses these too.
    #[error("rules for {syscall} ({abi}) contradict each other")]
    Contradiction {
        /// The call.
        syscall: String,
        /// Its convention.
        abi: Abi,
    },
    /// The kernel takes 4096 instructions at most.
    #[error("needs more than {} instructions, the most the kernel takes", super::MAX_INSTRUCTIONS)]
    TooLong,
    /// A saved program that the compiler did not write.
    #[error("saved seccomp program is damaged at instruction {0}")]
    DamagedProgram(usize),
}
