//! The default profile: podman's, vendored in `default.json` (see `default.NOTICE`).
//!
//! Reading and compiling it takes some 0.4 ms, a tenth of a start. So the programs of the usual containers, those with podman's
//! default capabilities and those with none, are kept compiled in `precompiled/`. A test compares them with what the compiler
//! makes of the profile; after a change of either, write them anew:
//!
//! ```sh
//! LODGER_BLESS=1 cargo test -p runtime --test seccomp precompiled
//! ```

use std::sync::OnceLock;

use super::{Context, Error, Flags, Machine, Profile, Program, compile};
use crate::capability::Set;

static JSON: &[u8] = include_bytes!("default.json");

/// `CAP_SYS_CHROOT`: of podman's default capabilities the only one the profile asks about.
const SYS_CHROOT: u64 = 1 << 18;

/// The capabilities the profile asks about: `CAP_DAC_READ_SEARCH`, `SYS_MODULE`, `SYS_RAWIO`, `SYS_CHROOT`, `SYS_PTRACE`,
/// `SYS_PACCT`, `SYS_ADMIN`, `SYS_TIME`, `SYS_TTY_CONFIG`, `AUDIT_WRITE`, `PERFMON`, `BPF`.
const ASKED: Set = Set(1 << 2 | 0x3f << 16 | 1 << 25 | 1 << 26 | 1 << 29 | 1 << 38 | 1 << 39);

/// For a machine, and for those of the capabilities asked about that a container has: the program.
static PRECOMPILED: [(Machine, u64, &[u8]); 4] = [
    (Machine::X86_64, SYS_CHROOT, include_bytes!("precompiled/x86_64-sys_chroot.bpf")),
    (Machine::X86_64, 0, include_bytes!("precompiled/x86_64-none.bpf")),
    (Machine::Aarch64, SYS_CHROOT, include_bytes!("precompiled/aarch64-sys_chroot.bpf")),
    (Machine::Aarch64, 0, include_bytes!("precompiled/aarch64-none.bpf")),
];

/// The default profile.
///
/// # Panics
///
/// Never: a test reads the vendored file.
pub fn default_profile() -> &'static Profile {
    static PROFILE: OnceLock<Profile> = OnceLock::new();
    PROFILE.get_or_init(|| Profile::parse(JSON).expect("a test reads the vendored file"))
}

/// The default profile's program for a container; without compiling anything where the container has the usual capabilities.
///
/// # Errors
///
/// None in practice; those of [`compile`].
pub fn default_program(context: &Context) -> Result<Program, Error> {
    let held = context.caps.and(ASKED);
    let kept = PRECOMPILED.iter().find(|entry| entry.0 == context.machine && Set(entry.1) == held);
    match kept {
        Some((_, _, bytes)) => Program::from_bytes(bytes, Flags::SPEC_ALLOW),
        None => compile(default_profile(), context),
    }
}

#[cfg(test)]
mod tests {
    use super::{ASKED, default_profile};

    #[test]
    fn the_capabilities_asked_about_are_those_of_the_profile() {
        assert_eq!(default_profile().capabilities(), ASKED);
    }
}
