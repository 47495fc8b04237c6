//! Several rules for one system call: which of them decides.
//!
//! libseccomp, which profiles are written for, documents no order, but has one, and podman's own profile needs it: it denies
//! `socket(AF_VSOCK)` and allows every family but netlink in two overlapping rules. So this keeps libseccomp's:
//!
//! 1. The first rule without conditions decides, whatever else there is.
//! 2. Otherwise the conditions are tried one after another, and the first that holds decides. They are ordered by the first of
//!    their comparisons in which they differ: the higher argument first; then (masked) equality and inequality, then `<` and `<=`,
//!    then `>` and `>=`; then the larger value first, but for `<` and `<=` the smaller. What remains equal keeps the profile's
//!    order.
//! 3. A rule that makes all comparisons of another, and more of higher arguments, is left out if it comes later, and tried first if
//!    it comes earlier (where libseccomp refuses it if the actions differ). Two rules that make the same comparisons and have
//!    different actions are an error.
//!
//! libseccomp compares 64-bit arguments in two halves and keeps the comparisons in a tree, and rules that share a half also share
//! what is known about it; so does this, as far as the order depends on it. Unlike libseccomp's tree a rule here always keeps its
//! own conditions together: there, two rules that compare a lower argument with other than equality and then a higher one can
//! take over each other's last comparison, and match what neither of them says.

use super::abi::Word;
use super::action::Action;
use super::condition::{Comparison, Condition, Operator};

/// The rules of one call.
#[derive(Debug, Default)]
pub(super) struct Precedence {
    always: Option<Action>,
    level: Level,
}

/// What the rules of one call amount to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// One action, whatever the arguments.
    Always(Action),
    /// The first condition that holds; if none does, the profile's default.
    First(Vec<(Condition, Action)>),
}

/// Two rules say different things of the same arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

type Level = Vec<Node>;

/// One comparison of 32 bits, and the rules behind it.
#[derive(Debug)]
struct Node {
    test: Test,
    yes: Branch,
    no: Branch,
}

/// What follows one answer to a test.
#[derive(Debug, Default)]
struct Branch {
    /// Rules that compare more, tried first.
    below: Level,
    /// The rule that this was the last comparison of.
    decided: Option<(Condition, Action)>,
}

#[derive(Clone, Copy, Debug)]
struct Test {
    place: Place,
    kind: TestKind,
    mask: u32,
    datum: u32,
    /// Of the comparison it is part of.
    operator: Operator,
}

/// Which 32 bits. The upper half of an argument comes before the lower, a higher argument before a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    argument: u8,
    half: Half,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Half {
    Lower,
    Upper,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TestKind {
    Equal,
    MaskedEqual,
    Greater,
    GreaterOrEqual,
}

/// A test, and the answer with which the rule goes on.
type Step = (Test, bool);

impl Precedence {
    /// Adds a rule.
    pub(super) fn add(&mut self, condition: &Condition, action: Action, word: Word) -> Result<(), Contradiction> {
        if self.always.is_some() {
            return Ok(());
        }
        let condition = condition.fit(word);
        let steps: Vec<Step> = condition.comparisons().iter().flat_map(|one| steps(one, word)).collect();
        if steps.is_empty() {
            self.always = Some(action);
            return Ok(());
        }
        insert(&mut self.level, &steps, condition, action)
    }

    /// Nothing further will be added.
    pub(super) fn finish(self) -> Decision {
        if let Some(action) = self.always {
            return Decision::Always(action);
        }
        let mut list = Vec::new();
        flatten(self.level, &mut list);
        Decision::First(list)
    }
}

/// The 32-bit tests on the way to a comparison's last.
fn steps(comparison: &Comparison, word: Word) -> Vec<Step> {
    let operator = comparison.operator;
    let test = |half, kind| {
        let shift = if half == Half::Upper { 32 } else { 0 };
        let part = |value: u64| u32::try_from((value >> shift) & u64::from(u32::MAX)).expect("32 bits were kept");
        let place = Place { argument: comparison.argument, half };
        Test { place, kind, mask: part(comparison.mask), datum: part(comparison.value), operator }
    };
    let (last, holds) = match operator {
        Operator::Equal => (TestKind::Equal, true),
        Operator::NotEqual => (TestKind::Equal, false),
        Operator::MaskedEqual => (TestKind::MaskedEqual, true),
        Operator::Greater => (TestKind::Greater, true),
        Operator::GreaterOrEqual => (TestKind::GreaterOrEqual, true),
        Operator::Less => (TestKind::GreaterOrEqual, false),
        Operator::LessOrEqual => (TestKind::Greater, false),
    };
    let lower = (test(Half::Lower, last), holds);
    match (word, operator) {
        (Word::Half, _) => vec![lower],
        (Word::Full, Operator::Equal | Operator::NotEqual) => vec![(test(Half::Upper, TestKind::Equal), true), lower],
        (Word::Full, Operator::MaskedEqual) => vec![(test(Half::Upper, TestKind::MaskedEqual), true), lower],
        (Word::Full, _) => {
            vec![(test(Half::Upper, TestKind::Greater), false), (test(Half::Upper, TestKind::Equal), true), lower]
        }
    }
}

impl Test {
    /// Whether the two ask the same of the same bits.
    fn is(&self, other: &Self) -> bool {
        self.place == other.place && self.kind == other.kind && self.mask == other.mask && self.datum == other.datum
    }

    /// Whether this one is tried after the other, when both are on one level.
    fn comes_after(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.rank(), other.rank());
        mine < theirs || mine == theirs && self.value_rank() < other.value_rank()
    }

    fn rank(&self) -> (Place, u8) {
        let class = match self.operator {
            Operator::Equal | Operator::NotEqual | Operator::MaskedEqual => 3,
            Operator::Less | Operator::LessOrEqual => 2,
            Operator::Greater | Operator::GreaterOrEqual => 1,
        };
        (self.place, class)
    }

    fn value_rank(&self) -> u32 {
        match self.operator {
            Operator::Less | Operator::LessOrEqual => u32::MAX - self.datum,
            _ => self.datum,
        }
    }
}

fn insert(level: &mut Level, steps: &[Step], condition: Condition, action: Action) -> Result<(), Contradiction> {
    let Some(((test, holds), rest)) = steps.split_first() else { return Ok(()) };
    let at = level.iter().position(|node| node.test.is(test) || node.test.comes_after(test)).unwrap_or(level.len());
    if level.get(at).is_none_or(|node| !node.test.is(test)) {
        level.insert(at, Node { test: *test, yes: Branch::default(), no: Branch::default() });
    }
    let node = &mut level[at];
    let branch = if *holds { &mut node.yes } else { &mut node.no };
    match &branch.decided {
        Some((_, earlier)) if rest.is_empty() && *earlier != action => Err(Contradiction),
        Some(_) => Ok(()),
        None if !rest.is_empty() => insert(&mut branch.below, rest, condition, action),
        None => {
            branch.decided = Some((condition, action));
            Ok(())
        }
    }
}

fn flatten(level: Level, list: &mut Vec<(Condition, Action)>) {
    for branch in level.into_iter().flat_map(|node| [node.yes, node.no]) {
        flatten(branch.below, list);
        list.extend(branch.decided);
    }
}

#[cfg(test)]
mod tests {
    use super::super::abi::Word;
    use super::super::action::Action;
    use super::super::condition::{Comparison, Condition, Operator};
    use super::{Contradiction, Decision, Precedence};

    const ALLOW: Action = Action::ALLOW;
    const DENY: Action = Action::errno(1);

    fn when(parts: &[(u8, Operator, u64)]) -> Condition {
        let comparison = |&(argument, operator, value)| Comparison { argument, operator, mask: u64::MAX, value };
        Condition::new(parts.iter().map(comparison).collect())
    }

    fn add(rules: &[(&Condition, Action)]) -> Result<Decision, Contradiction> {
        let mut precedence = Precedence::default();
        for (condition, action) in rules {
            precedence.add(condition, *action, Word::Full)?;
        }
        Ok(precedence.finish())
    }

    /// The order in which two rules with different actions are tried, whichever comes first in the profile.
    fn assert_order(first: &Condition, second: &Condition) {
        let expected = Ok(Decision::First(vec![(first.clone(), DENY), (second.clone(), ALLOW)]));
        assert_eq!(add(&[(first, DENY), (second, ALLOW)]), expected);
        assert_eq!(add(&[(second, ALLOW), (first, DENY)]), expected);
    }

    #[test]
    fn the_first_rule_without_conditions_decides() {
        let (always, five) = (when(&[]), when(&[(0, Operator::Equal, 5)]));
        assert_eq!(add(&[(&five, DENY), (&always, ALLOW), (&always, DENY)]), Ok(Decision::Always(ALLOW)));
        assert_eq!(add(&[(&always, DENY), (&five, ALLOW)]), Ok(Decision::Always(DENY)));
    }

    #[test]
    fn a_mask_of_nothing_always_holds() {
        let nothing = Comparison { argument: 0, operator: Operator::MaskedEqual, mask: 0, value: 0 };
        assert_eq!(add(&[(&Condition::new(vec![nothing]), DENY)]), Ok(Decision::Always(DENY)));
        // Of a half, where the mask only has upper bits.
        let mut precedence = Precedence::default();
        let upper = Comparison { mask: 1 << 40, value: 1 << 40, ..nothing };
        precedence.add(&Condition::new(vec![upper]), DENY, Word::Half).expect("the only rule");
        assert_eq!(precedence.finish(), Decision::Always(DENY));
    }

    #[test]
    fn conditions_have_an_order_of_their_own() {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        assert_order(&when(&[(1, Equal, 1)]), &when(&[(0, Equal, 9)]));
        assert_order(&when(&[(0, Equal, 40)]), &when(&[(0, NotEqual, 16)]));
        assert_order(&when(&[(0, NotEqual, 40)]), &when(&[(0, Equal, 16)]));
        assert_order(&when(&[(0, Equal, 1 << 32)]), &when(&[(0, Equal, 5)]));
        assert_order(&when(&[(0, Equal, 1)]), &when(&[(0, Less, 9)]));
        assert_order(&when(&[(0, LessOrEqual, 9)]), &when(&[(0, Greater, 1)]));
        assert_order(&when(&[(0, Less, 3)]), &when(&[(0, Less, 9)]));
        assert_order(&when(&[(0, GreaterOrEqual, 9)]), &when(&[(0, Greater, 3)]));
        assert_order(&when(&[(0, Equal, 5), (2, Equal, 7)]), &when(&[(0, Equal, 5), (1, Equal, 9)]));
    }

    #[test]
    fn a_narrower_rule_counts_only_before_the_wider() {
        let (wide, narrow) =
            (when(&[(0, Operator::Equal, 5)]), when(&[(0, Operator::Equal, 5), (1, Operator::Equal, 6)]));
        let only = Ok(Decision::First(vec![(wide.clone(), DENY)]));
        assert_eq!(add(&[(&wide, DENY), (&narrow, DENY)]), only);
        assert_eq!(add(&[(&wide, DENY), (&narrow, ALLOW)]), only);
        let both = Ok(Decision::First(vec![(narrow.clone(), ALLOW), (wide.clone(), DENY)]));
        assert_eq!(add(&[(&narrow, ALLOW), (&wide, DENY)]), both);
        assert_eq!(add(&[(&wide, ALLOW), (&wide, DENY)]), Err(Contradiction));
        assert_eq!(add(&[(&wide, DENY), (&wide, DENY)]), only);
    }
}
