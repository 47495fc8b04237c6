//! Descriptors that this process was given by number.

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::os::fd::OwnedFd;

/// A copy of an open descriptor, closed on execve; `None` if the number is not open.
pub(crate) fn duplicate(number: u32) -> Option<OwnedFd> {
    let copy = |fd: std::os::fd::BorrowedFd<'_>| fcntl_dupfd_cloexec(fd, 3).ok();
    match number {
        0 => copy(rustix::stdio::stdin()),
        1 => copy(rustix::stdio::stdout()),
        2 => copy(rustix::stdio::stderr()),
        // The safe way to reach a descriptor that is known by its number alone.
        _ => {
            let own = pidfd_open(getpid(), PidfdFlags::empty()).ok()?;
            pidfd_getfd(own, i32::try_from(number).ok()?, PidfdGetfdFlags::empty()).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_open_descriptors_have_copies() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&file) as u32;
        assert!(super::duplicate(number).is_some());
        assert!(super::duplicate(2).is_some());
        assert!(super::duplicate(9_999).is_none());
    }
}
