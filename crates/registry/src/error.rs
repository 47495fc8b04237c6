//! What can go wrong between here and a registry, as one type.
//!
//! Text that a server sent is bounded and stripped of control characters before it gets in here, and nothing in here
//! ever holds a password or a token. What is worth another attempt is decided by [`Kind::is_transient`] alone.

use spec::{Digest, Platform};
use std::fmt;
use std::time::Duration;

/// A cause from another library or the system.
pub type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A failed operation: `{op} "{subject}": {kind}`; the chain below holds the system's own words.
#[derive(Debug, thiserror::Error)]
#[error("{op} {subject:?}: {kind}{}", Before(.before))]
pub struct Error {
    /// What was being done.
    pub op: Operation,
    /// To what: an image name, a host, a file. Never holds a secret.
    pub subject: String,
    /// What went wrong.
    pub kind: Kind,
    /// Who says so.
    #[source]
    pub source: Option<Source>,
    /// What other places said before: the mirrors, in order.
    pub before: Box<[Error]>,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Parsing registries.conf.
    ReadRegistriesConf,
    /// Reading an auth.json, or asking a credential helper.
    ReadCredentials,
    /// Changing an auth.json, or giving a credential helper something to keep.
    WriteCredentials,
    /// Reading trusted certificates or a certs.d directory.
    ReadCertificates,
    /// Choosing where an image comes from.
    Locate,
    /// Getting a manifest or index.
    FetchManifest,
    /// Getting an image config or another small document.
    FetchDocument,
    /// Getting a layer.
    FetchBlob,
    /// Sending a layer or config.
    PushBlob,
    /// Sending a manifest.
    PushManifest,
    /// Looking for images by their names.
    Search,
    /// Getting a file from a web server.
    FetchFile,
    /// Getting a token from an authorization server.
    FetchToken,
    /// Listing a repository's tags.
    ListTags,
    /// Asking whether a registry lets us in.
    Ping,
}

/// What went wrong. The larger values are boxed because every result carries the room for them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Kind {
    /// The registry has no such repository, tag, manifest or blob. Holds the registry's words.
    #[error("not found{}", Detail(.0))]
    NotFound(String),
    /// The registry wants a login, or does not take the one it got.
    #[error("{} {registry}{}", if *.with_credentials { "access refused with the given credentials at" } else { "login required at" }, Detail(detail))]
    Unauthorized {
        /// Host and port that refused.
        registry: String,
        /// Whether credentials were sent.
        with_credentials: bool,
        /// The registry's words.
        detail: String,
    },
    /// Known to the registry, but not allowed. Holds the registry's words.
    #[error("access denied{}", Detail(.0))]
    Denied(String),
    /// Status 429.
    #[error("too many requests{}", RetryAfter(.retry_after))]
    RateLimited {
        /// How long the registry asks to wait.
        retry_after: Option<Duration>,
    },
    /// Status 5xx.
    #[error("the server failed with status {status}{}", Detail(detail))]
    Server {
        /// 500 to 599.
        status: u16,
        /// How long the registry asks to wait.
        retry_after: Option<Duration>,
        /// The registry's words.
        detail: String,
    },
    /// The server's certificate or handshake was not acceptable. Holds the reason.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server does not speak TLS; such a registry must be configured as insecure.
    #[error("the server answered in plain http, not https")]
    PlainHttp,
    /// The host has no address.
    #[error("host {0:?} not found")]
    Dns(String),
    /// No connection could be made.
    #[error("cannot connect to {0}")]
    Connect(String),
    /// Nothing came for too long. Holds what was waited for.
    #[error("timed out ({0})")]
    Timeout(String),
    /// The connection ended before the answer did. Holds how far it came.
    #[error("connection broke{}", Detail(.0))]
    Interrupted(String),
    /// An answer that the protocol does not allow.
    #[error("{0}")]
    Protocol(String),
    /// A redirect that is not followed.
    #[error("refused redirect: {0}")]
    Redirect(String),
    /// The bytes are not those that were asked for.
    #[error("content is {got}, expected {wanted}")]
    DigestMismatch {
        /// Asked for.
        wanted: Box<Digest>,
        /// Came.
        got: Box<Digest>,
    },
    /// The number of bytes is not the one in the descriptor.
    #[error("content has {got} bytes, expected {wanted}")]
    SizeMismatch {
        /// Bytes asked for.
        wanted: u64,
        /// Bytes that came or were announced.
        got: u64,
    },
    /// More than is ever read.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What was.
        what: &'static str,
        /// In bytes.
        limit: u64,
    },
    /// Not an image, or a kind of image that is not supported.
    #[error("unknown media type {media_type:?} of {of}")]
    UnsupportedMediaType {
        /// As found.
        media_type: String,
        /// `layer sha256:…`, `manifest`, `config (an artifact, not an image)`.
        of: String,
    },
    /// The manifest or index is malformed or ambiguous. Holds the reason.
    #[error("invalid manifest: {0}")]
    InvalidManifest(String),
    /// No image of an index is for the wanted platform.
    #[error("no image for {wanted}; there are {}", Offered(offered))]
    NoPlatform {
        /// Asked for.
        wanted: Box<Platform>,
        /// In the index, without attestations.
        offered: Vec<String>,
    },
    /// registries.conf blocks it. Holds the prefix of the entry.
    #[error("blocked by the registries.conf entry for {0:?}")]
    Blocked(String),
    /// Something on this machine is malformed: a file, a name, an option. Holds the reason.
    #[error("{0}")]
    Invalid(String),
    /// A file could not be read; the source says why.
    #[error("cannot read")]
    Unreadable,
}

impl Kind {
    /// Whether the same request may well succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Server { .. }
                | Self::Dns(_)
                | Self::Connect(_)
                | Self::Timeout(_)
                | Self::Interrupted(_)
        )
    }

    /// How long the server asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Error {
    pub(crate) fn new(op: Operation, subject: impl Into<String>, kind: Kind) -> Self {
        Self { op, subject: subject.into(), kind, source: None, before: Box::default() }
    }

    pub(crate) fn because(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The error that a [`BlobReader`](crate::BlobReader) wrapped in an `io::Error`, if it is one of ours.
    pub fn from_io(error: std::io::Error) -> Result<Self, std::io::Error> {
        error.downcast::<Self>()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadRegistriesConf => "read registries configuration",
            Self::ReadCredentials => "read credentials",
            Self::WriteCredentials => "write credentials",
            Self::ReadCertificates => "read certificates",
            Self::Locate => "locate image",
            Self::FetchManifest => "fetch manifest",
            Self::FetchDocument => "fetch document",
            Self::FetchBlob => "fetch blob",
            Self::PushBlob => "push blob",
            Self::PushManifest => "push manifest",
            Self::Search => "search",
            Self::FetchFile => "fetch",
            Self::FetchToken => "fetch token",
            Self::ListTags => "list tags of",
            Self::Ping => "contact registry",
        })
    }
}

struct Detail<'a>(&'a str);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

struct Before<'a>(&'a [Error]);

impl fmt::Display for Before<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|error| write!(f, " (before that, {}: {})", error.subject, error.kind))
    }
}

struct RetryAfter<'a>(&'a Option<Duration>);

impl fmt::Display for RetryAfter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |wait| write!(f, "; the registry asks to wait {} s", wait.as_secs()))
    }
}

struct Offered<'a>(&'a [String]);

impl fmt::Display for Offered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { f.write_str(&self.0.join(", ")) }
    }
}
