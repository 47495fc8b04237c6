//! Sizes as people write them: `256m`, `1g`, `64k`, `512b`, `1024`.
//!
//! Powers of 1024, units of one letter in either case, `kb`/`kib` and the like allowed, as podman reads `--memory`.

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Parses a number with an optional fraction and unit.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new("size", text, "expected a number with an optional unit b, k, m, g, t or p");
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim().to_ascii_lowercase();
        let shift = match unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(&unit) {
            "" => 0,
            "k" => 10,
            "m" => 20,
            "g" => 30,
            "t" => 40,
            "p" => 50,
            _ => return Err(bad()),
        };
        if unit == "ib" {
            return Err(bad());
        }
        let scale = 1u64 << shift;
        if let Ok(whole) = number.parse::<u64>() {
            return whole.checked_mul(scale).map(Self).ok_or_else(bad);
        }
        let fraction: f64 = number.parse().map_err(|_| bad())?;
        let bytes = fraction * scale as f64;
        if bytes.is_finite() && bytes < (1u64 << 63) as f64 { Ok(Self(bytes as u64)) } else { Err(bad()) }
    }
}

impl fmt::Display for Bytes {
    /// The shortest text that parses to the same number: `256m`, `1000b` as `1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(50, 'p'), (40, 't'), (30, 'g'), (20, 'm'), (10, 'k')];
        match units.iter().find(|(shift, _)| self.0 != 0 && self.0.trailing_zeros() >= *shift) {
            Some((shift, unit)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_podman_reads_them() {
        for (text, bytes) in
            [("256m", 256 << 20), ("1G", 1 << 30), ("1.5k", 1536), ("7", 7), ("2kb", 2048), ("2KiB", 2048), ("9b", 9)]
        {
            assert_eq!(Bytes::parse(text).unwrap().0, bytes, "{text}");
        }
        for text in ["", "m", "-1", "1x", "1e3", "99999999999g", "ib", "1.2.3"] {
            assert!(Bytes::parse(text).is_err(), "{text}");
        }
        for bytes in [0, 1, 1023, 1024, 1 << 30, (1 << 30) + 1] {
            assert_eq!(Bytes::parse(&Bytes(bytes).to_string()).unwrap().0, bytes);
        }
    }
}
