//! What the child tells its parent over a socket pair of `SOCK_SEQPACKET`: that it waits, which network is its own, or which
//! step failed and why.
//!
//! End of file without a report means success, since the socket is closed by execve.

use core::fmt;
use rustix::io::Errno;

/// The part of a step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Part {
    /// The step's one system call.
    Call = 0,
    /// Finding or making the place inside.
    Resolve = 1,
    /// The place was found, and is not what a container may have there.
    Refuse = 2,
    /// Making a mount.
    Make = 3,
    /// Cloning a mount.
    Clone = 4,
    /// Changing a mount's attributes.
    Attributes = 5,
    /// Attaching a mount.
    Attach = 6,
    /// Writing a value.
    Write = 7,
    /// None of the candidates exists.
    Absent = 8,
    /// A candidate exists, but the program that its first line or header names does not.
    Interpreter = 9,
}

impl Part {
    fn from_number(number: u32) -> Self {
        const ALL: [Part; 10] = [
            Part::Call,
            Part::Resolve,
            Part::Refuse,
            Part::Make,
            Part::Clone,
            Part::Attributes,
            Part::Attach,
            Part::Write,
            Part::Absent,
            Part::Interpreter,
        ];
        ALL.into_iter().find(|part| *part as u32 == number).unwrap_or(Part::Call)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "",
            Self::Resolve => "find or make the place",
            Self::Refuse => "the place is refused",
            Self::Make => "make the mount",
            Self::Clone => "clone the mount",
            Self::Attributes => "restrict the mount",
            Self::Attach => "attach the mount",
            Self::Write => "write the value",
            Self::Absent => "find the command",
            Self::Interpreter => "find the command's interpreter",
        })
    }
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kernel's word.
    pub errno: Errno,
    /// Which part of the step.
    pub part: Part,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self { errno, part: Part::Call }
    }
}

/// Names the part of a step whose system call failed.
pub(crate) trait In<T> {
    fn during(self, part: Part) -> Result<T, Failure>;
}

impl<T> In<T> for rustix::io::Result<T> {
    fn during(self, part: Part) -> Result<T, Failure> {
        self.map_err(|errno| Failure { errno, part })
    }
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The child waits at the barrier.
    Ready,
    /// With it comes a descriptor of the child's network namespace.
    Network,
    /// The step of this index failed, with this candidate if it was about one.
    Failed {
        /// Index in the list of steps.
        op: u32,
        /// Why.
        failure: Failure,
        /// Index in the list of candidates.
        candidate: u32,
    },
}

/// Length of a message in bytes.
pub const LENGTH: usize = 16;

/// The word that lets a waiting child go.
pub const GO: [u8; 1] = [b'g'];

/// The parent's word that the user namespace has its ids; comes before [`GO`].
pub const IDS: [u8; 1] = [b'i'];

impl Report {
    /// As sent.
    #[must_use]
    pub fn encode(&self) -> [u8; LENGTH] {
        let words = match *self {
            Self::Ready => [u32::MAX, 0, 0, 0],
            Self::Network => [u32::MAX - 1, 0, 0, 0],
            Self::Failed { op, failure, candidate } => {
                [op, failure.errno.raw_os_error() as u32, failure.part as u32, candidate]
            }
        };
        let mut bytes = [0; LENGTH];
        for (target, word) in bytes.chunks_exact_mut(4).zip(words) {
            target.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// As received.
    #[must_use]
    pub fn decode(bytes: &[u8; LENGTH]) -> Self {
        let word =
            |index: usize| u32::from_ne_bytes([bytes[index], bytes[index + 1], bytes[index + 2], bytes[index + 3]]);
        match word(0) {
            u32::MAX => Self::Ready,
            word if word == u32::MAX - 1 => Self::Network,
            op => Self::Failed {
                op,
                failure: Failure {
                    // A report is never sent with 0; an error number is at most 4095.
                    errno: Errno::from_raw_os_error((word(4) as i32).clamp(1, 4095)),
                    part: Part::from_number(word(8)),
                },
                candidate: word(12),
            },
        }
    }
}
