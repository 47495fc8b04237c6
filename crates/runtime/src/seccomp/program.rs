//! A compiled filter: what the kernel is given, what is saved, what a person reads.

use std::fmt;

use kernel::seccomp::{Flags, Insn};

use super::action::Action;
use super::assembler::code;
use super::{Error, ErrorKind};

/// The longest program the kernel takes (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// Bytes of one instruction.
const INSN: usize = size_of::<Insn>();

/// A filter program, ready for [`kernel::seccomp::load`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    insns: Vec<Insn>,
    flags: Flags,
}

impl Program {
    pub(super) fn new(insns: Vec<Insn>, flags: Flags) -> Self {
        Self { insns, flags }
    }

    /// The instructions; 1 to [`MAX_INSTRUCTIONS`].
    #[must_use]
    pub fn insns(&self) -> &[Insn] {
        &self.insns
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_insns(self) -> Vec<Insn> {
        self.insns
    }

    /// What to load it with.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// The instructions as the kernel has them in memory, eight bytes each: what `seccomp_export_bpf` of libseccomp writes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.insns.len() * INSN);
        for insn in &self.insns {
            bytes.extend_from_slice(&insn.code.to_ne_bytes());
            bytes.extend_from_slice(&[insn.jt, insn.jf]);
            bytes.extend_from_slice(&insn.k.to_ne_bytes());
        }
        bytes
    }

    /// Reads what [`Program::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// Anything this compiler would not write: other operations, jumps out of the program, a last instruction that does not
    /// return. What a valid program answers is not looked at, so whoever keeps programs must keep them where only they can write.
    pub fn from_bytes(bytes: &[u8], flags: Flags) -> Result<Self, Error> {
        let chunks = bytes.chunks_exact(INSN);
        if !chunks.remainder().is_empty() || chunks.len() == 0 || chunks.len() > MAX_INSTRUCTIONS {
            return Err(ErrorKind::DamagedProgram(chunks.len()).into());
        }
        let insns: Vec<Insn> = chunks.filter_map(|chunk| chunk.try_into().ok().map(read)).collect();
        for (at, insn) in insns.iter().enumerate() {
            if !is_sound(*insn, insns.len() - at - 1) {
                return Err(ErrorKind::DamagedProgram(at).into());
            }
        }
        Ok(Self { insns, flags })
    }
}

fn read([a, b, jt, jf, k @ ..]: &[u8; INSN]) -> Insn {
    Insn { code: u16::from_ne_bytes([*a, *b]), jt: *jt, jf: *jf, k: u32::from_ne_bytes(*k) }
}

/// Whether an instruction that `after` others follow leads to one of them, or returns.
fn is_sound(insn: Insn, after: usize) -> bool {
    let lands = |distance: u32| usize::try_from(distance).is_ok_and(|distance| distance < after);
    match insn.code {
        code::RETURN => true,
        code::LOAD => insn.k % 4 == 0 && insn.k < 64 && after > 0,
        code::AND => after > 0,
        code::JUMP => lands(insn.k),
        code::JUMP_EQUAL | code::JUMP_GREATER | code::JUMP_NOT_LESS => lands(insn.jt.into()) && lands(insn.jf.into()),
        _ => false,
    }
}

/// One instruction a line, with the lines that jumps lead to.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, insn) in self.insns.iter().enumerate() {
            let after = |distance: u32| at + 1 + distance as usize;
            let (yes, no) = (after(insn.jt.into()), after(insn.jf.into()));
            write!(f, "{at:4}: ")?;
            match insn.code {
                code::LOAD => writeln!(f, "load {}", Field(insn.k)),
                code::AND => writeln!(f, "and {:#x}", insn.k),
                code::JUMP => writeln!(f, "go {}", after(insn.k)),
                code::JUMP_EQUAL => writeln!(f, "= {:#x} ? {yes} : {no}", insn.k),
                code::JUMP_GREATER => writeln!(f, "> {:#x} ? {yes} : {no}", insn.k),
                code::JUMP_NOT_LESS => writeln!(f, ">= {:#x} ? {yes} : {no}", insn.k),
                code::RETURN => writeln!(f, "return {}", Action::from_bits(insn.k)),
                other => writeln!(f, "{other:#x} {} {} {:#x}", insn.jt, insn.jf, insn.k),
            }?;
        }
        Ok(())
    }
}

/// An offset in `struct seccomp_data`.
struct Field(u32);

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("number"),
            4 => f.write_str("arch"),
            16..64 if self.0 % 8 == 0 => write!(f, "argument {} lower", (self.0 - 16) / 8),
            16..64 if self.0 % 8 == 4 => write!(f, "argument {} upper", (self.0 - 16) / 8),
            other => write!(f, "byte {other}"),
        }
    }
}
