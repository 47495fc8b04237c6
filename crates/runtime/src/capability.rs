//! Capabilities by name and number, and the five sets of a process. See capabilities(7).

use spec::security::CAPABILITIES;
use std::fmt;

/// A set of capabilities, bit *n* being capability number *n*.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Set(pub u64);

/// The sets of the container's process before execve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sets {
    /// What execve can ever give.
    pub bounding: Set,
    /// What counts now.
    pub effective: Set,
    /// What may become effective.
    pub permitted: Set,
    /// What execve keeps of file capabilities. Not empty only where `ambient` needs it.
    pub inheritable: Set,
    /// What execve of an ordinary program keeps, for a user who is not root.
    pub ambient: Set,
}

impl Set {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// All that this version knows.
    pub const ALL: Self = Self((1 << CAPABILITIES.len()) - 1);

    /// One capability by its name: any case, with or without `CAP_`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("CAP_").unwrap_or(&name);
        CAPABILITIES.iter().position(|known| *known == name).map(|number| Self(1 << number))
    }

    /// What this process, or a child of it, can have at most: its bounding set (all that is known, where it cannot be read).
    #[must_use]
    pub fn available() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
        bounding
            .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
            .map_or(Self::ALL, |set| Self(set).and(Self::ALL))
    }

    /// A mask as `/proc/PID/status` has it; bits that this version does not know are left out.
    #[must_use]
    pub const fn of_mask(mask: u64) -> Self {
        Self(mask & Self::ALL.0)
    }

    /// In both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// In either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In this and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Upper-case names with `CAP_`, in the order of their numbers.
    pub fn names(self) -> impl Iterator<Item = String> {
        CAPABILITIES
            .iter()
            .enumerate()
            .filter(move |(number, _)| self.0 & (1 << number) != 0)
            .map(|(_, name)| format!("CAP_{name}"))
    }
}

impl Sets {
    /// What podman gives: root holds all of `allowed`; another user holds only `added` (by `--cap-add`), as ambient capabilities.
    #[must_use]
    pub fn for_user(uid: u32, allowed: Set, added: Set) -> Self {
        let held = if uid == 0 { allowed } else { allowed.and(added) };
        let kept = if uid == 0 { Set::EMPTY } else { held };
        Self { bounding: allowed, effective: held, permitted: held, inheritable: kept, ambient: kept }
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
