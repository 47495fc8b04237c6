//! The last steps: descriptors, working directory, execve.

use super::Start;
use crate::inside;
use crate::report::{Failure, In, Part};
use core::ffi::CStr;
use kernel::descriptor::close_range;
use kernel::execute;
use kernel::execute::Word;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, accessat, chownat, fstat, open};
use rustix::io::Errno;
use rustix::process::Uid;

/// Gives the container's own terminal to a user.
pub(super) fn own(terminal: BorrowedFd<'_>, uid: u32) -> Result<(), Failure> {
    Ok(chownat(terminal, c"", Some(Uid::from_raw(uid)), None, AtFlags::EMPTY_PATH)?)
}

/// Gives a pipe to a user; one that is not ours to give is no failure.
pub(super) fn own_pipe(pipe: BorrowedFd<'_>, uid: u32) -> Result<(), Failure> {
    if FileType::from_raw_mode(fstat(pipe)?.st_mode) != FileType::Fifo {
        return Ok(());
    }
    match own(pipe, uid) {
        Err(Failure { errno: Errno::PERM | Errno::INVAL | Errno::ROFS, .. }) => Ok(()),
        result => result,
    }
}

/// Closes, rather than marks for closing: what is open until execve could be reached as `/proc/self/fd/N` by the path that is executed.
///
/// The report, and the helper that is executed, stay: a socket leads nowhere, and the helper is sealed.
pub(super) fn close_rest(kept: &[u32], report: BorrowedFd<'_>) -> Result<(), Failure> {
    let report = report.as_raw_fd() as u32;
    let mut start = 3;
    let mut rest = kept;
    loop {
        // `kept` is sorted; the report comes in its place among them.
        let next = match rest.split_first() {
            Some((&number, _)) if report < start || number < report => {
                rest = &rest[1..];
                number
            }
            _ if report >= start => report,
            _ => break,
        };
        if next > start {
            close_range(start, next - 1)?;
        }
        start = start.max(next + 1);
    }
    Ok(close_range(start, u32::MAX)?)
}

/// Changes to a directory inside the root, which is now the process's own, and makes sure that it is: what `/proc/self/fd/N` of
/// a forgotten descriptor would lead to shows as `(unreachable)`.
pub(super) fn change_directory(path: &CStr) -> Result<(), Failure> {
    let root = open(c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let directory =
        inside::open(rustix::fd::AsFd::as_fd(&root), path, flags, ResolveFlags::empty()).during(Part::Resolve)?;
    rustix::process::fchdir(&directory)?;
    let mut buffer = [0u8; 4096];
    match kernel::session::working_directory(&mut buffer) {
        Ok(path) if path.to_bytes().first() == Some(&b'/') => Ok(()),
        Ok(_) => Err(Failure { errno: Errno::ACCESS, part: Part::Refuse }),
        // Longer than PATH_MAX, or removed by somebody meanwhile: reached through the root all the same.
        Err(Errno::RANGE | Errno::NAMETOOLONG | Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Tries the candidates in order, as execvp(3) does: what is not there is passed over, what may not be executed is remembered.
pub(super) fn execute(start: &Start<'_>, argv: &[Word<'_>], candidate: &mut u32) -> Failure {
    let mut refused = None;
    for (index, path) in start.candidates.iter().enumerate() {
        *candidate = index as u32;
        match execute::path(path, argv, start.envp) {
            Errno::NOENT if exists(path) => return Failure { errno: Errno::NOENT, part: Part::Interpreter },
            Errno::NOENT | Errno::NOTDIR => {}
            // A name without a slash may stand, executable, in a later directory.
            Errno::ACCESS => drop(refused.get_or_insert(index as u32)),
            errno => return errno.into(),
        }
    }
    none_of(refused, candidate)
}

/// The first candidate that can be executed, as far as its permissions tell.
pub(super) fn executable<'a>(candidates: &[&'a CStr], candidate: &mut u32) -> Result<&'a CStr, Failure> {
    let mut refused = None;
    for (index, path) in candidates.iter().enumerate() {
        match accessat(CWD, *path, Access::EXEC_OK, AtFlags::EACCESS) {
            Ok(()) if is_directory(path) => drop(refused.get_or_insert(index as u32)),
            Ok(()) => return Ok(path),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(_) => drop(refused.get_or_insert(index as u32)),
        }
    }
    Err(none_of(refused, candidate))
}

fn none_of(refused: Option<u32>, candidate: &mut u32) -> Failure {
    match refused {
        Some(index) => {
            *candidate = index;
            Errno::ACCESS.into()
        }
        None => Failure { errno: Errno::NOENT, part: Part::Absent },
    }
}

fn exists(path: &CStr) -> bool {
    accessat(CWD, path, Access::EXISTS, AtFlags::empty()).is_ok()
}

fn is_directory(path: &CStr) -> bool {
    rustix::fs::stat(path).is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Directory)
}
