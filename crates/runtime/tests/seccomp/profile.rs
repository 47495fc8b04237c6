//! Reading profiles: what is taken, what is refused and in which words, and that nothing panics.

use proptest::prelude::*;
use runtime::capability::Set;
use runtime::seccomp::{
    Abi, Action, Context, ErrorKind, Flags, KernelVersion, MAX_BYTES, MAX_INSTRUCTIONS, Machine, Profile, Program,
    compile, parse_and_compile,
};
use serde_json::{Value, json};

use crate::default_profile::capabilities;
use crate::interpreter::decide;

fn context(caps: &[&str], machine: Machine) -> Context {
    Context { caps: capabilities(caps), machine, kernel: KernelVersion::new(6, 12) }
}

fn program(profile: &Value, context: &Context) -> Program {
    parse_and_compile(profile.to_string().as_bytes(), context).expect("compiles")
}

/// What a profile answers to a call without arguments on x86_64.
fn answer(profile: &Value, name: &str) -> String {
    decide(&program(profile, &context(&[], Machine::X86_64)), Abi::X86_64, name, &[]).to_string()
}

/// What is said of a profile that is refused.
fn refusal(profile: &Value) -> String {
    let profile = Profile::parse(profile.to_string().as_bytes());
    match profile.and_then(|profile| compile(&profile, &context(&[], Machine::X86_64))) {
        Ok(program) => panic!("accepted:\n{program}"),
        Err(error) => error.to_string(),
    }
}

fn with_rule(rule: Value) -> Value {
    json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]})
}

fn with_argument(argument: Value) -> Value {
    with_rule(json!({"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [argument]}))
}

#[test]
fn what_go_leaves_out_or_writes_as_null_has_its_zero_value() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "archMap": null, "architectures": null, "flags": null, "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": null, "comment": null, "includes": null, "excludes": {"caps": null}},
        {"name": "write", "names": null, "action": "SCMP_ACT_ERRNO", "args": [{"op": "SCMP_CMP_EQ"}], "errno": "", "errnoRet": null},
        {"action": "SCMP_ACT_LOG"},
    ], "somethingNew": [1, {"a": 2}]});
    assert_eq!(answer(&profile, "read"), "ERRNO(1)");
    assert_eq!(answer(&profile, "write"), "ERRNO(1)");
    assert_eq!(answer(&profile, "close"), "ALLOW");
    assert_eq!(answer(&json!({"defaultAction": "SCMP_ACT_LOG", "syscalls": null}), "read"), "LOG");
}

#[test]
fn the_name_of_an_errno_wins_over_its_number() {
    let rule = |errno: Value, number: Value| {
        answer(
            &with_rule(json!({"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": errno, "errnoRet": number})),
            "read",
        )
    };
    assert_eq!(rule(json!("ENOSYS"), json!(5)), "ERRNO(38)");
    assert_eq!(rule(json!("7"), json!(5)), "ERRNO(7)");
    assert_eq!(rule(json!(null), json!(5)), "ERRNO(5)");
    let default = json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "defaultErrnoRet": 1});
    assert_eq!(answer(&default, "read"), "ERRNO(38)");
}

#[test]
fn rules_with_the_default_action_are_no_rules() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ALLOW"}, {"names": ["read"], "action": "SCMP_ACT_ERRNO"}]});
    assert_eq!(answer(&profile, "read"), "ERRNO(1)");
}

#[test]
fn entries_count_by_capability_architecture_and_kernel() {
    let rule = |key: &str, condition: Value| {
        let mut rule = json!({"names": ["read"], "action": "SCMP_ACT_ERRNO"});
        rule[key] = condition;
        with_rule(rule)
    };
    let denies = |profile: &Value, caps: &[&str], machine: Machine| {
        decide(&program(profile, &context(caps, machine)), machine.native(), "read", &[]) != Action::ALLOW
    };
    let two = json!({"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]});
    for (caps, both, any) in
        [(&[][..], false, false), (&["CAP_BPF"][..], false, true), (&["CAP_BPF", "CAP_SYS_ADMIN"][..], true, true)]
    {
        assert_eq!(denies(&rule("includes", two.clone()), caps, Machine::X86_64), both, "{caps:?}");
        assert_eq!(denies(&rule("excludes", two.clone()), caps, Machine::X86_64), !any, "{caps:?}");
    }
    // A name that no kernel has is in no set.
    assert!(!denies(&rule("includes", json!({"caps": ["CAP_NONE"]})), &["CAP_BPF"], Machine::X86_64));
    assert!(!denies(&rule("includes", json!({"caps": ["cap_bpf"]})), &["CAP_BPF"], Machine::X86_64));
    let arches = json!({"arches": ["amd64", "s390x"]});
    for (machine, named) in [(Machine::X86_64, true), (Machine::Aarch64, false), (Machine::I386, false)] {
        assert_eq!(denies(&rule("includes", arches.clone()), &[], machine), named);
        assert_eq!(denies(&rule("excludes", arches.clone()), &[], machine), !named);
    }
    for (version, newer) in [("4.8", true), ("6.12", true), ("6.13", false), ("10.0", false)] {
        assert_eq!(denies(&rule("includes", json!({"minKernel": version})), &[], Machine::X86_64), newer, "{version}");
        assert_eq!(denies(&rule("excludes", json!({"minKernel": version})), &[], Machine::X86_64), !newer, "{version}");
    }
}

#[test]
fn architectures_are_taken_from_either_list() {
    let abis = |profile: Value, machine: Machine| -> Vec<bool> {
        let program = program(&profile, &context(&[], machine));
        machine.abis().iter().map(|abi| decide(&program, *abi, "read", &[]) != Action::KILL_THREAD).collect()
    };
    let listed = |list: Value| json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": list});
    assert_eq!(abis(listed(json!([])), Machine::X86_64), [true, false, false]);
    assert_eq!(abis(listed(json!(["SCMP_ARCH_X86", "SCMP_ARCH_NATIVE"])), Machine::X86_64), [true, true, false]);
    assert_eq!(abis(listed(json!(["SCMP_ARCH_X32", "SCMP_ARCH_S390X"])), Machine::X86_64), [true, false, true]);
    assert_eq!(abis(listed(json!(["x86", "x32"])), Machine::Aarch64), [true, false]);
    let map = json!({"defaultAction": "SCMP_ACT_ALLOW", "archMap": [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
        {"architecture": "SCMP_ARCH_MIPS64", "subArchitectures": ["SCMP_ARCH_MIPS"]}]});
    assert_eq!(abis(map.clone(), Machine::X86_64), [true, true, false]);
    assert_eq!(abis(map, Machine::Aarch64), [true, true]);
}

#[test]
fn flags_are_those_of_the_profile_or_the_usual_one() {
    let flags = |list: Value| {
        program(&json!({"defaultAction": "SCMP_ACT_ALLOW", "flags": list}), &context(&[], Machine::X86_64)).flags()
    };
    assert_eq!(flags(json!([])), Flags::SPEC_ALLOW);
    assert_eq!(flags(json!(["SECCOMP_FILTER_FLAG_LOG"])), Flags::LOG);
    assert_eq!(
        flags(json!(["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"])),
        Flags::TSYNC | Flags::SPEC_ALLOW
    );
}

#[test]
fn a_refusal_says_what_and_where() {
    let allow = |extra: Value| {
        let mut profile = json!({"defaultAction": "SCMP_ACT_ALLOW"});
        profile.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        profile
    };
    let cases = [
        (json!({}), "has no defaultAction (for no filter at all use seccomp=unconfined)"),
        (json!({"defaultAction": "ALLOW"}), "unknown action \"ALLOW\""),
        (
            json!({"defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 1}),
            "errno given for SCMP_ACT_KILL, which returns none",
        ),
        (
            allow(json!({"listenerPath": "/run/x"})),
            "listenerPath needs a listener process, which lodger does not support",
        ),
        (
            allow(json!({"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]})),
            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a listener process, which lodger does not support",
        ),
        (allow(json!({"flags": ["NO"]})), "unknown flag \"NO\""),
        (allow(json!({"architectures": ["SCMP_ARCH_VAX"]})), "unknown architecture \"SCMP_ARCH_VAX\""),
        (
            allow(json!({"architectures": ["x86"], "archMap": [{"architecture": "x32"}]})),
            "has both \"architectures\" and \"archMap\"",
        ),
        (
            with_rule(json!({"names": ["read"], "name": "write", "action": "SCMP_ACT_LOG"})),
            "syscalls entry 1 (\"read\"): has both \"name\" and \"names\"",
        ),
        (
            with_rule(json!({"names": ["read"], "action": "SCMP_ACT_NOTIFY"})),
            "syscalls entry 1 (\"read\"): SCMP_ACT_NOTIFY needs a listener process, which lodger does not support",
        ),
        (
            with_rule(json!({"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": "EFOO"})),
            "syscalls entry 1 (\"read\"): unknown errno \"EFOO\"",
        ),
        (with_rule(json!({"names": ["read"]})), "syscalls entry 1 (\"read\"): unknown action \"\""),
        (
            with_rule(json!({"name": "read", "action": "SCMP_ACT_LOG", "includes": {"minKernel": "4"}})),
            "syscalls entry 1 (\"read\"): minKernel \"4\" is not a kernel version",
        ),
        (
            with_argument(json!({"index": 6, "op": "SCMP_CMP_EQ"})),
            "syscalls entry 1 (\"read\"): argument index 6 is not in 0..=5",
        ),
        (with_argument(json!({"index": 0, "op": "EQ"})), "syscalls entry 1 (\"read\"): unknown comparison \"EQ\""),
    ];
    for (profile, words) in cases {
        assert_eq!(refusal(&profile), words);
    }
}

#[test]
fn a_key_in_another_case_is_refused_not_ignored() {
    let args = json!([{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]);
    let profile = with_rule(json!({"names": ["read"], "action": "SCMP_ACT_LOG", "Args": args}));
    assert!(refusal(&profile).contains("key \"Args\" must be written \"args\""), "{}", refusal(&profile));
    assert!(refusal(&json!({"defaultAction": "SCMP_ACT_ALLOW", "Syscalls": []})).contains("\"syscalls\""));
    assert!(refusal(&with_argument(json!({"op": "SCMP_CMP_EQ", "Value": 4}))).contains("\"value\""));
}

#[test]
fn not_json_is_not_a_profile() {
    for bytes in [
        &b""[..],
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        br#"{"defaultAction": 1}"#,
        br#"{"defaultAction": "SCMP_ACT_ALLOW"} x"#,
    ] {
        let error = Profile::parse(bytes).expect_err("not a profile");
        assert!(matches!(error.kind(), ErrorKind::Syntax(_)), "{error}");
    }
    let negative = br#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"value": -1}]}]}"#;
    assert!(matches!(Profile::parse(negative).expect_err("negative").kind(), ErrorKind::Syntax(_)));
    let nested = format!("{{\"x\": {}", "[".repeat(100_000));
    assert!(matches!(Profile::parse(nested.as_bytes()).expect_err("too deep").kind(), ErrorKind::Syntax(_)));
}

#[test]
fn everything_has_a_limit() {
    let kind = |json: Value| match Profile::parse(json.to_string().as_bytes()) {
        Err(error) => format!("{error}"),
        Ok(_) => "accepted".to_owned(),
    };
    let rule = json!({"name": "read", "action": "SCMP_ACT_LOG"});
    assert_eq!(
        kind(json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": vec![rule; 4097]})),
        "has 4097 syscalls entries, 4096 are allowed"
    );
    let names = with_rule(json!({"names": vec!["read"; 1025], "action": "SCMP_ACT_LOG"}));
    assert_eq!(kind(names), "syscalls entry 1 (\"read\"): has 1025 names, 1024 are allowed");
    let argument = json!({"op": "SCMP_CMP_EQ"});
    let seven = with_rule(json!({"names": ["read"], "action": "SCMP_ACT_LOG", "args": vec![argument; 7]}));
    assert_eq!(kind(seven), "syscalls entry 1 (\"read\"): has 7 comparisons, 6 are allowed");
    let large = vec![b' '; MAX_BYTES + 1];
    assert!(matches!(Profile::parse(&large).expect_err("too large").kind(), ErrorKind::TooLarge { .. }));
    let rules: Vec<Value> = (0..4096u32)
        .map(|value| json!({"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"op": "SCMP_CMP_EQ", "value": value}]}))
        .collect();
    let long = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules});
    assert_eq!(refusal(&long), format!("needs more than {MAX_INSTRUCTIONS} instructions, the most the kernel takes"));
}

#[test]
fn rules_that_contradict_each_other_are_named() {
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "syscalls": [
        {"names": ["waitpid"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 5, "op": "SCMP_CMP_EQ"}]},
        {"names": ["waitpid"], "action": "SCMP_ACT_KILL", "args": [{"index": 1, "value": 5, "op": "SCMP_CMP_EQ"}]}]});
    assert_eq!(refusal(&profile), "rules for waitpid (i386) contradict each other");
}

#[test]
fn saved_programs_come_back_and_damaged_ones_do_not() {
    let program =
        program(&with_argument(json!({"index": 1, "value": 5, "op": "SCMP_CMP_GT"})), &context(&[], Machine::X86_64));
    let bytes = program.to_bytes();
    assert_eq!(bytes.len(), program.insns().len() * 8);
    assert_eq!(Program::from_bytes(&bytes, program.flags()).expect("whole"), program);
    assert!(Program::from_bytes(&bytes[..bytes.len() - 1], Flags::NONE).is_err(), "cut within an instruction");
    assert!(Program::from_bytes(&[], Flags::NONE).is_err());
    for instructions in 1..program.insns().len() {
        // Every prefix either ends in a jump or load that leads nowhere, or jumps beyond its end.
        assert!(Program::from_bytes(&bytes[..instructions * 8], Flags::NONE).is_err(), "{instructions}");
    }
    let mut other = bytes.clone();
    other[0] = 0x07;
    assert!(Program::from_bytes(&other, Flags::NONE).is_err(), "another operation");
}

/// Jumps in a program reach 255 instructions; every length has its own places where that is just enough or just not.
#[test]
fn programs_of_every_length_decide_right() {
    let rule = |number: u32| {
        let args = json!([{"index": 2, "value": number, "op": "SCMP_CMP_EQ"}]);
        json!({"names": ["getppid", "read"], "action": "SCMP_ACT_ERRNO", "errnoRet": number % 70 + 1, "args": args})
    };
    for rules in 1..150 {
        let list: Vec<Value> = (0..rules).map(rule).collect();
        let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": list});
        let program = program(&profile, &context(&[], Machine::X86_64));
        for abi in Machine::X86_64.abis() {
            let answer = |name: &str, value: u32| decide(&program, *abi, name, &[0, 0, value.into()]).to_string();
            for number in [0, rules / 2, rules - 1] {
                let expected = format!("ERRNO({})", number % 70 + 1);
                assert_eq!(answer("getppid", number), expected, "{abi}, {number} of {rules}");
                assert_eq!(answer("read", number), expected, "{abi}, {number} of {rules}");
            }
            assert_eq!(answer("getppid", rules), "ALLOW", "{abi}, {rules}");
            assert_eq!(answer("close", 0), "ALLOW", "{abi}, {rules}");
        }
    }
}

#[test]
fn a_program_can_be_read() {
    let profile = json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 21523, "op": "SCMP_CMP_LE"}]}]});
    let listing = program(&profile, &context(&[], Machine::Aarch64)).to_string();
    let expected = "   0: load arch
   1: = 0xc00000b7 ? 3 : 2
   2: return KILL_THREAD
   3: load number
   4: >= 0x1e ? 11 : 5
   5: >= 0x1d ? 6 : 12
   6: load argument 1 upper
   7: > 0x0 ? 12 : 8
   8: = 0x0 ? 9 : 13
   9: load argument 1 lower
  10: > 0x5413 ? 12 : 13
  11: = 0x3f ? 13 : 12
  12: return ERRNO(38)
  13: return ALLOW
";
    assert_eq!(listing, expected);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_and_compile(&bytes, &context(&[], Machine::X86_64));
    }

    /// The default profile with a few bytes changed: mostly still JSON, often still a profile.
    #[test]
    fn no_damage_to_a_profile_makes_it_panic(
        changes in proptest::collection::vec((0usize..17_000, any::<u8>()), 1..4),
        machine in prop_oneof![Just(Machine::X86_64), Just(Machine::I386), Just(Machine::Aarch64), Just(Machine::Arm)],
    ) {
        let mut json = include_bytes!("../../src/seccomp/default.json").to_vec();
        for (at, byte) in changes {
            json[at] = byte;
        }
        let _ = parse_and_compile(&json, &Context { caps: Set::EMPTY, machine, kernel: KernelVersion::new(6, 12) });
    }

    /// Whatever is accepted as a saved program ends, whichever way its jumps go.
    #[test]
    fn an_accepted_program_always_returns(bytes in proptest::collection::vec(any::<[u8; 8]>(), 1..20), args in any::<[u64; 6]>()) {
        const CODES: [u8; 7] = [0x20, 0x54, 0x05, 0x15, 0x25, 0x35, 0x06];
        let plausible: Vec<u8> = bytes
            .iter()
            .flat_map(|insn| [CODES[usize::from(insn[0]) % 7], 0, insn[2] % 8, insn[3] % 8, insn[4] % 80, 0, 0, 0])
            .chain([0x06, 0, 0, 0, 0, 0, 0, 0])
            .collect();
        if let Ok(program) = Program::from_bytes(&plausible, Flags::NONE) {
            crate::interpreter::run(program.insns(), &crate::interpreter::Call { args, ..Default::default() });
        }
    }
}
