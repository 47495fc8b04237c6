//! What a filter answers: the `SECCOMP_RET_*` values of seccomp(2), and their names in profiles.

use std::fmt;

use super::{Error, ErrorKind};

/// A filter's return value: the action in the upper half, its data (errno, trace message) in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action(u32);

/// The parts of a return value: `SECCOMP_RET_ACTION_FULL` and `SECCOMP_RET_DATA`.
const ACTION: u32 = 0xffff_0000;

const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0x0000_0000;
const TRAP: u32 = 0x0003_0000;
const ERRNO: u32 = 0x0005_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;

/// What an action returns when the profile names no errno.
const EPERM: u32 = libc::EPERM.unsigned_abs();

impl Action {
    /// The call runs.
    pub const ALLOW: Self = Self(ALLOW);
    /// The thread dies: what a filter answers to an architecture it has no rules for. (`SCMP_FLTATR_ACT_BADARCH` of libseccomp,
    /// which neither crun nor runc change.)
    pub const KILL_THREAD: Self = Self(KILL_THREAD);

    /// The call fails.
    #[must_use]
    pub const fn errno(number: u16) -> Self {
        Self(ERRNO | number as u32)
    }

    /// The value as the kernel takes it.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Any value a program returns.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// An action of a profile, with the errno that stands beside it.
    ///
    /// # Errors
    ///
    /// A name outside the format, one that needs a listener, an errno where there is none to return.
    pub(super) fn parse(name: &str, errno: Option<u32>) -> Result<Self, Error> {
        let plain = match name {
            "SCMP_ACT_ERRNO" => return Self::with_data(ERRNO, errno),
            "SCMP_ACT_TRACE" => return Self::with_data(TRACE, errno),
            "SCMP_ACT_ALLOW" => ALLOW,
            "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => KILL_THREAD,
            "SCMP_ACT_KILL_PROCESS" => KILL_PROCESS,
            "SCMP_ACT_TRAP" => TRAP,
            "SCMP_ACT_LOG" => LOG,
            "SCMP_ACT_NOTIFY" => return Err(ErrorKind::NeedsListener(name.to_owned()).into()),
            _ => return Err(ErrorKind::UnknownAction(name.to_owned()).into()),
        };
        match errno {
            Some(_) => Err(ErrorKind::ErrnoWithout(name.to_owned()).into()),
            None => Ok(Self(plain)),
        }
    }

    fn with_data(action: u32, errno: Option<u32>) -> Result<Self, Error> {
        let data = errno.unwrap_or(EPERM);
        if data & ACTION != 0 {
            return Err(ErrorKind::ErrnoRange(data).into());
        }
        Ok(Self(action | data))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.0 & !ACTION;
        match self.0 & ACTION {
            KILL_PROCESS => f.write_str("KILL_PROCESS"),
            KILL_THREAD => f.write_str("KILL_THREAD"),
            TRAP => f.write_str("TRAP"),
            ERRNO => write!(f, "ERRNO({data})"),
            TRACE => write!(f, "TRACE({data})"),
            LOG => f.write_str("LOG"),
            ALLOW => f.write_str("ALLOW"),
            _ => write!(f, "{:#x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, ErrorKind};

    #[test]
    fn actions_are_the_kernels_values() {
        assert_eq!(Action::parse("SCMP_ACT_ERRNO", None).expect("valid"), Action::errno(1));
        assert_eq!(Action::parse("SCMP_ACT_ERRNO", Some(38)).expect("valid").bits(), 0x0005_0026);
        assert_eq!(Action::parse("SCMP_ACT_TRACE", Some(7)).expect("valid").to_string(), "TRACE(7)");
        assert_eq!(Action::parse("SCMP_ACT_KILL", None).expect("valid"), Action::KILL_THREAD);
        assert_eq!(Action::parse("SCMP_ACT_LOG", None).expect("valid").to_string(), "LOG");
    }

    #[test]
    fn a_listener_is_refused_in_so_many_words() {
        let error = Action::parse("SCMP_ACT_NOTIFY", None).expect_err("no listener");
        assert!(matches!(error.kind(), ErrorKind::NeedsListener(_)));
        assert_eq!(error.to_string(), "SCMP_ACT_NOTIFY needs a listener process, which lodger does not support");
    }

    #[test]
    fn an_errno_is_refused_where_none_is_returned_or_it_does_not_fit() {
        assert!(matches!(
            Action::parse("SCMP_ACT_ALLOW", Some(1)).expect_err("no errno").kind(),
            ErrorKind::ErrnoWithout(_)
        ));
        assert!(matches!(
            Action::parse("SCMP_ACT_ERRNO", Some(65_536)).expect_err("16 bits").kind(),
            ErrorKind::ErrnoRange(65_536)
        ));
        assert!(matches!(Action::parse("ALLOW", None).expect_err("prefix").kind(), ErrorKind::UnknownAction(_)));
    }
}
