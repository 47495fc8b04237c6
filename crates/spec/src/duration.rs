//! Lengths of time: whole seconds for stop timeouts, Go durations (`1m30s`) for health checks.

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whole seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Seconds {
    /// Parses a whole number; -1 stands for the longest time there is.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text == "-1" {
            return Ok(Self(u32::MAX));
        }
        text.parse().map(Self).map_err(|_| ParseError::new("time", text, "expected whole seconds"))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == u32::MAX { f.write_str("-1") } else { self.0.fmt(f) }
    }
}

/// Nanoseconds, written as Go writes durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanoseconds(pub u64);

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Nanoseconds {
    /// Parses Go's `time.ParseDuration` without signs: `300ms`, `1.5h`, `2h45m`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new("duration", text, "expected numbers with units such as 30s, 1m30s or 500ms");
        if text == "0" {
            return Ok(Self(0));
        }
        let mut rest = text;
        let mut total = 0u64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(bad)?;
            let (number, after) = rest.split_at(digits);
            let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            let scale = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(bad)?.1;
            let part = scaled(number, scale).ok_or_else(bad)?;
            total = total.checked_add(part).filter(|t| *t < 1 << 63).ok_or_else(bad)?;
            rest = after;
        }
        if text.is_empty() { Err(bad()) } else { Ok(Self(total)) }
    }
}

/// A decimal number times a unit, cut to whole nanoseconds; exact, so that what `Display` prints reads back the same.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.len() <= 24 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Hours have 13 digits in nanoseconds; what is past the 18th of the fraction cannot matter.
    let part = &part[..part.len().min(18)];
    let numerator: u128 = if part.is_empty() { 0 } else { part.parse().ok()? };
    let fraction = numerator * u128::from(scale) / 10u128.pow(part.len() as u32);
    whole.checked_mul(scale)?.checked_add(u64::try_from(fraction).ok()?)
}

impl fmt::Display for Nanoseconds {
    /// As Go prints it: `1m30s`, `500ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: u64 = 1_000_000_000;
        let fraction = |f: &mut fmt::Formatter<'_>, value: u64, unit: u64, name: &str| {
            let (whole, part) = (value / unit, value % unit);
            if part == 0 {
                return write!(f, "{whole}{name}");
            }
            let width = unit.ilog10() as usize;
            let digits = format!("{part:0width$}");
            write!(f, "{whole}.{}{name}", digits.trim_end_matches('0'))
        };
        match self.0 {
            0 => f.write_str("0s"),
            n if n < 1_000 => write!(f, "{n}ns"),
            n if n < 1_000_000 => fraction(f, n, 1_000, "µs"),
            n if n < SECOND => fraction(f, n, 1_000_000, "ms"),
            n => {
                let (hours, minutes) = (n / (3600 * SECOND), n / (60 * SECOND) % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                fraction(f, n % (60 * SECOND), SECOND, "s")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_in_go() {
        for (text, shown) in [
            ("90s", "1m30s"),
            ("1.5h", "1h30m0s"),
            ("300ms", "300ms"),
            ("0", "0s"),
            ("1500us", "1.5ms"),
            ("2h45m", "2h45m0s"),
            ("1ns", "1ns"),
            ("8.2s", "8.2s"),
            (".5s", "500ms"),
            ("0.0000000019s", "1ns"),
        ] {
            let parsed = Nanoseconds::parse(text).unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(Nanoseconds::parse(shown).unwrap(), parsed);
        }
        for text in ["", "5", "s", "1x", "-1s", "1s2", "9999999999h", ".s", "1.2.3s", "+1s"] {
            assert!(Nanoseconds::parse(text).is_err(), "{text}");
        }
    }
}
