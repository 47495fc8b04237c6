//! Opening things of the host and naming places inside, with errors that name them.

use crate::error::{Error, Result};
use runtime::plan::GuestPath;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
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
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Error::io(format!("open {path:?}"), explained(path, errno.into())))
}

/// Why a path cannot be reached, with what stands in the way: the first part of it that is missing or is no directory, or the
/// directory that may not be entered, whose it is and with which mode.
pub(crate) fn explained(path: &Path, error: std::io::Error) -> std::io::Error {
    let mut ancestors: Vec<&Path> = path.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
    ancestors.reverse();
    let enter = |part: &Path| rustix::fs::open(part.join("."), OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let refused = |part: &&&Path| matches!(enter(part), Err(Errno::ACCESS));
    let why = match ancestors.iter().find(refused) {
        Some(closed) => closed_to(closed),
        None => {
            let missing = ancestors.iter().find(|part| part.symlink_metadata().is_err());
            missing.filter(|part| **part != path).map(|part| format!("{} does not exist", part.display()))
        }
    };
    match why {
        Some(why) => {
            let text = error.to_string();
            // Rust's "(os error 13)" says nothing to anybody.
            let text = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
            std::io::Error::new(error.kind(), format!("{text}: {why}"))
        }
        None => error,
    }
}

/// `the directory /root belongs to root and its mode 0700 does not let alice in`
fn closed_to(directory: &Path) -> Option<String> {
    let meta = directory.metadata().ok()?;
    let caller = crate::host::user_name(rustix::process::geteuid().as_raw());
    let what = if meta.is_dir() { "directory" } else { "file" };
    Some(format!(
        "the {what} {} belongs to {} and its mode {:04o} does not let {caller} in",
        directory.display(),
        crate::host::user_name(meta.uid()),
        meta.mode() & 0o7777
    ))
}
