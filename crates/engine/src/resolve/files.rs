//! Opening things of the host and naming places inside, with errors that name them.

use crate::error::{Error, Result};
use runtime::plan::GuestPath;
use rustix::fs::{Mode, OFlags};
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A place inside.
pub(crate) fn guest(path: &str) -> Result<GuestPath> {
    GuestPath::parse(path).map_err(|e| Error::invalid(e.to_string()))
}

/// Text that the kernel will see.
pub(crate) fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::invalid(format!("{text:?} holds a NUL byte")))
}

/// Something of the host by descriptor, following links as the caller would.
///
/// When it fails, the error names the first directory on the way that stands in it.
pub(crate) fn open_path(path: &Path) -> Result<OwnedFd> {
    let open = |path: &Path| rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    open(path).map_err(|errno| {
        let error = Error::io(format!("open {path:?}"), errno.into());
        let ancestors: Vec<&Path> = path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()).collect();
        match ancestors.into_iter().rev().find(|parent| open(&parent.join(".")).is_err()) {
            Some(parent) => error.within(format!("{parent:?} cannot be entered")),
            None => error,
        }
    })
}
