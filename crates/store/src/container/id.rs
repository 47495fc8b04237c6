//! Names that no two containers share.

use crate::record;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use spec::Digest;
use std::fmt;

/// A container's ID: 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId(String);

impl ContainerId {
    /// A new one.
    pub fn random() -> Self {
        Self(record::hex(&record::random_bytes::<32>()))
    }

    /// Parses a full ID.
    pub fn parse(text: &str) -> std::result::Result<Self, spec::ParseError> {
        match Digest::parse_hex(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(spec::ParseError::new("container ID", text, "expected 64 lower-case hex digits")),
        }
    }

    /// Its 32 bytes in 43 characters (base64url): up to 59 bytes, the target of a symlink lies in the inode on ext4 and xfs,
    /// and nothing but the inode has to be freed with it.
    pub(crate) fn compact(&self) -> String {
        let byte = |at: usize| u8::from_str_radix(&self.0[at..at + 2], 16).expect("parsed as hex digits");
        URL_SAFE_NO_PAD.encode((0..64).step_by(2).map(byte).collect::<Vec<u8>>())
    }

    /// Reads what `compact` wrote.
    pub(crate) fn from_compact(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self(record::hex(&bytes)))
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 digits, as lists show it.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ContainerId {
    type Error = spec::ParseError;
    fn try_from(text: String) -> std::result::Result<Self, spec::ParseError> {
        Self::parse(&text)
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> Self {
        id.0
    }
}
