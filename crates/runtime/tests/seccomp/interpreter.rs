//! Runs classic BPF programs on made-up system calls, as the kernel does.

use runtime::seccomp::{Action, Insn, Program};

/// `struct seccomp_data`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call {
    pub(crate) number: u32,
    pub(crate) arch: u32,
    pub(crate) instruction_pointer: u64,
    pub(crate) args: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> u32 {
        let half = |value: u64| if offset % 8 == 0 { value as u32 } else { (value >> 32) as u32 };
        match offset {
            0 => self.number,
            4 => self.arch,
            8 | 12 => half(self.instruction_pointer),
            16..64 if offset % 4 == 0 => half(self.args[(offset as usize - 16) / 8]),
            _ => panic!("load at {offset}"),
        }
    }
}

/// What a program answers to a call.
pub(crate) fn run(program: &[Insn], call: &Call) -> Action {
    let mut accumulator = 0;
    let mut at = 0;
    loop {
        let insn = program.get(at).unwrap_or_else(|| panic!("ran out of the program at {at}"));
        at += 1;
        let mut jump = |taken: bool| at += usize::from(if taken { insn.jt } else { insn.jf });
        match insn.code {
            0x20 => accumulator = call.word(insn.k),
            0x54 => accumulator &= insn.k,
            0x05 => at += insn.k as usize,
            0x15 => jump(accumulator == insn.k),
            0x25 => jump(accumulator > insn.k),
            0x35 => jump(accumulator >= insn.k),
            0x06 => return Action::from_bits(insn.k),
            other => panic!("operation {other:#x} at {}", at - 1),
        }
    }
}

/// What a program answers to a call of an ABI by name.
pub(crate) fn decide(program: &Program, abi: runtime::seccomp::Abi, name: &str, args: &[u64]) -> Action {
    let number = abi.number(name).unwrap_or_else(|| panic!("{abi} has no {name}"));
    let mut call = Call { number, arch: abi.audit_token(), ..Call::default() };
    call.args[..args.len()].copy_from_slice(args);
    run(program.insns(), &call)
}

#[test]
fn instructions_do_what_the_kernel_documents() {
    let insn = |code, jt, jf, k| Insn { code, jt, jf, k };
    // Upper half of argument 1, masked, > 2 ? 7 : (>= 2 ? 8 : 9)
    let program = [
        insn(0x20, 0, 0, 28),
        insn(0x54, 0, 0, 0xff),
        insn(0x25, 0, 1, 2),
        insn(0x06, 0, 0, 7),
        insn(0x35, 0, 1, 2),
        insn(0x06, 0, 0, 8),
        insn(0x05, 0, 0, 1),
        insn(0x06, 0, 0, 0),
        insn(0x06, 0, 0, 9),
    ];
    let answer = |upper: u64| run(&program, &Call { args: [0, upper << 32, 0, 0, 0, 0], ..Call::default() }).bits();
    assert_eq!(answer(3), 7);
    assert_eq!(answer(2), 8);
    assert_eq!(answer(0x101), 9);
    assert_eq!(answer(0x103), 7);
}
