//! Every decision is libseccomp's.
//!
//! Compared are all call numbers from 0 to 600 and odd ones beyond, in each ABI's range, under every audit architecture the
//! machine has and some it has not, with argument values around those the profile names. Left out are calls that the libseccomp at
//! hand does not know, which for 2.5.4 are those after Linux 5.17.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use runtime::seccomp::{Abi, Action, Context, KernelVersion, Machine, Profile, Program, compile};
use serde_json::{Value, json};

use crate::default_profile::capabilities;
use crate::interpreter::{Call, run};
use crate::reference::{Compiled, Reference, Resolved};

fn context(caps: &[&str], machine: Machine) -> Context {
    Context { caps: capabilities(caps), machine, kernel: KernelVersion::new(6, 12) }
}

/// xorshift64*; only has to be even and repeatable.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.next() % from.len() as u64) as usize]
    }
}

/// The numbers worth a look: all there are, and where ranges and signs end.
fn numbers() -> Vec<u32> {
    let edges =
        [0u32, 0x000f_0000, 0x3fff_ff00, 0x4000_0000, 0x7fff_ff00, 0x8000_0000, 0xbfff_ff00, 0xc000_0000, 0xffff_ff00];
    let mut numbers = BTreeSet::new();
    for edge in edges {
        let count = if edge == 0 || edge == 0x4000_0000 { 0..=600 } else { 0..=8 };
        numbers.extend(count.map(|number| edge + number));
        numbers.extend([edge + 255, edge.wrapping_sub(1)]);
    }
    numbers.into_iter().collect()
}

/// Argument values around those in the profile.
fn values(profile: &Value) -> Vec<u64> {
    let args = || {
        profile["syscalls"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|entry| entry["args"].as_array().into_iter().flatten())
    };
    let named = args().flat_map(|arg| [arg["value"].as_u64(), arg["valueTwo"].as_u64()]).flatten();
    let mut values = BTreeSet::from([0, 1, 2, u64::MAX, 1 << 31, 1 << 32, u64::from(u32::MAX)]);
    for value in named.chain(1..=24) {
        values.extend([
            value,
            value.wrapping_sub(1),
            value.wrapping_add(1),
            value ^ (1 << 32),
            value & 0xffff_ffff,
            !value,
        ]);
    }
    values.into_iter().collect()
}

/// The calls the profile looks into the arguments of, in any ABI.
fn compared_calls(profile: &Value, machine: Machine) -> BTreeSet<u32> {
    let entries = profile["syscalls"].as_array().into_iter().flatten();
    let entries = entries.filter(|entry| entry["args"].as_array().is_some_and(|args| !args.is_empty()));
    let mut names: BTreeSet<&str> =
        entries.flat_map(|entry| entry["names"].as_array().into_iter().flatten()).filter_map(Value::as_str).collect();
    names.extend(["socketcall", "ipc"]);
    let number = |abi: &'static Abi| names.iter().filter_map(|name| abi.number(name)).collect::<Vec<_>>();
    machine.abis().iter().flat_map(number).collect()
}

/// Numbers that a table has under a name libseccomp does not know.
fn unknown_calls(reference: &mut Reference, machine: Machine) -> BTreeSet<(u32, u32)> {
    let mut unknown = BTreeSet::new();
    for abi in machine.abis() {
        for (name, number) in abi.table() {
            if reference.resolve(*abi, name) == Resolved::Unknown {
                unknown.insert((abi.audit_token(), *number));
            }
        }
    }
    unknown
}

/// What to try on each profile.
struct Probe {
    machine: Machine,
    numbers: Vec<u32>,
    unknown: BTreeSet<(u32, u32)>,
    random: Random,
    /// Calls that libseccomp's program decides otherwise than its listing says.
    miscompiled: u32,
}

impl Probe {
    fn new(reference: &mut Reference, machine: Machine) -> Self {
        let unknown = unknown_calls(reference, machine);
        Self { machine, numbers: numbers(), unknown, random: Random(0x9e37_79b9_7f4a_7c15), miscompiled: 0 }
    }

    /// Compares two programs; the first call they disagree on.
    ///
    /// libseccomp's program does not always do what its own listing says: where rules share comparisons it can compare with the
    /// wrong half of an argument loaded. There the listing counts.
    fn differ(&mut self, profile: &Value, ours: &Program, theirs: &Compiled) -> Option<String> {
        let values = values(profile);
        let compared = compared_calls(profile, self.machine);
        let mut tokens: BTreeSet<u32> = [Abi::X86_64, Abi::I386, Abi::Aarch64, Abi::Arm].map(Abi::audit_token).into();
        tokens.extend([0, 1, 0xc000_0016, 0x4000_003e, u32::MAX]);
        for arch in tokens {
            for number in self.numbers.iter().copied().filter(|number| !self.unknown.contains(&(arch, *number))) {
                let tries = if compared.contains(&number) { 300 } else { 3 };
                for _ in 0..tries {
                    let args = [(); 6].map(|()| self.random.pick(&values));
                    let call = Call { number, arch, args, instruction_pointer: self.random.next() };
                    let (mine, other) = (run(ours.insns(), &call), run(theirs.program.insns(), &call));
                    if mine == other {
                        continue;
                    }
                    let listed = theirs.listing.decide(&call);
                    if listed != mine.to_string() {
                        return Some(format!("{call:x?}: {mine} here, {other} by libseccomp, listed as {listed}"));
                    }
                    self.miscompiled += 1;
                }
            }
        }
        None
    }
}

#[test]
fn the_default_profile_decides_as_with_libseccomp() {
    let Some(mut reference) = Reference::start() else { return };
    let json = include_bytes!("../../src/seccomp/default.json");
    let value: Value = serde_json::from_slice(json).expect("JSON");
    let profile = Profile::parse(json).expect("a profile");
    let sets: [&[&str]; 6] = [
        &[],
        &["CAP_CHOWN", "CAP_SYS_CHROOT", "CAP_SETUID"],
        &["CAP_SYS_CHROOT", "CAP_AUDIT_WRITE"],
        &["CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_SYS_TIME"],
        &["CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_SYS_RAWIO"],
        &[
            "CAP_SYS_ADMIN",
            "CAP_BPF",
            "CAP_PERFMON",
            "CAP_AUDIT_WRITE",
            "CAP_SYS_MODULE",
            "CAP_SYS_PACCT",
            "CAP_SYS_TTY_CONFIG",
        ],
    ];
    for machine in [Machine::X86_64, Machine::Aarch64, Machine::I386, Machine::Arm] {
        let mut probe = Probe::new(&mut reference, machine);
        for caps in sets {
            let ours = compile(&profile, &context(caps, machine)).expect("compiles");
            let theirs = reference.compile(&value, caps, machine).expect("libseccomp takes it");
            println!(
                "{machine:?} {caps:?}: {} instructions, libseccomp {}",
                ours.insns().len(),
                theirs.program.insns().len()
            );
            if let Some(difference) = probe.differ(&value, &ours, &theirs) {
                panic!("{machine:?} {caps:?}: {difference}\n{ours}");
            }
            assert_eq!(probe.miscompiled, 0, "of the default profile");
        }
    }
}

const NAMES: &[&str] = &[
    "read",
    "write",
    "open",
    "openat",
    "ioctl",
    "rt_sigaction",
    "socket",
    "socketpair",
    "recv",
    "accept4",
    "bind",
    "semop",
    "shmat",
    "msgctl",
    "semtimedop",
    "socketcall",
    "ipc",
    "personality",
    "clone",
    "waitpid",
    "mmap2",
    "keyctl",
    "arch_prctl",
    "io_uring_setup",
    "cacheflush",
    "set_tls",
    "umount",
    "nonexistent",
];

fn name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(NAMES)
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0..6u64,
        2 => (0..3u64, 0..3u64).prop_map(|(upper, lower)| upper << 32 | lower),
        1 => any::<u64>(),
        1 => Just(u64::from(u32::MAX)),
    ]
}

fn argument(operators: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let mask = prop_oneof![Just(0u64), Just(u64::MAX), Just(0xff), Just(7 << 31), any::<u64>()];
    (0..3u32, proptest::sample::select(operators), value(), mask).prop_map(|(index, op, value, mask)| match op {
        "MASKED_EQ" => json!({"index": index, "op": "SCMP_CMP_MASKED_EQ", "value": mask, "valueTwo": value}),
        _ => json!({"index": index, "op": format!("SCMP_CMP_{op}"), "value": value}),
    })
}

/// Comparisons of which libseccomp keeps a rule's together; see `precedence.rs` on the others.
const EQUALITIES: &[&str] = &["EQ", "MASKED_EQ"];
const ALL: &[&str] = &["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];

/// Either one comparison of any kind or several that ask for equality.
fn sound_arguments() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        1 => Just(Vec::new()),
        6 => argument(ALL).prop_map(|argument| vec![argument]),
        3 => proptest::collection::vec(argument(EQUALITIES), 2..4),
    ]
}

fn any_arguments() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(argument(ALL), 0..4)
}

fn rule(
    actions: &'static [&'static str],
    arguments: impl Strategy<Value = Vec<Value>>,
) -> impl Strategy<Value = Value> {
    let names = proptest::collection::vec(name(), 1..3);
    (names, proptest::sample::select(actions), 1..4u32, arguments).prop_map(|(names, action, errno, args)| {
        let mut rule = json!({"names": names, "action": action, "args": args});
        if action == "SCMP_ACT_ERRNO" || action == "SCMP_ACT_TRACE" {
            rule["errnoRet"] = json!(errno);
        }
        rule
    })
}

fn profile(rule: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let architectures =
        proptest::sample::subsequence(vec!["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], 0..=3);
    (architectures, proptest::collection::vec(rule, 1..12)).prop_map(|(architectures, mut rules)| {
        // Where the first call by priority is one that x86_64 does not have, libseccomp forgets to load the number.
        rules.push(json!({"names": ["close"], "action": "SCMP_ACT_ALLOW"}));
        json!({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": architectures, "syscalls": rules})
    })
}

/// When one rule makes a comparison and another the opposite one after a comparison of a lower argument, libseccomp takes the
/// latter rule for the former's, and drops it. (A rule for a multiplexed call always has another comparison.) And where both `<`
/// and `≥` a value have rules, it tries them in another order for upper halves than for lower ones.
fn drop_opposed(rules: &mut Vec<Value>) {
    const OPPOSITES: [(&str, &str); 3] = [("EQ", "NE"), ("LT", "GE"), ("LE", "GT")];
    let opposite = |op: &str| {
        let op = op.strip_prefix("SCMP_CMP_").expect("an operator");
        let pair = OPPOSITES.iter().find(|pair| pair.0 == op || pair.1 == op)?;
        Some(format!("SCMP_CMP_{}", if pair.0 == op { pair.1 } else { pair.0 }))
    };
    let place = |arg: &Value| (arg["index"].as_u64(), arg["value"].as_u64().map(|value| value & 0xffff_ffff));
    let args = |rule: &Value| rule["args"].as_array().cloned().unwrap_or_default();
    let all: Vec<Value> = rules.iter().flat_map(args).collect();
    let is_opposed = |arg: &Value| {
        let opposite = opposite(arg["op"].as_str().expect("an operator"));
        all.iter().any(|other| opposite.as_deref() == other["op"].as_str() && place(arg) == place(other))
    };
    let is_order = |arg: &Value| !["SCMP_CMP_EQ", "SCMP_CMP_NE"].contains(&arg["op"].as_str().expect("an operator"));
    rules.retain(|rule| !args(rule).iter().any(|arg| is_opposed(arg) && (is_long(rule) || is_order(arg))));
}

/// Whether a rule compares several arguments, if only in a multiplexed form.
fn is_long(rule: &Value) -> bool {
    const MULTIPLEXED: [&str; 9] =
        ["socket", "socketpair", "recv", "accept4", "bind", "semop", "shmat", "msgctl", "semtimedop"];
    let names = || rule["names"].as_array().into_iter().flatten().filter_map(Value::as_str);
    rule["args"].as_array().is_some_and(|args| args.len() > 1) || names().any(|name| MULTIPLEXED.contains(&name))
}

/// Whether libseccomp lets the first of such rules decide for some values and the order for others.
fn is_open(rule: &Value) -> bool {
    let open = ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE"];
    rule["args"].as_array().is_some_and(|args| args.iter().any(|arg| open.iter().any(|op| arg["op"] == *op)))
}

/// Compiles random profiles both ways and compares what comes out.
fn compare(strategy: impl Strategy<Value = Value>) {
    let Some(mut reference) = Reference::start() else { return };
    let mut probe = Probe::new(&mut reference, Machine::X86_64);
    let (mut accepted, mut cases) = (0, 0);
    let state = std::cell::RefCell::new((&mut reference, &mut probe, &mut accepted, &mut cases));
    let result = TestRunner::new(config()).run(&strategy, |mut value| {
        drop_opposed(value["syscalls"].as_array_mut().expect("rules"));
        let (reference, probe, accepted, cases) = &mut *state.borrow_mut();
        **cases += 1;
        let profile = Profile::parse(value.to_string().as_bytes()).expect("of the format");
        let ours = compile(&profile, &context(&[], Machine::X86_64));
        let Some(theirs) = reference.compile(&value, &[], Machine::X86_64) else { return Ok(()) };
        **accepted += 1;
        let ours = ours.map_err(|error| TestCaseError::fail(error.to_string()))?;
        match probe.differ(&value, &ours, &theirs) {
            Some(difference) => Err(TestCaseError::fail(difference)),
            None => Ok(()),
        }
    });
    println!("libseccomp took {accepted} of {cases} profiles and miscompiled {} calls", probe.miscompiled);
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(accepted * 2 > cases, "hardly a profile was compared");
}

/// Few cases, for every one takes thousands of calls; `PROPTEST_CASES` asks for more.
fn config() -> Config {
    let few = Config { failure_persistence: None, cases: 64, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { Config { cases: Config::default().cases, ..few } } else { few }
}

#[test]
fn profiles_with_one_action_decide_as_with_libseccomp() {
    compare(profile(rule(&["SCMP_ACT_ALLOW"], sound_arguments())));
}

#[test]
fn profiles_with_several_actions_decide_as_with_libseccomp() {
    let actions = &["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_KILL_PROCESS"];
    let rule = rule(actions, sound_arguments()).prop_map(|mut rule| {
        if is_open(&rule) {
            rule["action"] = json!("SCMP_ACT_ALLOW");
            rule.as_object_mut().expect("an object").remove("errnoRet");
        }
        rule
    });
    compare(profile(rule));
}

/// Whether a rule, in so many words, is about a call. Only for calls without multiplexed forms.
fn matches(rule: &Value, call: &Call, abi: Abi) -> bool {
    let cut = if abi == Abi::X86_64 { u64::MAX } else { u64::from(u32::MAX) };
    let holds = |arg: &Value| {
        let number = |key: &str| arg[key].as_u64().unwrap_or(0);
        let (have, value) = (call.args[number("index") as usize] & cut, number("value") & cut);
        match arg["op"].as_str().expect("op") {
            "SCMP_CMP_NE" => have != value,
            "SCMP_CMP_LT" => have < value,
            "SCMP_CMP_LE" => have <= value,
            "SCMP_CMP_EQ" => have == value,
            "SCMP_CMP_GE" => have >= value,
            "SCMP_CMP_GT" => have > value,
            "SCMP_CMP_MASKED_EQ" => have & value == number("valueTwo") & value,
            other => panic!("{other}"),
        }
    };
    let args = rule["args"].as_array().map(Vec::as_slice).unwrap_or_default();
    let indexes: Vec<u64> = args.iter().filter_map(|arg| arg["index"].as_u64()).collect();
    let twice = (1..indexes.len()).any(|at| indexes[..at].contains(&indexes[at]));
    let named = rule["names"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .any(|name| abi.number(name) == Some(call.number));
    named && if twice { args.iter().any(holds) } else { args.iter().all(holds) }
}

/// The meaning of rules without any other compiler: a call is allowed if and only if a rule says so.
#[test]
fn a_call_is_allowed_if_and_only_if_a_rule_says_so() {
    let profiles = profile(rule(&["SCMP_ACT_ALLOW"], any_arguments()));
    let random = std::cell::RefCell::new(Random(0x1234_5678_9abc_def1));
    let result = TestRunner::new(config()).run(&profiles, |mut value| {
        value["architectures"] = json!(["SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
        let random = &mut *random.borrow_mut();
        let profile = Profile::parse(value.to_string().as_bytes()).expect("of the format");
        let ours = compile(&profile, &context(&[], Machine::X86_64)).expect("no two actions");
        let values = values(&value);
        for abi in [Abi::X86_64, Abi::I386, Abi::X32] {
            for name in NAMES.iter().filter(|name| !["socketcall", "ipc"].contains(name)) {
                let Some(number) = abi.number(name) else { continue };
                for _ in 0..100 {
                    let args = [(); 6].map(|()| random.pick(&values));
                    let call = Call { number, arch: abi.audit_token(), args, ..Call::default() };
                    let allowed =
                        value["syscalls"].as_array().into_iter().flatten().any(|rule| matches(rule, &call, abi));
                    let expected = if allowed { Action::ALLOW } else { Action::errno(38) };
                    prop_assert_eq!(run(ours.insns(), &call), expected, "{} of {}: {:x?}", name, abi, call);
                }
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
