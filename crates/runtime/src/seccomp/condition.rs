//! What a rule asks of a call's arguments.

use super::abi::Word;

/// Comparisons that must all hold, at most one for each argument, ordered by argument. Without any it always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Condition(Vec<Comparison>);

/// One argument against one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// 0 to 5.
    pub(super) argument: u8,
    pub(super) operator: Operator,
    /// All ones but for `MaskedEqual`.
    pub(super) mask: u64,
    pub(super) value: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    MaskedEqual,
}

impl Condition {
    /// From comparisons of different arguments.
    pub(super) fn new(mut comparisons: Vec<Comparison>) -> Self {
        comparisons.sort_by_key(|comparison| comparison.argument);
        Self(comparisons)
    }

    pub(super) fn comparisons(&self) -> &[Comparison] {
        &self.0
    }

    /// As far as it can be seen in words of this size: without comparisons that always hold, and, for halves, without upper halves.
    pub(super) fn fit(&self, word: Word) -> Self {
        let cut = match word {
            Word::Full => u64::MAX,
            Word::Half => u64::from(u32::MAX),
        };
        let fitted = self.0.iter().map(|one| Comparison { mask: one.mask & cut, value: one.value & cut, ..*one });
        Self(fitted.filter(|one| one.mask != 0).collect())
    }

    /// The same for a multiplexed call, whose first argument says which call is meant. What the rule asked of the first argument
    /// cannot be asked here: it is behind a pointer.
    pub(super) fn select(&self, selector: u32) -> Self {
        let selection =
            Comparison { argument: 0, operator: Operator::Equal, mask: u64::MAX, value: u64::from(selector) };
        let others = self.0.iter().copied().filter(|one| one.argument != 0);
        Self(std::iter::once(selection).chain(others).collect())
    }
}
