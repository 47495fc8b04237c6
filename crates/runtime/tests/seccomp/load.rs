//! The kernel takes the programs and does what they say.

use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use kernel::seccomp::load;
use runtime::seccomp::{Context, Flags, Insn, Program, default_program, parse_and_compile};
use rustix::io::Errno;

use crate::default_profile::capabilities;

/// How a child ended, and what it wrote.
#[derive(Debug)]
struct Outcome {
    signal: i32,
    written: Vec<i64>,
}

/// What a confined child does, given how to report a number.
type Calls = dyn Fn(&mut dyn FnMut(i64));

/// Forks; the child sets `no_new_privs`, loads the program, and runs `calls`, whose results come back.
///
/// The child of a process with threads may only make system calls: `calls` must not allocate or panic.
fn confined(program: &Program, calls: &Calls) -> Outcome {
    let (mut reader, writer) = UnixStream::pair().expect("a pair of sockets");
    let descriptor = writer.as_raw_fd();
    // SAFETY: the child only makes system calls on memory that the parent prepared, and leaves with _exit.
    #[allow(unsafe_code)]
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut write = |number: i64| {
            let bytes = number.to_ne_bytes();
            // SAFETY: the bytes live during the call.
            #[allow(unsafe_code)]
            unsafe {
                libc::write(descriptor, bytes.as_ptr().cast(), bytes.len());
            }
        };
        // SAFETY: sets a flag of this process.
        #[allow(unsafe_code)]
        unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        }
        write(load(program.insns(), program.flags()).map_or_else(|error| error.raw_os_error().into(), |()| 0));
        calls(&mut write);
        // SAFETY: ends the child without running anything of the parent's.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(0)
        }
    }
    assert!(child > 0, "fork failed");
    drop(writer);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("read what the child wrote");
    let mut status = 0;
    // SAFETY: `status` is written to during the call, the child is ours.
    #[allow(unsafe_code)]
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!(waited, child);
    let signal = if libc::WIFSIGNALED(status) { libc::WTERMSIG(status) } else { 0 };
    let written =
        bytes.chunks_exact(8).map(|chunk| i64::from_ne_bytes(chunk.try_into().expect("eight bytes"))).collect();
    Outcome { signal, written }
}

/// A system call that needs no memory: its result, or its errno negated.
fn call(number: i64, args: [i64; 3]) -> i64 {
    // SAFETY: the calls the tests make with these arguments touch no memory of this process.
    #[allow(unsafe_code)]
    let result = unsafe { libc::syscall(number, args[0], args[1], args[2]) };
    // SAFETY: errno is always readable.
    #[allow(unsafe_code)]
    let errno = unsafe { *libc::__errno_location() };
    if result < 0 { -i64::from(errno) } else { result }
}

fn default() -> Program {
    default_program(&Context::native(capabilities(&["CAP_SYS_CHROOT"]))).expect("compiles")
}

#[test]
fn the_default_profile_answers_as_it_says() {
    let outcome = confined(&default(), &|write| {
        write(call(libc::SYS_getppid, [0; 3]).min(1));
        write(call(libc::SYS_personality, [0x004_0000, 0, 0]));
        write(call(libc::SYS_personality, [0xffff_ffff, 0, 0]).min(0));
        write(call(libc::SYS_socket, [40, 1, 0]));
        write(call(libc::SYS_socket, [16, 3, 9]));
        write(call(libc::SYS_socket, [1, 1, 0]).min(0));
        write(call(libc::SYS_userfaultfd, [0; 3]));
        write(call(libc::SYS_io_uring_setup, [0; 3]));
        write(call(libc::SYS_setdomainname, [0; 3]));
        write(call(4000, [0; 3]));
    });
    assert_eq!(outcome.signal, 0);
    assert_eq!(outcome.written, [0, 1, -38, 0, -1, -22, 0, -1, -38, -1, -38]);
}

#[test]
fn killing_actions_kill() {
    let json = br#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["getppid"], "action": "SCMP_ACT_KILL_PROCESS"}, {"names": ["getpgid"], "action": "SCMP_ACT_TRAP"},
        {"names": ["getsid"], "action": "SCMP_ACT_LOG"}], "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"]}"#;
    let program = parse_and_compile(json, &Context::native(capabilities(&[]))).expect("compiles");
    let killed = confined(&program, &|write| write(call(libc::SYS_getppid, [0; 3])));
    assert_eq!((killed.signal, killed.written), (libc::SIGSYS, vec![0]));
    let trapped = confined(&program, &|write| write(call(libc::SYS_getpgid, [0; 3])));
    assert_eq!((trapped.signal, trapped.written), (libc::SIGSYS, vec![0]));
    // The session's leader may be outside this process's pid namespace: then its number reads as 0.
    let logged = confined(&program, &|write| write(call(libc::SYS_getsid, [0; 3]).signum().max(0) - 1));
    assert!(logged.signal == 0 && matches!(logged.written[..], [0, 0 | -1]), "{logged:?}");
}

/// All 64 bits of an argument, and jumps over more than a byte's worth of instructions, in the kernel's own machine.
#[test]
fn a_long_program_with_comparisons_of_both_halves_works() {
    let rules: Vec<String> = (0..150u64)
        .map(|number| {
            let value = number << 32 | (150 - number);
            format!(
                r#"{{"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": {}, "args": [
                {{"index": 2, "op": "SCMP_CMP_EQ", "value": {value}}}]}}"#,
                number + 1
            )
        })
        .collect();
    let json = format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]}}"#, rules.join(","));
    let program = parse_and_compile(json.as_bytes(), &Context::native(capabilities(&[]))).expect("compiles");
    assert!(program.insns().len() > 600);
    let outcome = confined(&program, &|write| {
        for number in [0i64, 1, 77, 149] {
            write(call(libc::SYS_getppid, [0, 0, number << 32 | (150 - number)]));
        }
        write(call(libc::SYS_getppid, [0, 0, 77 << 32 | 77]).min(1));
    });
    assert_eq!(outcome.written, [0, -1, -2, -78, -150, 1]);
}

#[test]
fn the_kernels_checker_has_the_last_word() {
    assert_eq!(load(&[], Flags::NONE), Err(Errno::INVAL));
    let no_return = Insn { code: 0x20, jt: 0, jf: 0, k: 0 };
    assert_eq!(load(&[no_return], Flags::NONE), Err(Errno::INVAL));
    assert_eq!(load(&vec![no_return; 70_000], Flags::NONE), Err(Errno::INVAL));
}

/// `int 0x80` enters the kernel by the 32-bit ABI from any 64-bit program.
#[cfg(target_arch = "x86_64")]
mod i386 {
    use super::{Flags, capabilities, confined, default, parse_and_compile};
    use runtime::seccomp::{Abi, Context, Program};

    fn call(name: &str, args: [u32; 3]) -> i64 {
        let number = Abi::I386.number(name).expect("a call of i386");
        let result: u64;
        // SAFETY: the calls made here touch no memory. The kernel may clobber r8 to r11; rbx is LLVM's and put back.
        #[allow(unsafe_code)]
        unsafe {
            std::arch::asm!(
                "xchg {first}, rbx",
                "int 0x80",
                "xchg {first}, rbx",
                first = inout(reg) u64::from(args[0]) => _,
                inlateout("rax") u64::from(number) => result,
                in("rcx") u64::from(args[1]),
                in("rdx") u64::from(args[2]),
                out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            );
        }
        i64::from(result as u32 as i32)
    }

    /// Whether the kernel has the 32-bit ABI at all.
    fn missing() -> bool {
        let allow = br#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"]}"#;
        let program = parse_and_compile(allow, &Context::native(capabilities(&[]))).expect("compiles");
        let missing = confined(&program, &|write| write(call("getppid", [0; 3]))).signal != 0;
        if missing {
            println!("skipped: this kernel has no 32-bit system calls");
        }
        missing
    }

    #[test]
    fn the_32_bit_abi_is_denied_the_same() {
        if missing() {
            return;
        }
        let outcome = confined(&default(), &|write| {
            write(call("getppid", [0; 3]).min(1));
            write(call("socket", [40, 1, 0]));
            write(call("socket", [16, 3, 9]));
            write(call("personality", [0x004_0000, 0, 0]));
            write(call("io_uring_setup", [0; 3]));
            write(call("userfaultfd", [0; 3]));
        });
        assert_eq!((outcome.signal, outcome.written), (0, vec![0, 1, -1, -22, -38, -38, -1]));
    }

    #[test]
    fn an_abi_the_profile_does_not_list_kills() {
        if missing() {
            return;
        }
        let native: Program =
            parse_and_compile(br#"{"defaultAction": "SCMP_ACT_ALLOW"}"#, &Context::native(capabilities(&[])))
                .expect("compiles");
        assert_eq!(native.flags(), Flags::SPEC_ALLOW);
        let outcome = confined(&native, &|write| write(call("getppid", [0; 3])));
        assert_eq!((outcome.signal, outcome.written), (libc::SIGSYS, vec![0]));
    }
}
