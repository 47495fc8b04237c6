//! The default profile: the file, and the programs kept compiled.

use std::fs;
use std::path::Path;

use runtime::capability::Set;
use runtime::seccomp::{Context, KernelVersion, Machine, compile, default_profile, default_program};

/// Podman's capabilities of a container that asks for none, in containers.conf(5).
const PODMAN: [&str; 11] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// The set of some names.
pub(crate) fn capabilities(names: &[&str]) -> Set {
    names.iter().map(|name| Set::named(name).expect("a capability")).fold(Set::EMPTY, Set::or)
}

fn context(caps: &[&str], machine: Machine, kernel: KernelVersion) -> Context {
    Context { caps: capabilities(caps), machine, kernel }
}

/// With `LODGER_BLESS` this writes them.
#[test]
fn the_precompiled_programs_are_what_the_compiler_makes() {
    let kept = [
        (Machine::X86_64, &PODMAN[..], "x86_64-sys_chroot.bpf"),
        (Machine::X86_64, &[][..], "x86_64-none.bpf"),
        (Machine::Aarch64, &PODMAN[..], "aarch64-sys_chroot.bpf"),
        (Machine::Aarch64, &[][..], "aarch64-none.bpf"),
    ];
    for (machine, caps, file) in kept {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/seccomp/precompiled").join(file);
        let context = context(caps, machine, KernelVersion::new(6, 12));
        let fresh = compile(default_profile(), &context).expect("compiles");
        if std::env::var_os("LODGER_BLESS").is_some() {
            fs::write(&path, fresh.to_bytes()).expect("write the program");
            continue;
        }
        assert!(
            fs::read(&path).expect("read the program") == fresh.to_bytes(),
            "{file} is out of date, see src/seccomp/default.rs"
        );
        let given = default_program(&context).expect("a program");
        assert_eq!(given, fresh, "{file}");
    }
}

/// The kept programs are chosen without looking at the kernel's version.
#[test]
fn the_kernels_version_changes_nothing() {
    for machine in [Machine::X86_64, Machine::Aarch64] {
        let program = |kernel| compile(default_profile(), &context(&PODMAN, machine, kernel)).expect("compiles");
        assert_eq!(program(KernelVersion::new(3, 10)), program(KernelVersion::new(99, 0)));
    }
}

#[test]
fn another_capability_makes_another_program() {
    let program =
        |caps: &[&str]| default_program(&context(caps, Machine::X86_64, KernelVersion::new(6, 12))).expect("a program");
    let admin = program(&["CAP_SYS_CHROOT", "CAP_SYS_ADMIN"]);
    assert_ne!(program(&PODMAN), admin);
    assert_eq!(program(&PODMAN), program(&["CAP_SYS_CHROOT", "CAP_NET_ADMIN"]));
}

#[test]
fn the_profile_names_hardly_a_call_that_no_table_has() {
    // Those of other machines.
    let unknown: Vec<&str> = default_profile().unknown_names(Machine::X86_64).collect();
    assert!(unknown.contains(&"s390_pci_mmio_read"), "{unknown:?}");
    assert!(!unknown.contains(&"socketcall"), "{unknown:?}");
    assert!(unknown.len() < 30, "{unknown:?}");
}
