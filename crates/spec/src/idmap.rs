//! Which ids of one user namespace are which ids of the one around it: arithmetic of ranges.
//!
//! What must stay true of [`IdRanges`]: no id stands twice on either side, so that both directions have one answer; pieces are in
//! the order of their ids inside, and what could be one piece is one.
//!
//! ```text
//! inside   the container's ids
//! outside  for a user: 0 is the caller, 1… the subordinate ids in their order; for root: the host's ids
//! ```
//!
//! See user_namespaces(7).

mod asked;

pub use asked::{IdMapping, Side};

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Lines that the kernel takes (user_namespaces(7)).
pub const LINES: usize = 340;

/// One more than the highest id; 4294967295 is none.
const END: u64 = u32::MAX as u64;

/// Consecutive ids that become consecutive ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRange {
    /// First id inside.
    pub inside: u32,
    /// First id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// Consecutive ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The lowest.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// A map of ids of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdRanges(Vec<IdRange>);

/// A map of user and group ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// User ids.
    pub uids: IdRanges,
    /// Group ids.
    pub gids: IdRanges,
}

/// What a range of ids cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// An id would stand for two others.
    #[error("the specified UID and/or GID mapping {0} conflicts with other mappings")]
    Conflict(IdRange),
    /// Ids end at 4294967294.
    #[error("the mapping {0} has no ids, or goes beyond the highest there can be")]
    Beyond(IdRange),
    /// There are fewer ids than are asked for.
    #[error("not enough unused IDs in user namespace: {asked} are asked for and {left} are left")]
    TooFew {
        /// How many are asked for.
        asked: u64,
        /// How many nobody has.
        left: u64,
    },
    /// The kernel's limit.
    #[error("the mapping has more than {LINES} pieces, which is the kernel's limit")]
    TooMany,
}

impl IdRange {
    /// The ids inside.
    pub fn insides(self) -> Span {
        Span { first: self.inside, count: self.count }
    }

    /// The ids outside.
    pub fn outsides(self) -> Span {
        Span { first: self.outside, count: self.count }
    }

    fn fits(self) -> bool {
        self.count > 0 && self.insides().end() <= END && self.outsides().end() <= END
    }

    /// The part from `skip` ids after the first, `count` long.
    fn part(self, skip: u64, count: u64) -> Self {
        Self { inside: self.inside + skip as u32, outside: self.outside + skip as u32, count: count as u32 }
    }
}

impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.inside, self.outside, self.count)
    }
}

impl Span {
    /// One after the last.
    pub fn end(self) -> u64 {
        u64::from(self.first) + u64::from(self.count)
    }

    /// Whether it has an id in common.
    pub fn meets(self, other: Self) -> bool {
        u64::from(self.first) < other.end() && u64::from(other.first) < self.end()
    }

    /// The ids from `first` to before `end`.
    fn between(first: u64, end: u64) -> Option<Self> {
        let end = end.min(END);
        (first < end).then(|| Self { first: first as u32, count: (end - first) as u32 })
    }
}

/// What of the spans is in none of those taken, in order, and no id twice.
pub fn without(spans: &[Span], taken: &[Span]) -> Vec<Span> {
    let mut taken = taken.to_vec();
    taken.sort_by_key(|span| span.first);
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| span.first);
    let (mut left, mut at) = (Vec::new(), 0);
    for span in spans {
        at = u64::from(span.first).max(at);
        for gone in taken.iter().filter(|gone| gone.meets(span)) {
            left.extend(Span::between(at, u64::from(gone.first)));
            at = at.max(gone.end());
        }
        left.extend(Span::between(at, span.end()));
        at = at.max(span.end());
    }
    left
}

impl IdRanges {
    /// A map of these pieces.
    ///
    /// # Errors
    /// Names the first piece that has an id of an earlier one, or none, or one that cannot be.
    pub fn new(pieces: impl IntoIterator<Item = IdRange>) -> Result<Self, MapError> {
        let mut map = Self::default();
        for piece in pieces {
            if !piece.fits() {
                return Err(MapError::Beyond(piece));
            }
            if map.0.iter().any(|one| one.insides().meets(piece.insides()) || one.outsides().meets(piece.outsides())) {
                return Err(MapError::Conflict(piece));
            }
            map.0.push(piece);
        }
        map.settle()
    }

    /// The pieces, in the order of their ids inside.
    pub fn pieces(&self) -> &[IdRange] {
        &self.0
    }

    /// Whether it maps nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What an id inside is outside.
    pub fn outside(&self, inside: u32) -> Option<u32> {
        let piece = self.0.iter().find(|piece| holds(piece.insides(), inside))?;
        Some(piece.outside + (inside - piece.inside))
    }

    /// What an id outside is inside.
    pub fn inside(&self, outside: u32) -> Option<u32> {
        let piece = self.0.iter().find(|piece| holds(piece.outsides(), outside))?;
        Some(piece.inside + (outside - piece.outside))
    }

    /// The ids outside that it takes.
    pub fn outsides(&self) -> Vec<Span> {
        self.0.iter().map(|piece| piece.outsides()).collect()
    }

    /// The ids inside that it gives.
    pub fn insides(&self) -> Vec<Span> {
        self.0.iter().map(|piece| piece.insides()).collect()
    }

    /// Adds a piece; what it contradicts of the others goes.
    ///
    /// # Errors
    /// When the piece has no ids or one that cannot be.
    pub fn extend(self, piece: IdRange) -> Result<Self, MapError> {
        if !piece.fits() {
            return Err(MapError::Beyond(piece));
        }
        let mut rest: Vec<IdRange> =
            self.0.into_iter().flat_map(|one| cut(one, one.insides(), piece.insides())).collect();
        rest = rest.into_iter().flat_map(|one| cut(one, one.outsides(), piece.outsides())).collect();
        rest.push(piece);
        Self(rest).settle()
    }

    /// Gives the lowest ids inside that have none yet, below `end`, the lowest of these ids outside that it does not take yet.
    ///
    /// # Errors
    /// When the pieces become too many for the kernel.
    pub fn fill(mut self, available: &[Span], end: u64) -> Result<Self, MapError> {
        let mut free = without(available, &self.outsides()).into_iter();
        let all: Vec<Span> = Span::between(0, end).into_iter().collect();
        let mut gaps = without(&all, &self.insides()).into_iter();
        let (mut from, mut to) = (free.next(), gaps.next());
        while let (Some(source), Some(gap)) = (from, to) {
            let count = source.count.min(gap.count);
            self.0.push(IdRange { inside: gap.first, outside: source.first, count });
            let rest = |span: Span| Span::between(u64::from(span.first) + u64::from(count), span.end());
            from = rest(source).or_else(|| free.next());
            to = rest(gap).or_else(|| gaps.next());
        }
        self.settle()
    }

    /// The container's ids 0 to `size`, of which `forced` stand already, out of the ids that nobody has.
    ///
    /// # Errors
    /// [`MapError::TooFew`] when there are not so many.
    pub fn allocate(forced: Self, available: &[Span], size: u32) -> Result<Self, MapError> {
        let left = without(available, &forced.outsides()).iter().map(|span| u64::from(span.count)).sum();
        let all: Vec<Span> = Span::between(0, u64::from(size)).into_iter().collect();
        let asked = without(&all, &forced.insides()).iter().map(|span| u64::from(span.count)).sum();
        if asked > left {
            return Err(MapError::TooFew { asked, left });
        }
        forced.fill(available, u64::from(size))
    }

    /// In order, and in as few pieces as can be.
    fn settle(mut self) -> Result<Self, MapError> {
        self.0.sort_by_key(|piece| piece.inside);
        let mut pieces: Vec<IdRange> = Vec::with_capacity(self.0.len());
        for piece in self.0 {
            match pieces.last_mut() {
                Some(last)
                    if last.insides().end() == u64::from(piece.inside)
                        && last.outsides().end() == u64::from(piece.outside) =>
                {
                    last.count += piece.count;
                }
                _ => pieces.push(piece),
            }
        }
        if pieces.len() > LINES { Err(MapError::TooMany) } else { Ok(Self(pieces)) }
    }
}

/// What is left of a piece without those ids; `side` is the side of it that they are of.
fn cut(piece: IdRange, side: Span, gone: Span) -> Vec<IdRange> {
    let first = u64::from(side.first);
    let part = |span: Span| piece.part(u64::from(span.first) - first, u64::from(span.count));
    without(&[side], &[gone]).into_iter().map(part).collect()
}

fn holds(span: Span, id: u32) -> bool {
    id >= span.first && u64::from(id) < span.end()
}

impl IdMap {
    /// What a user and a group inside are outside; `None` where one of them is nobody there.
    pub fn outside(&self, uid: u32, gid: u32) -> Option<(u32, u32)> {
        Some((self.uids.outside(uid)?, self.gids.outside(gid)?))
    }

    /// A short name that no other map has.
    pub fn text(&self) -> String {
        let side = |ranges: &IdRanges| {
            let words: Vec<String> = ranges.pieces().iter().map(ToString::to_string).collect();
            words.join(",")
        };
        format!("u{} g{}", side(&self.uids), side(&self.gids))
    }
}

impl From<MapError> for ParseError {
    fn from(error: MapError) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests;
