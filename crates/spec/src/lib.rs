//! The nouns of lodger and their text forms, and the option table.
//!
//! Pure data: nothing here does I/O or reads the clock or the environment. A type's `parse` is the only way from
//! outside words into it, so a value that exists is well formed.
//!
//! ```text
//! reference, digest, platform, oci     what an image is
//! container and its groups             what was asked of a container ("Spec mirrors words")
//! options                              flag = Quadlet key = a row
//! idmap                                ids of a user namespace and of the one around it
//! volume, secret                       what a volume is asked to be; how a container gets a secret
//! bytes, duration, signal, name        small text forms
//! ```

pub mod bytes;
pub mod container;
pub mod digest;
pub mod duration;
#[cfg(test)]
mod fuzz;
pub mod health;
pub mod idmap;
pub mod lifecycle;
pub mod logging;
pub mod mount;
pub mod name;
pub mod namespaces;
pub mod network;
pub mod oci;
pub mod options;
pub mod platform;
pub mod process;
pub mod pull;
pub mod reference;
pub mod resources;
pub mod secret;
pub mod security;
pub mod signal;
pub mod volume;
mod word;

pub use container::ContainerSpec;
pub use digest::Digest;
pub use platform::Platform;
pub use reference::Reference;

/// Why a text is not a value of the type asked for.
///
/// The message is a lower-case fragment that quotes the text and says what was expected; the caller adds which flag,
/// key or file it came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub String);

impl ParseError {
    /// `invalid {what} "{text}": {expected}`
    pub fn new(what: &str, text: &str, expected: &str) -> Self {
        Self(format!("invalid {what} {text:?}: {expected}"))
    }
}

/// For `skip_serializing_if`: records on disk hold only what was asked for.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
