//! What can go wrong in the store: operation, subject, kind.
//!
//! `Display` is complete on its own (`remove image "web:1.4": in use by …`): a fragment in lower case that names the
//! object. Wording for people and hints are made by the command line from `Kind`.

use crate::holder::Holder;
use spec::Digest;
use std::fmt;
use std::io;
use std::path::Path;

/// The result of every operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed operation on the store.
#[derive(Debug, thiserror::Error)]
#[error("{op} {subject:?}: {kind}")]
pub struct Error {
    /// What was being done, as a verb: `open`, `remove image`.
    pub op: &'static str,
    /// To what: a path, a name, an ID.
    pub subject: String,
    /// Why it failed.
    pub kind: Kind,
}

/// The nouns that a name can fail to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// An image, by name or ID.
    Image,
    /// A container, by name or ID.
    Container,
    /// A volume, by name.
    Volume,
    /// A secret, by name or ID.
    Secret,
    /// An unpacked layer, by diff ID.
    Layer,
    /// A manifest or config, by digest.
    Blob,
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Kind {
    /// Nothing of that name or ID.
    #[error("no such {0}")]
    NotFound(What),
    /// The text is no name or ID at all; says what was expected.
    #[error("{0}")]
    InvalidName(String),
    /// A container name that another container bears.
    #[error("the name is already in use by {id}")]
    NameInUse {
        /// Of the container that bears it.
        id: String,
    },
    /// An ID, volume name or layer that exists already.
    #[error("already exists")]
    Exists,
    /// Something still needs it.
    #[error("in use by {}", .by.join(", "))]
    InUse {
        /// Container IDs.
        by: Vec<String>,
    },
    /// Removal by ID of an image that has several names, without force.
    #[error("has several names: {}", .names.join(", "))]
    SeveralNames {
        /// All of them.
        names: Vec<String>,
    },
    /// A short ID or name that means more than one thing.
    #[error("more than one result: {}", .matches.join(", "))]
    Ambiguous {
        /// What noun was asked for.
        what: What,
        /// IDs or names that match.
        matches: Vec<String>,
    },
    /// Bytes that are not what their digest promised.
    #[error("digest is {actual} where {expected} was expected")]
    DigestMismatch {
        /// Promised.
        expected: Digest,
        /// Found.
        actual: Digest,
    },
    /// Fewer or more bytes than promised.
    #[error("{actual} bytes where {expected} were expected")]
    SizeMismatch {
        /// Promised, in bytes.
        expected: u64,
        /// Found, in bytes; counting stops at the first byte too many.
        actual: u64,
    },
    /// More than the bound that was set.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: u64,
    },
    /// ENOSPC or EDQUOT: the disk, its inodes or the quota are used up.
    #[error("{0}")]
    NoSpace(#[source] io::Error),
    /// A kind of content that this crate does not read.
    #[error("unsupported media type {0:?}")]
    UnsupportedMediaType(String),
    /// A file of an image belongs to an ID that has no place in the user namespace's map.
    #[error("owner {uid}:{gid} is outside the range of mapped IDs")]
    UnmappedId {
        /// As the image has it.
        uid: u32,
        /// As the image has it.
        gid: u32,
    },
    /// Another process holds the lock for longer than the caller would wait.
    #[error("locked by {}", Holder::name(.holder.as_ref()))]
    Locked {
        /// Who, when it is known.
        holder: Option<Holder>,
    },
    /// A record or archive that does not say what it should; nothing was changed because of it.
    #[error("{0}")]
    Corrupt(String),
    /// An archive with an entry that is refused: it would reach outside, or is malformed.
    #[error("{0}")]
    BadArchive(String),
    /// The caller's reader failed (the network, a pipe). What was read so far is kept for the next try.
    #[error("{0}")]
    Source(#[source] io::Error),
    /// The store was written by a newer version that changed the layout.
    #[error("made by a newer version (format {found}, this version knows {known})")]
    NewerFormat {
        /// Found on disk.
        found: u32,
        /// Known here.
        known: u32,
    },
    /// Any other failure of the operating system.
    #[error("{0}")]
    Io(#[source] io::Error),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Container => "container",
            Self::Volume => "volume",
            Self::Secret => "secret",
            Self::Layer => "layer",
            Self::Blob => "blob",
        })
    }
}

impl Error {
    /// An error of the given kind.
    pub(crate) fn new(op: &'static str, subject: impl Into<String>, kind: Kind) -> Self {
        Self { op, subject: subject.into(), kind }
    }

    /// An operating system's error at a path.
    pub(crate) fn at(op: &'static str, path: &Path, error: impl Into<io::Error>) -> Self {
        Self::new(op, path.display().to_string(), Kind::from_io(error.into()))
    }

    /// A name or ID that nothing has.
    pub(crate) fn not_found(op: &'static str, what: What, subject: impl Into<String>) -> Self {
        Self::new(op, subject, Kind::NotFound(what))
    }

    /// Whether the thing simply is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind, Kind::NotFound(_))
    }
}

impl Kind {
    /// Tells a full disk from other errors.
    pub(crate) fn from_io(error: io::Error) -> Self {
        match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) => Self::NoSpace(error),
            _ => Self::Io(error),
        }
    }
}

/// Gives an operating system's error its operation and path.
pub(crate) trait At<T> {
    /// `self`, or the error as `{op} "{path}": …`.
    fn at(self, op: &'static str, path: &Path) -> Result<T>;
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, op: &'static str, path: &Path) -> Result<T> {
        self.map_err(|errno| Error::at(op, path, errno))
    }
}

impl<T> At<T> for io::Result<T> {
    fn at(self, op: &'static str, path: &Path) -> Result<T> {
        self.map_err(|error| Error::at(op, path, error))
    }
}
