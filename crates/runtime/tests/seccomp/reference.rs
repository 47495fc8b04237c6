//! libseccomp, as crun uses it: reads a profile's JSON on its own terms and builds a program with the C library.
//!
//! The library is not needed to build anything; a small C program is compiled when the test runs. `LODGER_LIBSECCOMP` may name a
//! directory with `include/` and `lib/` of a libseccomp that is not installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use runtime::seccomp::{Abi, Flags, Insn, Machine, Program};
use serde_json::Value;

use crate::listing::Listing;

/// The C program, running.
pub(crate) struct Reference {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What libseccomp knows of a call's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    Number(u32),
    /// Only by way of `socketcall` or `ipc`, as far as it says.
    Multiplexed,
    /// Not at all, or not in this ABI.
    Unknown,
}

/// What libseccomp makes of a profile.
pub(crate) struct Compiled {
    pub(crate) program: Program,
    pub(crate) listing: Listing,
}

impl Reference {
    /// Compiles and starts it; prints why not, where that is impossible.
    pub(crate) fn start() -> Option<Self> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let program = directory.path().join("reference");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-O1", "-o"])
            .arg(&program)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seccomp/reference.c"));
        if let Some(other) = std::env::var_os("LODGER_LIBSECCOMP") {
            let library = Path::new(&other).join("lib");
            compiler.arg("-I").arg(Path::new(&other).join("include")).arg("-L").arg(&library);
            compiler.arg(format!("-Wl,-rpath,{}", library.display()));
        }
        let built = compiler.arg("-lseccomp").output();
        if !built.is_ok_and(|output| output.status.success()) {
            println!("skipped: cc or libseccomp-dev is not installed");
            return None;
        }
        let mut child =
            Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("run what was compiled");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Some(Self { child, input, output })
    }

    /// What libseccomp knows of a name.
    pub(crate) fn resolve(&mut self, abi: Abi, name: &str) -> Resolved {
        writeln!(self.input, "resolve {:x} {name}", token(abi)).expect("write to the reference");
        let number = self.answer("number").expect("resolve answers a number");
        match i32::from_ne_bytes(number.to_ne_bytes()) {
            0.. => Resolved::Number(number),
            -299..=-100 => Resolved::Multiplexed,
            _ => Resolved::Unknown,
        }
    }

    /// What libseccomp makes of a profile; `None` if it refuses one of the rules.
    pub(crate) fn compile(&mut self, profile: &Value, caps: &[&str], machine: Machine) -> Option<Compiled> {
        let mut request = String::new();
        write_request(&mut request, profile, caps, machine);
        self.input.write_all(request.as_bytes()).expect("write to the reference");
        let size = self.answer("program")?;
        let program = Program::from_bytes(&self.read(size), Flags::NONE).expect("a program of libseccomp");
        let size = self.answer("listing").expect("a listing follows");
        let listing = String::from_utf8(self.read(size)).expect("a listing is text");
        Some(Compiled { program, listing: Listing::parse(&listing) })
    }

    fn read(&mut self, size: u32) -> Vec<u8> {
        let mut bytes = vec![0; size as usize];
        self.output.read_exact(&mut bytes).expect("read from the reference");
        bytes
    }

    fn answer(&mut self, wanted: &str) -> Option<u32> {
        self.input.flush().expect("write to the reference");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("read from the reference");
        let (kind, number) = line.trim().split_once(' ').unwrap_or_else(|| panic!("the reference answered {line:?}"));
        let number = u32::from_str_radix(number, 16).expect("a number");
        assert!(kind == wanted || kind == "error", "the reference answered {line:?}");
        (kind == wanted).then_some(number)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `SCMP_ARCH_*`
fn token(abi: Abi) -> u32 {
    match abi {
        Abi::X32 => 0x4000_003e,
        other => other.audit_token(),
    }
}

fn write_request(request: &mut String, profile: &Value, caps: &[&str], machine: Machine) {
    let default = action(profile, "defaultAction", "defaultErrno", "defaultErrnoRet");
    request.push_str(&format!("begin {default:x}\n"));
    let native = if cfg!(target_arch = "x86_64") { Machine::X86_64 } else { Machine::Aarch64 };
    let mut arches = vec![token(machine.native())];
    arches.extend(architectures(profile, machine));
    for arch in arches {
        request.push_str(&format!("arch {arch:x}\n"));
    }
    if machine != native {
        request.push_str(&format!("unarch {:x}\n", token(native.native())));
    }
    for entry in list(profile, "syscalls").iter().filter(|entry| counts(entry, caps, machine)) {
        let action = action(entry, "action", "errno", "errnoRet");
        if action != default {
            write_rules(request, entry, action);
        }
    }
    request.push_str("end\n");
}

fn write_rules(request: &mut String, entry: &Value, action: u32) {
    let args = list(entry, "args");
    let texts: Vec<String> = args.iter().map(argument).collect();
    let indexes: Vec<u64> = args.iter().map(|arg| arg["index"].as_u64().expect("index")).collect();
    let twice = (1..indexes.len()).any(|at| indexes[..at].contains(&indexes[at]));
    for name in list(entry, "names") {
        let name = name.as_str().expect("name");
        if twice {
            for text in &texts {
                request.push_str(&format!("rule {action:x} {name} 1 {text}\n"));
            }
        } else {
            request.push_str(&format!("rule {action:x} {name} {:x} {}\n", texts.len(), texts.join(" ")));
        }
    }
}

fn argument(arg: &Value) -> String {
    const OPERATORS: [&str; 7] = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
    let op = arg["op"].as_str().and_then(|op| op.strip_prefix("SCMP_CMP_")).expect("op");
    let op = 1 + OPERATORS.iter().position(|known| *known == op).expect("a known op");
    let number = |key: &str| arg[key].as_u64().unwrap_or(0);
    format!("{:x} {op:x} {:x} {:x}", number("index"), number("value"), number("valueTwo"))
}

fn action(object: &Value, action: &str, errno: &str, number: &str) -> u32 {
    let errno = match object[errno].as_str() {
        Some("ENOSYS") => 38,
        Some("EINVAL") => 22,
        Some("EPERM") => 1,
        Some(other) => panic!("errno {other}"),
        None => object[number].as_u64().map_or(1, |number| number as u32),
    };
    match object[action].as_str().expect("action") {
        "SCMP_ACT_ALLOW" => 0x7fff_0000,
        "SCMP_ACT_ERRNO" => 0x0005_0000 | errno,
        "SCMP_ACT_TRACE" => 0x7ff0_0000 | errno,
        "SCMP_ACT_LOG" => 0x7ffc_0000,
        "SCMP_ACT_TRAP" => 0x0003_0000,
        "SCMP_ACT_KILL_PROCESS" => 0x8000_0000,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => 0,
        other => panic!("action {other}"),
    }
}

fn architectures(profile: &Value, machine: Machine) -> Vec<u32> {
    let parse = |name: &Value| match name.as_str().expect("architecture") {
        "SCMP_ARCH_X86_64" => 0xc000_003e,
        "SCMP_ARCH_X86" => 0x4000_0003,
        "SCMP_ARCH_X32" => 0x4000_003e,
        "SCMP_ARCH_AARCH64" => 0xc000_00b7,
        "SCMP_ARCH_ARM" => 0x4000_0028,
        other => panic!("architecture {other}"),
    };
    let native = match machine {
        Machine::X86_64 => "SCMP_ARCH_X86_64",
        Machine::Aarch64 => "SCMP_ARCH_AARCH64",
        _ => "",
    };
    let mapped = list(profile, "archMap").iter().find(|entry| entry["architecture"] == native);
    let mapped = mapped.map(|entry| list(entry, "subArchitectures")).unwrap_or_default();
    list(profile, "architectures").iter().chain(mapped).map(parse).collect()
}

fn counts(entry: &Value, caps: &[&str], machine: Machine) -> bool {
    let arch = match machine {
        Machine::X86_64 => "amd64",
        Machine::I386 => "x86",
        Machine::Aarch64 => "arm64",
        Machine::Arm => "arm",
    };
    let has_cap = |cap: &Value| caps.contains(&cap.as_str().expect("cap"));
    let is_arch = |name: &Value| name == arch;
    let (includes, excludes) = (&entry["includes"], &entry["excludes"]);
    list(includes, "caps").iter().all(has_cap)
        && (list(includes, "arches").is_empty() || list(includes, "arches").iter().any(is_arch))
        && !list(excludes, "caps").iter().any(has_cap)
        && !list(excludes, "arches").iter().any(is_arch)
}

fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object[key].as_array().map_or(&[], Vec::as_slice)
}

/// The library is what it is said to be: its program decides as asked.
#[test]
fn the_reference_builds_programs() {
    let Some(mut reference) = Reference::start() else { return };
    let profile = serde_json::json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mount", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 7}]});
    let program = reference.compile(&profile, &[], Machine::X86_64).expect("a valid profile").program;
    let answer = |name| crate::interpreter::decide(&program, Abi::X86_64, name, &[]).to_string();
    assert_eq!(answer("mount"), "ERRNO(7)");
    assert_eq!(answer("umount2"), "ALLOW");
    assert_eq!(program.insns().last().map(|insn: &Insn| insn.code), Some(0x06));
}
