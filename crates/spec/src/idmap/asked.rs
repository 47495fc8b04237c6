//! One `--uidmap` or `--gidmap` as it is written: `[+ug]INSIDE:[@]OUTSIDE[:COUNT]`.

use super::IdRange;
use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// For which kind of ids a mapping counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// For the kind it is given for, and for the other kind if that has none of its own.
    #[default]
    Either,
    /// `u`: for users alone.
    Users,
    /// `g`: for groups alone.
    Groups,
}

/// One mapping that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMapping {
    /// The ids.
    pub range: IdRange,
    /// `+`: what contradicts it among those before goes, and a user's first one of this kind changes the default map.
    #[serde(default)]
    pub extends: bool,
    /// `@`: its ids outside are the host's, also for a user.
    #[serde(default)]
    pub of_host: bool,
    /// `u`, `g`
    #[serde(default)]
    pub side: Side,
}

const FORM: &str = "expected [\"[+ug]uint32:[@]uint32[:uint32]\"]";

impl IdMapping {
    /// Parses one mapping; the count is 1 when it is left out.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let refuse = || ParseError::new("ID mapping", text, FORM);
        let digits = text.trim_start_matches(['+', 'u', 'g']);
        let flags = &text[..text.len() - digits.len()];
        let times = |flag: char| flags.matches(flag).count();
        if times('+') > 1 || times('u') + times('g') > 1 {
            return Err(refuse());
        }
        let side = match (times('u'), times('g')) {
            (1, _) => Side::Users,
            (_, 1) => Side::Groups,
            _ => Side::Either,
        };
        let mut fields = digits.split(':');
        let (Some(inside), Some(outside), count, None) = (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(refuse());
        };
        let bare = outside.strip_prefix('@').unwrap_or(outside);
        let range = IdRange {
            inside: id(inside).ok_or_else(refuse)?,
            outside: id(bare).ok_or_else(refuse)?,
            count: id(count.unwrap_or("1")).ok_or_else(refuse)?,
        };
        if !range.fits() {
            return Err(super::MapError::Beyond(range).into());
        }
        Ok(Self { range, extends: times('+') == 1, of_host: bare.len() < outside.len(), side })
    }
}

impl IdRange {
    /// Parses a range as `auto`'s options have it: `INSIDE:OUTSIDE[:COUNT]`.
    ///
    /// # Errors
    /// For flags and ids of the host, too.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match IdMapping::parse(text)? {
            IdMapping { range, extends: false, of_host: false, side: Side::Either } => Ok(range),
            _ => Err(ParseError::new("ID mapping", text, "expected INSIDE:OUTSIDE:COUNT")),
        }
    }
}

/// Digits alone: Rust's own parser takes a `+` as well.
fn id(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for IdMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IdRange { inside, outside, count } = self.range;
        let extends = if self.extends { "+" } else { "" };
        let side = match self.side {
            Side::Either => "",
            Side::Users => "u",
            Side::Groups => "g",
        };
        let of_host = if self.of_host { "@" } else { "" };
        write!(f, "{extends}{side}{inside}:{of_host}{outside}:{count}")
    }
}
