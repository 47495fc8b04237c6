//! From a profile to a program: for each architecture a binary search over ranges of call numbers that have the same action, and
//! the comparisons of arguments at the calls that have any.
//!
//! ```text
//! load arch ─ x86_64? ─ load nr ─ ≥ n/2? ─ … ─ return      default's answer to a call no rule names
//!           └ i386?   ─ load nr ─ …             compare    comparisons in order, then the default
//!           └ kill                                         any other architecture
//! ```

use super::abi::{Word, X32_BIT};
use super::action::Action;
use super::assembler::{Assembler, Label, Target, code};
use super::condition::{Comparison, Condition, Operator};
use super::precedence::{Decision, Precedence};
use super::profile::Rule;
use super::{Abi, Context, Error, ErrorKind, Profile, Program};

/// Offsets in `struct seccomp_data`, which is little-endian on every machine lodger runs on.
const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCH: u32 = 4;
const OFFSET_ARGUMENTS: u32 = 16;

/// Compiles a profile for a container.
///
/// The program decides every call of every architecture as the program would that libseccomp makes of the same profile for crun,
/// except that it knows newer system calls. An architecture the profile does not list kills the thread.
///
/// # Errors
///
/// Contradicting rules, or more of them than fit into a program.
pub fn compile(profile: &Profile, context: &Context) -> Result<Program, Error> {
    let abis = profile.abis(context.machine);
    let mut assembler = Assembler::default();
    let mut blocks = Vec::new();
    for token in tokens(&abis).into_iter().rev() {
        let members: Vec<Abi> = abis.iter().copied().filter(|abi| abi.audit_token() == token).collect();
        let segments = Segments::gather(profile, context, &members)?;
        blocks.push((token, segments.emit(&mut assembler, profile.default)?));
    }
    let mut next = Target::Return(Action::KILL_THREAD);
    for (token, block) in blocks {
        next = Target::At(assembler.branch(code::JUMP_EQUAL, token, Target::At(block), next)?);
    }
    assembler.load(OFFSET_ARCH, next)?;
    Ok(Program::new(assembler.finish(), profile.flags))
}

/// Audit tokens in order, x86_64 and x32 as one.
fn tokens(abis: &[Abi]) -> Vec<u32> {
    let mut tokens: Vec<u32> = abis.iter().map(|abi| abi.audit_token()).collect();
    tokens.sort_by_key(|token| abis.iter().position(|abi| abi.audit_token() == *token));
    tokens.dedup();
    tokens
}

/// What the calls of one audit architecture lead to.
struct Segments {
    /// From each number on to the next one's; the first is 0. Neighbours differ.
    starts: Vec<(u32, Leaf)>,
    /// The calls whose arguments matter.
    calls: Vec<(Word, Vec<(Condition, Action)>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Return(Action),
    /// Index into `calls`; one number wide.
    Compare(usize),
}

impl Segments {
    fn gather(profile: &Profile, context: &Context, members: &[Abi]) -> Result<Self, Error> {
        let default = Leaf::Return(profile.default);
        let mut segments = Self { starts: vec![(0, default)], calls: Vec::new() };
        // x86_64 before x32, so that numbers only grow.
        for abi in members {
            for (number, decision) in decisions(profile, context, *abi)? {
                let leaf = match decision {
                    Decision::Always(action) => Leaf::Return(action),
                    Decision::First(list) => {
                        segments.calls.push((abi.word(), list));
                        Leaf::Compare(segments.calls.len() - 1)
                    }
                };
                segments.put(number, leaf, default);
            }
        }
        if members == [Abi::X86_64] {
            segments.start(X32_BIT, Leaf::Return(Action::KILL_THREAD));
            // A tracer writes -1 to have a call skipped; that is no x32 call.
            segments.start(u32::MAX, default);
        }
        Ok(segments)
    }

    /// One call.
    fn put(&mut self, number: u32, leaf: Leaf, after: Leaf) {
        self.start(number, leaf);
        if let Some(next) = number.checked_add(1) {
            self.start(next, after);
        }
    }

    /// From a number on, which is not below any put before.
    fn start(&mut self, number: u32, leaf: Leaf) {
        if self.starts.last().is_some_and(|last| last.0 == number) {
            self.starts.pop();
        }
        if self.starts.last().is_none_or(|last| last.1 != leaf) {
            self.starts.push((number, leaf));
        }
    }

    fn emit(&self, assembler: &mut Assembler, default: Action) -> Result<Label, Error> {
        let tree = self.tree(assembler, default, &self.starts)?;
        assembler.load(OFFSET_NUMBER, tree)
    }

    fn tree(&self, assembler: &mut Assembler, default: Action, starts: &[(u32, Leaf)]) -> Result<Target, Error> {
        match starts {
            [(_, leaf)] => self.leaf(assembler, default, *leaf),
            // One call amid others of one action: a single comparison instead of two.
            [(_, before), (number, leaf), (next, after)] if before == after && number.checked_add(1) == Some(*next) => {
                let other = self.leaf(assembler, default, *before)?;
                let this = self.leaf(assembler, default, *leaf)?;
                Ok(Target::At(assembler.branch(code::JUMP_EQUAL, *number, this, other)?))
            }
            _ => {
                let (below, above) = starts.split_at(starts.len() / 2);
                let above_target = self.tree(assembler, default, above)?;
                let below_target = self.tree(assembler, default, below)?;
                Ok(Target::At(assembler.branch(code::JUMP_NOT_LESS, above[0].0, above_target, below_target)?))
            }
        }
    }

    fn leaf(&self, assembler: &mut Assembler, default: Action, leaf: Leaf) -> Result<Target, Error> {
        let call = match leaf {
            Leaf::Return(action) => return Ok(Target::Return(action)),
            Leaf::Compare(call) => call,
        };
        let (word, list) = &self.calls[call];
        let mut next = Target::Return(default);
        for (condition, action) in list.iter().rev() {
            let mut holds = Target::Return(*action);
            for comparison in condition.comparisons().iter().rev() {
                holds = compare(assembler, comparison, *word, holds, next)?;
            }
            next = holds;
        }
        Ok(next)
    }
}

/// What the profile says of each call of one convention, by number.
fn decisions(profile: &Profile, context: &Context, abi: Abi) -> Result<Vec<(u32, Decision)>, Error> {
    let mut named: Vec<(u32, Option<u32>, &Rule)> = Vec::with_capacity(512);
    for rule in profile.rules(context).filter(|rule| rule.action != profile.default) {
        for name in &rule.names {
            if let Some(call) = abi.multiplexed(name) {
                named.extend(abi.number(call.name).map(|number| (number, Some(call.selector), rule)));
            }
            if let Some(number) = abi.number(name) {
                named.push((number, None, rule));
            }
        }
    }
    // Stable: the rules of one call stay in the profile's order.
    named.sort_by_key(|entry| entry.0);
    named.chunk_by(|one, other| one.0 == other.0).map(|same| Ok((same[0].0, decide(same, abi)?))).collect()
}

fn decide(named: &[(u32, Option<u32>, &Rule)], abi: Abi) -> Result<Decision, Error> {
    let mut precedence = Precedence::default();
    for (number, selector, rule) in named {
        for condition in &rule.conditions {
            let added = match selector {
                Some(selector) => precedence.add(&condition.select(*selector), rule.action, abi.word()),
                None => precedence.add(condition, rule.action, abi.word()),
            };
            added.map_err(|_| ErrorKind::Contradiction {
                syscall: abi.name(*number).unwrap_or_default().to_owned(),
                abi,
            })?;
        }
    }
    Ok(precedence.finish())
}

/// Compares one argument, the upper half first.
fn compare(
    assembler: &mut Assembler,
    comparison: &Comparison,
    word: Word,
    yes: Target,
    no: Target,
) -> Result<Target, Error> {
    let lower = half(comparison, 0);
    let upper = half(comparison, 32);
    let (code, yes_lower, no_lower) = match comparison.operator {
        Operator::Equal | Operator::MaskedEqual => (code::JUMP_EQUAL, yes, no),
        Operator::NotEqual => (code::JUMP_EQUAL, no, yes),
        Operator::Greater => (code::JUMP_GREATER, yes, no),
        Operator::GreaterOrEqual => (code::JUMP_NOT_LESS, yes, no),
        Operator::Less => (code::JUMP_NOT_LESS, no, yes),
        Operator::LessOrEqual => (code::JUMP_GREATER, no, yes),
    };
    let mut next = yes;
    if lower.mask != 0 {
        next = Target::At(test(assembler, &lower, code, yes_lower, no_lower)?);
    }
    if word == Word::Half || upper.mask == 0 {
        return Ok(next);
    }
    let upper = match comparison.operator {
        Operator::Equal | Operator::MaskedEqual => test(assembler, &upper, code::JUMP_EQUAL, next, no)?,
        Operator::NotEqual => test(assembler, &upper, code::JUMP_EQUAL, next, yes)?,
        Operator::Greater | Operator::GreaterOrEqual => {
            let equal = assembler.branch(code::JUMP_EQUAL, upper.value, next, no)?;
            test(assembler, &upper, code::JUMP_GREATER, yes, Target::At(equal))?
        }
        Operator::Less | Operator::LessOrEqual => {
            let equal = assembler.branch(code::JUMP_EQUAL, upper.value, next, yes)?;
            test(assembler, &upper, code::JUMP_GREATER, no, Target::At(equal))?
        }
    };
    Ok(Target::At(upper))
}

/// 32 bits of an argument.
struct Part {
    offset: u32,
    mask: u32,
    value: u32,
}

fn half(comparison: &Comparison, shift: u32) -> Part {
    let part = |value: u64| u32::try_from((value >> shift) & u64::from(u32::MAX)).expect("32 bits were kept");
    let offset = OFFSET_ARGUMENTS + 8 * u32::from(comparison.argument) + shift / 8;
    Part { offset, mask: part(comparison.mask), value: part(comparison.value) }
}

fn test(assembler: &mut Assembler, part: &Part, code: u16, yes: Target, no: Target) -> Result<Label, Error> {
    let mut label = assembler.branch(code, part.value, yes, no)?;
    if part.mask != u32::MAX {
        label = assembler.and(part.mask, Target::At(label))?;
    }
    assembler.load(part.offset, Target::At(label))
}
