//! Descriptors that this process was given by number.

use std::os::fd::OwnedFd;

/// A copy of an open descriptor, closed on execve; `None` if the number is not open.
pub(crate) fn duplicate(number: u32) -> Option<OwnedFd> {
    kernel::descriptor::copy(number).ok()
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
