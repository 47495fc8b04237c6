//! What a hostile program tries in order to get around the default profile: other ABIs, multiplexed calls, odd numbers.

use runtime::capability::Set;
use runtime::seccomp::{
    Abi, Action, Context, KernelVersion, Machine, Program, compile, default_profile, default_program, parse_and_compile,
};

use crate::default_profile::capabilities;
use crate::interpreter::{Call, decide, run};

const DEFAULT: Action = Action::errno(38);
const EPERM: Action = Action::errno(1);
const EINVAL: Action = Action::errno(22);

const AF_INET: u64 = 2;
const AF_NETLINK: u64 = 16;
const AF_VSOCK: u64 = 40;
const NETLINK_ROUTE: u64 = 0;
const NETLINK_AUDIT: u64 = 9;
const SYS_SOCKET: u64 = 1;

const ALL: [Abi; 5] = [Abi::X86_64, Abi::I386, Abi::X32, Abi::Aarch64, Abi::Arm];

fn context(caps: Set, machine: Machine) -> Context {
    Context { caps, machine, kernel: KernelVersion::new(6, 12) }
}

fn machine(abi: Abi) -> Machine {
    if matches!(abi, Abi::Aarch64 | Abi::Arm) { Machine::Aarch64 } else { Machine::X86_64 }
}

/// The default profile's program for a container with podman's default capabilities.
fn usual(abi: Abi) -> Program {
    default_program(&context(capabilities(&["CAP_SYS_CHROOT"]), machine(abi))).expect("compiles")
}

#[test]
fn socket_families_are_denied_in_each_abi() {
    for abi in ALL {
        let answer = |args: &[u64]| decide(&usual(abi), abi, "socket", args);
        assert_eq!(answer(&[AF_INET]), Action::ALLOW, "{abi}");
        assert_eq!(answer(&[AF_VSOCK]), EPERM, "{abi}");
        assert_eq!(answer(&[AF_VSOCK, 1, NETLINK_AUDIT]), EPERM, "{abi}");
        assert_eq!(answer(&[AF_NETLINK, 3, NETLINK_ROUTE]), Action::ALLOW, "{abi}");
        assert_eq!(answer(&[AF_NETLINK, 3, NETLINK_AUDIT]), EINVAL, "{abi}");
    }
}

#[test]
fn the_audit_capability_opens_audit_and_nothing_else() {
    for abi in ALL {
        let caps = capabilities(&["CAP_AUDIT_WRITE"]);
        let program = compile(default_profile(), &context(caps, machine(abi))).expect("compiles");
        assert_eq!(decide(&program, abi, "socket", &[AF_NETLINK, 3, NETLINK_AUDIT]), Action::ALLOW, "{abi}");
        assert_eq!(decide(&program, abi, "socket", &[AF_VSOCK]), EPERM, "{abi}");
    }
}

/// The family is behind a pointer that no filter can follow, and C libraries for 32-bit x86 use this call for every socket. So
/// the profile allows it, as podman's and docker's do, and 32-bit programs can open families that 64-bit ones cannot.
#[test]
fn socketcall_is_allowed_since_no_filter_can_see_the_family() {
    assert_eq!(decide(&usual(Abi::I386), Abi::I386, "socketcall", &[SYS_SOCKET]), Action::ALLOW);
}

#[test]
fn a_rule_on_socket_is_one_on_socketcall_too() {
    let deny = br#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "syscalls": [
        {"names": ["socket", "shmget"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]}]}"#;
    let program = parse_and_compile(deny, &context(Set::EMPTY, Machine::X86_64)).expect("compiles");
    let answer = |name: &str, args: &[u64]| decide(&program, Abi::I386, name, args);
    assert_eq!(answer("socket", &[AF_VSOCK]), EPERM);
    assert_eq!(answer("socket", &[AF_INET]), Action::ALLOW);
    assert_eq!(answer("socketcall", &[SYS_SOCKET]), EPERM, "whatever the family");
    assert_eq!(answer("socketcall", &[SYS_SOCKET + 1]), Action::ALLOW);
    assert_eq!(answer("ipc", &[23]), EPERM);
    assert_eq!(answer("ipc", &[24]), Action::ALLOW);
}

#[test]
fn io_uring_is_not_there_in_any_abi() {
    for (abi, name) in ALL
        .into_iter()
        .flat_map(|abi| ["io_uring_setup", "io_uring_enter", "io_uring_register"].map(|name| (abi, name)))
    {
        assert_eq!(decide(&usual(abi), abi, name, &[]), DEFAULT, "{name} of {abi}");
    }
}

/// Podman's profile allows it, unlike docker's, which answers ENOSYS so that C libraries fall back to `clone`, whose flags a
/// filter can see.
#[test]
fn clone3_is_as_the_profile_says() {
    for abi in ALL {
        assert_eq!(decide(&usual(abi), abi, "clone3", &[]), Action::ALLOW, "{abi}");
    }
    let docker = br#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": {"caps": ["CAP_SYS_ADMIN"]}}]}"#;
    let program = |caps| parse_and_compile(docker, &context(caps, Machine::X86_64)).expect("compiles");
    assert_eq!(decide(&program(Set::EMPTY), Abi::X86_64, "clone3", &[]), DEFAULT);
    assert_eq!(decide(&program(capabilities(&["CAP_SYS_ADMIN"])), Abi::X86_64, "clone3", &[]), Action::ALLOW);
}

#[test]
fn personality_takes_the_listed_values_only() {
    const ADDR_NO_RANDOMIZE: u64 = 0x004_0000;
    const READ_IMPLIES_EXEC: u64 = 0x040_0000;
    for abi in ALL {
        let answer = |value| decide(&usual(abi), abi, "personality", &[value]);
        for allowed in [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff] {
            assert_eq!(answer(allowed), Action::ALLOW, "{allowed:#x} of {abi}");
        }
        for denied in [1, 9, ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, 0x2_0008 | READ_IMPLIES_EXEC, 0xffff_fffe] {
            assert_eq!(answer(denied), DEFAULT, "{denied:#x} of {abi}");
        }
    }
    // Where an argument has 64 bits, all of them count.
    assert_eq!(decide(&usual(Abi::X86_64), Abi::X86_64, "personality", &[1 << 32]), DEFAULT);
    assert_eq!(decide(&usual(Abi::Aarch64), Abi::Aarch64, "personality", &[8 | 1 << 63]), DEFAULT);
}

/// A call that is denied whatever its arguments is not to be had under the same name in another ABI of the machine.
#[test]
fn no_abi_has_what_another_denies() {
    let sets: [&[&str]; 3] = [&[], &["CAP_SYS_CHROOT"], &["CAP_SYS_ADMIN", "CAP_BPF"]];
    for (machine, caps) in
        [Machine::X86_64, Machine::Aarch64].into_iter().flat_map(|machine| sets.map(|caps| (machine, caps)))
    {
        let program = compile(default_profile(), &context(capabilities(caps), machine)).expect("compiles");
        let native = machine.native();
        let mut compared = 0;
        for (name, _) in native.table().iter().filter(|(name, _)| !["socket", "personality"].contains(name)) {
            let denied = decide(&program, native, name, &[]) != Action::ALLOW;
            for abi in machine.abis().iter().filter(|abi| denied && abi.number(name).is_some()) {
                compared += 1;
                assert_ne!(decide(&program, *abi, name, &[]), Action::ALLOW, "{name} of {abi} with {caps:?}");
            }
        }
        assert!(compared > 80, "{compared}");
    }
}

#[test]
fn numbers_no_table_has_are_denied_in_each_abi() {
    for abi in ALL {
        let program = usual(abi);
        let bit = if abi == Abi::X32 { 0x4000_0000 } else { 0 };
        for number in
            [500, 511, 548, 1 << 20, 0x3fff_ffff].map(|number| number | bit).into_iter().chain([0x8000_0000, u32::MAX])
        {
            let call = Call { number, arch: abi.audit_token(), ..Call::default() };
            assert_eq!(run(program.insns(), &call), DEFAULT, "{number:#x} of {abi}");
        }
    }
}

/// Numbers of x86_64 that x32 replaced (`ioctl`, `execve`, …) are not x32 calls, though the kernel long took them for such.
#[test]
fn x32_has_its_own_numbers_only() {
    for name in ["ioctl", "execve", "ptrace", "rt_sigaction"] {
        let number = Abi::X86_64.number(name).expect("a call of x86_64");
        let call = Call { number: number | 0x4000_0000, arch: Abi::X32.audit_token(), ..Call::default() };
        assert_eq!(run(usual(Abi::X32).insns(), &call), DEFAULT, "{name}");
        assert_eq!(decide(&usual(Abi::X32), Abi::X32, name, &[]), Action::ALLOW, "{name}");
    }
}

#[test]
fn an_architecture_the_profile_does_not_list_kills() {
    for arch in [0, 1, Abi::Aarch64.audit_token(), Abi::X86_64.audit_token() & !0x8000_0000, u32::MAX] {
        let call = Call { number: 39, arch, ..Call::default() };
        assert_eq!(run(usual(Abi::X86_64).insns(), &call), Action::KILL_THREAD, "{arch:#x}");
    }
    let native_only = br#"{"defaultAction": "SCMP_ACT_ALLOW"}"#;
    let program = parse_and_compile(native_only, &context(Set::EMPTY, Machine::X86_64)).expect("compiles");
    let answer = |number, abi: Abi| run(program.insns(), &Call { number, arch: abi.audit_token(), ..Call::default() });
    assert_eq!(answer(39, Abi::X86_64), Action::ALLOW);
    assert_eq!(answer(39, Abi::I386), Action::KILL_THREAD);
    assert_eq!(answer(0x4000_0027, Abi::X32), Action::KILL_THREAD);
    assert_eq!(answer(0xffff_fffe, Abi::X32), Action::KILL_THREAD);
    assert_eq!(answer(u32::MAX, Abi::X86_64), Action::ALLOW, "-1 is a tracer's way to skip a call");
}
