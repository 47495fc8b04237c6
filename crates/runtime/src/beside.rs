//! Starting a helper process: the program of [`crate::helper`], with chosen descriptors and nothing else of the caller's.

use crate::helper;
use kernel::clone::{self, Namespaces, Never, Parent};
use kernel::execute::{self, Word};
use kernel::{descriptor, signal};
use rustix::io::fcntl_dupfd_cloexec;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Copies of the descriptors wait above all numbers that a helper can be given.
const ABOVE: i32 = 64;

/// Which variables a helper gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment<'a> {
    /// None: every page counts in a process that stays as long as its container.
    Empty,
    /// The caller's and these, for one that starts programs itself.
    CallerAnd(&'a [(&'a str, String)]),
}

/// Starts a helper as the caller's child, with the given descriptors under the given numbers (below 64), and returns its
/// process ID. `words` are its arguments, the first choosing the helper.
///
/// # Errors
/// When there is no memory, process or descriptor left. A helper that cannot be executed ends with status 125.
pub fn start(
    words: &[CString],
    descriptors: &[(u32, BorrowedFd<'_>)],
    environment: Environment<'_>,
) -> io::Result<i32> {
    let program = fcntl_dupfd_cloexec(helper::memfd()?, ABOVE)?;
    let copies = descriptors
        .iter()
        .map(|(number, fd)| Ok((*number, fcntl_dupfd_cloexec(fd, ABOVE)?)))
        .collect::<io::Result<Vec<(u32, OwnedFd)>>>()?;
    let variables: Vec<CString> = match environment {
        Environment::Empty => Vec::new(),
        Environment::CallerAnd(more) => {
            let more = more.iter().map(|(name, value)| ((*name).into(), value.into()));
            std::env::vars_os()
                .filter(|(name, _)| {
                    !more.clone().any(|(known, _): (std::ffi::OsString, std::ffi::OsString)| known == *name)
                })
                .chain(more.clone())
                .filter_map(variable)
                .collect()
        }
    };
    let argv = vector(words.iter().map(CString::as_c_str));
    let envp = vector(variables.iter().map(CString::as_c_str));
    let (pid, _) = clone::spawn(Namespaces::NONE, Parent::Caller, None, || -> Never {
        let _ = signal::set_mask(signal::Set::EMPTY);
        for (number, copy) in &copies {
            if descriptor::duplicate_to(copy.as_fd(), *number).is_err() {
                clone::exit(125);
            }
        }
        let _ = execute::descriptor(program.as_fd(), &argv, &envp);
        clone::exit(125)
    })?;
    Ok(pid.as_raw_nonzero().get())
}

fn variable((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<CString> {
    let mut pair = name.into_vec();
    pair.push(b'=');
    pair.extend_from_slice(value.as_os_str().as_bytes());
    CString::new(pair).ok()
}

fn vector<'a>(texts: impl Iterator<Item = &'a CStr>) -> Vec<Word<'a>> {
    texts.map(Word::new).chain([Word::END]).collect()
}
