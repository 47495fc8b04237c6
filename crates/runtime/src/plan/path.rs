//! Paths of a container, by text alone; only the kernel resolves them.

use crate::error::{Error, Kind};
use std::ffi::{CStr, CString};
use std::fmt;

/// An absolute path inside a container: clean (no empty, `.` or `..` words), without zero bytes, shorter than `PATH_MAX`.
///
/// It is joined to a root only by `openat2(RESOLVE_IN_ROOT)`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestPath(CString);

impl GuestPath {
    /// Cleans as podman does: `//`, `.` and `..` go by text alone.
    ///
    /// # Errors
    /// When the path is relative, too long or holds a zero byte.
    pub fn parse(path: impl AsRef<[u8]>) -> Result<Self, Error> {
        let path = path.as_ref();
        let refuse = |why| Error::new("read path", String::from_utf8_lossy(path), Kind::Invalid(why));
        if path.first() != Some(&b'/') {
            return Err(refuse("a path in a container must be absolute"));
        }
        let mut words: Vec<&[u8]> = Vec::new();
        for word in path.split(|&byte| byte == b'/') {
            match word {
                b"" | b"." => {}
                b".." => drop(words.pop()),
                word => words.push(word),
            }
        }
        let clean = [b"/", words.join(&b'/').as_slice()].concat();
        if clean.len() >= libc::PATH_MAX as usize {
            return Err(refuse("it is longer than the kernel takes"));
        }
        if words.iter().any(|word| word.len() > 255) {
            return Err(refuse("a name in it is longer than 255 bytes"));
        }
        CString::new(clean).map(Self).map_err(|_| refuse("it holds a zero byte"))
    }

    /// With its leading slash.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        &self.0
    }

    /// With its leading slash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.to_bytes()
    }

    /// The name of an entry directly below `directory`, such as `null` for `/dev/null` below `/dev`.
    #[must_use]
    pub fn entry_of(&self, directory: &CStr) -> Option<&CStr> {
        let rest = self.0.to_bytes_with_nul().strip_prefix(directory.to_bytes())?.strip_prefix(b"/")?;
        let name = CStr::from_bytes_with_nul(rest).ok()?;
        (!name.is_empty() && !name.to_bytes().contains(&b'/')).then_some(name)
    }
}

impl fmt::Display for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string_lossy())
    }
}

impl fmt::Debug for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
