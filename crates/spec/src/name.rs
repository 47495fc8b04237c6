//! Names of containers and volumes: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, as podman's.

use crate::ParseError;

/// Checks a name; it is at most 255 bytes, so that it is also a file name.
pub fn check(what: &str, name: &str) -> Result<(), ParseError> {
    let ok = !name.is_empty()
        && name.len() <= 255
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if ok {
        Ok(())
    } else {
        Err(ParseError::new(what, name, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"))
    }
}
