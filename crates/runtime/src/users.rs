//! Who a container's process is: `user[:group]` against the image's `/etc/passwd` and `/etc/group`. Pure.
//!
//! The files belong to the image, so nothing in them can give more than an id inside. Lines that do not parse are skipped, as the C
//! library does. Ids are 0 … 4294967294; the last one means "unchanged" to the kernel and is refused.

use crate::error::Error;

/// A resolved user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// User id inside.
    pub uid: u32,
    /// Group id inside.
    pub gid: u32,
    /// Supplementary groups: those that list the user's name, unless a group was given.
    pub groups: Vec<u32>,
    /// Home directory; `/` for an id without an entry.
    pub home: String,
    /// Name, if the id has an entry.
    pub name: Option<String>,
}

/// `text` is `name`, `uid`, `name:group`, `uid:gid` or empty (= root). A number without an entry is taken as it is, with group 0.
///
/// # Errors
/// When a name is not in the files, or a number is no id.
pub fn resolve(_text: &str, _passwd: &[u8], _group: &[u8]) -> Result<User, Error> {
    todo!("not yet")
}

/// One word of `--group-add`: a group's name or id.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_group(_text: &str, _group: &[u8]) -> Result<u32, Error> {
    todo!("not yet")
}
