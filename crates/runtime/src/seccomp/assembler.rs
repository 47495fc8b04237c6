//! Classic BPF, written from its end to its beginning.
//!
//! Jumps in classic BPF only go forward, so whatever a jump may reach is already there when it is written, and its distance is
//! known at once. A conditional jump reaches 255 instructions; where that is too short, a return is repeated nearby and any other
//! place is reached over an unconditional jump.

use kernel::seccomp::Insn;

use super::action::Action;
use super::{Error, ErrorKind, MAX_INSTRUCTIONS};

/// Operation codes, from `include/uapi/linux/bpf_common.h`.
pub(super) mod code {
    /// `BPF_LD | BPF_W | BPF_ABS`: load a word of `seccomp_data`.
    pub(in crate::seccomp) const LOAD: u16 = 0x20;
    /// `BPF_ALU | BPF_AND | BPF_K`
    pub(in crate::seccomp) const AND: u16 = 0x54;
    /// `BPF_JMP | BPF_JA`
    pub(in crate::seccomp) const JUMP: u16 = 0x05;
    /// `BPF_JMP | BPF_JEQ | BPF_K`
    pub(in crate::seccomp) const JUMP_EQUAL: u16 = 0x15;
    /// `BPF_JMP | BPF_JGT | BPF_K`
    pub(in crate::seccomp) const JUMP_GREATER: u16 = 0x25;
    /// `BPF_JMP | BPF_JGE | BPF_K`
    pub(in crate::seccomp) const JUMP_NOT_LESS: u16 = 0x35;
    /// `BPF_RET | BPF_K`
    pub(in crate::seccomp) const RETURN: u16 = 0x06;
}

/// An instruction already written: its distance from the end of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Return(Action),
    At(Label),
}

/// How far a conditional jump is let to reach. Short of 255, because reaching the second target of a jump may put one more
/// instruction between the jump and the first.
const REACH: usize = 250;

#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// Last instruction first.
    reversed: Vec<Insn>,
    /// Where each action was last returned.
    returns: Vec<(Action, Label)>,
}

impl Assembler {
    /// Loads the word at an offset of `seccomp_data`, then goes on.
    pub(super) fn load(&mut self, offset: u32, next: Target) -> Result<Label, Error> {
        self.before(next)?;
        self.push(Insn { code: code::LOAD, jt: 0, jf: 0, k: offset })
    }

    /// Keeps the bits of a mask, then goes on.
    pub(super) fn and(&mut self, mask: u32, next: Target) -> Result<Label, Error> {
        self.before(next)?;
        self.push(Insn { code: code::AND, jt: 0, jf: 0, k: mask })
    }

    /// Compares what was loaded with `k`.
    pub(super) fn branch(&mut self, code: u16, k: u32, yes: Target, no: Target) -> Result<Label, Error> {
        let yes = self.reach(yes)?;
        let no = self.reach(no)?;
        let distance = |to: Label| u8::try_from(self.reversed.len() - to.0 - 1).expect("both were brought into reach");
        let (jt, jf) = (distance(yes), distance(no));
        self.push(Insn { code, jt, jf, k })
    }

    /// The program, first instruction first.
    pub(super) fn finish(mut self) -> Vec<Insn> {
        self.reversed.reverse();
        self.reversed
    }

    /// Makes the target what the next instruction written falls through to.
    fn before(&mut self, target: Target) -> Result<(), Error> {
        let label = self.reach(target)?;
        let distance = self.reversed.len() - label.0 - 1;
        if distance > 0 {
            self.jump(distance)?;
        }
        Ok(())
    }

    /// A place within reach of the next instruction that leads to the target.
    fn reach(&mut self, target: Target) -> Result<Label, Error> {
        match target {
            Target::At(label) if self.reversed.len() - label.0 <= REACH => Ok(label),
            Target::At(label) => self.jump(self.reversed.len() - label.0 - 1),
            Target::Return(action) => self.reach_return(action),
        }
    }

    fn reach_return(&mut self, action: Action) -> Result<Label, Error> {
        let known = self.returns.iter().position(|entry| entry.0 == action);
        let near = known.map(|at| self.returns[at].1).filter(|label| self.reversed.len() - label.0 <= REACH);
        if let Some(label) = near {
            return Ok(label);
        }
        let label = self.push(Insn { code: code::RETURN, jt: 0, jf: 0, k: action.bits() })?;
        match known {
            Some(at) => self.returns[at].1 = label,
            None => self.returns.push((action, label)),
        }
        Ok(label)
    }

    fn jump(&mut self, distance: usize) -> Result<Label, Error> {
        let k = u32::try_from(distance).expect("a program has 4096 instructions at most");
        self.push(Insn { code: code::JUMP, jt: 0, jf: 0, k })
    }

    fn push(&mut self, insn: Insn) -> Result<Label, Error> {
        if self.reversed.len() == MAX_INSTRUCTIONS {
            return Err(ErrorKind::TooLong.into());
        }
        self.reversed.push(insn);
        Ok(Label(self.reversed.len() - 1))
    }
}
