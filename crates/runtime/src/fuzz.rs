//! Profiles and account files that nobody wrote. See `xtask::fuzz`.

use crate::capability::Set;
use crate::seccomp::{self, Context};
use crate::users;
use xtask::fuzz::Target;

#[test]
fn seccomp_profile() {
    let seeds: [&[u8]; 2] = [
        br#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]}],"syscalls":[{"names":["read","write","clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}],"includes":{"caps":["CAP_SYS_ADMIN"],"arches":["amd64"],"minKernel":"4.8"},"excludes":{"caps":["CAP_CHOWN"]}}]}"#,
        br#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_AARCH64"],"flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"name":"mkdir","action":"SCMP_ACT_KILL_PROCESS"},{"names":["socket"],"action":"SCMP_ACT_TRAP","args":[{"index":5,"value":18446744073709551615,"op":"SCMP_CMP_GT"},{"index":5,"value":1,"op":"SCMP_CMP_NE"}]}]}"#,
    ];
    let words = [
        "SCMP_ACT_ALLOW",
        "SCMP_ACT_NOTIFY",
        "SCMP_ACT_TRACE",
        "SCMP_CMP_EQ",
        "SCMP_CMP_LT",
        "SCMP_CMP_LE",
        "SCMP_CMP_GE",
        "SCMP_ARCH_NATIVE",
        "SCMP_ARCH_ARM",
        "\"openat\"",
        "\"names\":",
        "\"args\":",
        "\"index\":",
        "null",
        "[]",
        "{}",
        ",",
    ];
    let context = Context::native(Set::named("CHOWN").unwrap_or(Set::EMPTY));
    Target { name: "seccomp_profile", seeds: &seeds, words: &words }.run(|input| {
        match seccomp::parse_and_compile(input, &context) {
            Ok(program) => {
                // What the kernel takes (BPF_MAXINSNS).
                assert!((1..=4096).contains(&program.insns().len()), "{} instructions", program.insns().len());
                format!("fine {}", program.insns().len().ilog2())
            }
            Err(error) => error.to_string(),
        }
    });
}

#[test]
fn accounts() {
    let seeds: [&[u8]; 3] = [
        b"web:x@root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:www,,:/srv:/bin/false\n@root:x:0:\nx:x:7:web,root\n",
        b"4294967295@a:b\n::::\nweb:::\n@x:x:\n",
        b"0:33@",
    ];
    let words =
        ["web", ":", ",", "\n", "@", "4294967295", "4294967296", "-1", "root:x:0:0::/:/bin/sh\n", "x:x:5:web\n"];
    Target { name: "accounts", seeds: &seeds, words: &words }.run(|input| {
        let mut parts = input.splitn(3, |byte| *byte == b'@');
        let text = String::from_utf8_lossy(parts.next().unwrap_or_default());
        let (passwd, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match users::resolve(&text, passwd, group) {
            Ok(user) => {
                assert!(user.uid != u32::MAX && user.gid != u32::MAX && !user.groups.contains(&u32::MAX), "{user:?}");
                format!("{} {}", user.name.is_some(), user.groups.len().min(3))
            }
            Err(error) => error.to_string(),
        }
    });
}
