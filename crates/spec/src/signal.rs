//! Signals by name or number: `SIGTERM`, `TERM`, `term`, `15`, `SIGRTMIN+3`.

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A Linux signal number, 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signal(i32);

/// Names in numerical order from 1; the numbers are those of every architecture lodger runs on (x86, arm).
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];
const ALIASES: [(&str, i32); 3] = [("IOT", 6), ("POLL", 29), ("CLD", 17)];
/// The C library keeps 32 and 33 for itself, so its SIGRTMIN is 34.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

impl Signal {
    /// SIGTERM
    pub const TERM: Self = Self(15);
    /// SIGRTMIN+3, with which systemd is asked to power off.
    pub const RTMIN_PLUS_3: Self = Self(37);
    /// SIGKILL
    pub const KILL: Self = Self(9);

    /// The signal of this number, 1 to 64.
    pub fn from_number(number: i32) -> Option<Self> {
        (1..=RTMAX).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Parses a name, with or without `SIG`, in any case, or a number.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new("signal", text, "expected a name such as SIGTERM or a number from 1 to 64");
        if let Ok(number) = text.parse() {
            return Self::from_number(number).ok_or_else(bad);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let offset = |rest: &str, sign: char| match rest {
            "" => Some(0),
            rest => rest.strip_prefix(sign)?.parse::<i32>().ok().filter(|n| (0..=RTMAX - RTMIN).contains(n)),
        };
        if let Some(rest) = name.strip_prefix("RTMIN") {
            return offset(rest, '+').map(|n| Self(RTMIN + n)).ok_or_else(bad);
        }
        if let Some(rest) = name.strip_prefix("RTMAX") {
            return offset(rest, '-').map(|n| Self(RTMAX - n)).ok_or_else(bad);
        }
        let plain = NAMES.iter().position(|known| *known == name).map(|index| index as i32 + 1);
        let alias = || ALIASES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        plain.or_else(alias).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(self.0 as usize - 1) {
            Some(name) => write!(f, "SIG{name}"),
            None if self.0 < RTMIN => write!(f, "{}", self.0),
            None if self.0 == RTMIN => f.write_str("SIGRTMIN"),
            None => write!(f, "SIGRTMIN+{}", self.0 - RTMIN),
        }
    }
}

impl TryFrom<String> for Signal {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        signal.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_prints_as_it_parses() {
        for number in 1..=64 {
            let signal = Signal::from_number(number).unwrap();
            assert_eq!(Signal::parse(&signal.to_string()).unwrap(), signal);
        }
        assert_eq!(Signal::parse("rtmin+3").unwrap().number(), 37);
        assert_eq!(Signal::parse("kill").unwrap().number(), 9);
        for text in ["", "0", "65", "SIG", "RTMIN+31", "RTMAX+1", "TERM "] {
            assert!(Signal::parse(text).is_err(), "{text:?}");
        }
    }
}
