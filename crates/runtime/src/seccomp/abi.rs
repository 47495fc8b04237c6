//! The system call conventions a filter can meet, and what each differs in.
//!
//! The kernel tells a filter an audit architecture and a call number. x86_64 and x32 share one audit architecture: x32 numbers
//! have bit 30 set (`__X32_SYSCALL_BIT`), which the table of x32 includes.

use std::fmt;
use std::sync::OnceLock;

use super::tables;

/// `AUDIT_ARCH_*` of `include/uapi/linux/audit.h`.
mod audit {
    pub(super) const X86_64: u32 = 0xc000_003e;
    pub(super) const I386: u32 = 0x4000_0003;
    pub(super) const AARCH64: u32 = 0xc000_00b7;
    pub(super) const ARM: u32 = 0x4000_0028;
}

/// First number of the x32 calls.
pub(super) const X32_BIT: u32 = 0x4000_0000;

/// One system call convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// 64-bit x86.
    X86_64,
    /// 32-bit x86, natively or on a 64-bit kernel.
    I386,
    /// 32-bit pointers on 64-bit x86.
    X32,
    /// 64-bit ARM.
    Aarch64,
    /// 32-bit ARM (EABI), natively or on a 64-bit kernel.
    Arm,
}

/// How much of an argument a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The lower half. So libseccomp does for x32 too, although its registers have 64 bits.
    Half,
    /// Both halves.
    Full,
}

/// One system call that stands for several, told apart by its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Multiplexed {
    /// `socketcall` or `ipc`.
    pub(super) name: &'static str,
    /// Value of the first argument.
    pub(super) selector: u32,
}

impl Abi {
    /// What the kernel reports in `seccomp_data.arch`.
    #[must_use]
    pub fn audit_token(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => audit::X86_64,
            Self::I386 => audit::I386,
            Self::Aarch64 => audit::AARCH64,
            Self::Arm => audit::ARM,
        }
    }

    /// Names and numbers of its calls, sorted by name.
    #[must_use]
    pub fn table(self) -> &'static [(&'static str, u32)] {
        static TABLES: [OnceLock<Vec<(&str, u32)>>; 5] = [const { OnceLock::new() }; 5];
        let (table, text) = match self {
            Self::X86_64 => (&TABLES[0], tables::x86_64::TABLE),
            Self::I386 => (&TABLES[1], tables::i386::TABLE),
            Self::X32 => (&TABLES[2], tables::x32::TABLE),
            Self::Aarch64 => (&TABLES[3], tables::aarch64::TABLE),
            Self::Arm => (&TABLES[4], tables::arm::TABLE),
        };
        let entry =
            |line: &'static str| line.split_once(' ').and_then(|(name, number)| Some((name, number.parse().ok()?)));
        table.get_or_init(|| text.lines().filter_map(entry).collect())
    }

    /// The number of a call, if this convention has it. With bit 30 set for x32.
    #[must_use]
    pub fn number(self, name: &str) -> Option<u32> {
        let table = self.table();
        let at = table.binary_search_by_key(&name, |entry| entry.0).ok()?;
        Some(table[at].1)
    }

    /// The name behind a number.
    #[must_use]
    pub fn name(self, number: u32) -> Option<&'static str> {
        self.table().iter().find(|entry| entry.1 == number).map(|entry| entry.0)
    }

    pub(super) fn word(self) -> Word {
        match self {
            Self::X86_64 | Self::Aarch64 => Word::Full,
            Self::I386 | Self::X32 | Self::Arm => Word::Half,
        }
    }

    /// The multiplexed form of a call. 32-bit x86 is the only convention here that has one; 32-bit ARM never wired it.
    pub(super) fn multiplexed(self, name: &str) -> Option<Multiplexed> {
        if self != Self::I386 {
            return None;
        }
        let at = MULTIPLEXED.binary_search_by_key(&name, |entry| entry.0).ok()?;
        Some(MULTIPLEXED[at].1)
    }

    /// The convention a profile calls `SCMP_ARCH_…`. As with crun the prefix may be missing and case does not matter.
    pub(super) fn of_profile(name: &str) -> ProfileAbi {
        const FOREIGN: &[&str] = &[
            "loongarch64",
            "m68k",
            "mips",
            "mips64",
            "mips64n32",
            "mipsel",
            "mipsel64",
            "mipsel64n32",
            "parisc",
            "parisc64",
            "ppc",
            "ppc64",
            "ppc64le",
            "riscv64",
            "s390",
            "s390x",
            "sh",
            "sheb",
        ];
        let plain = name.strip_prefix("SCMP_ARCH_").unwrap_or(name).to_ascii_lowercase();
        match plain.as_str() {
            "native" => ProfileAbi::Native,
            "x86_64" => ProfileAbi::Known(Self::X86_64),
            "x86" => ProfileAbi::Known(Self::I386),
            "x32" => ProfileAbi::Known(Self::X32),
            "aarch64" => ProfileAbi::Known(Self::Aarch64),
            "arm" => ProfileAbi::Known(Self::Arm),
            other if FOREIGN.contains(&other) => ProfileAbi::Foreign,
            _ => ProfileAbi::Unknown,
        }
    }
}

/// What an architecture's name in a profile means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProfileAbi {
    /// That of the machine.
    Native,
    /// One that has a table.
    Known(Abi),
    /// One of a machine lodger does not run on. No kernel reports it here, so it needs no rules.
    Foreign,
    /// A misspelling.
    Unknown,
}

impl fmt::Display for Abi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::I386 => "i386",
            Self::X32 => "x32",
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
        })
    }
}

/// A machine whose kernel loads the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 32-bit x86.
    I386,
    /// 64-bit ARM.
    Aarch64,
    /// 32-bit ARM.
    Arm,
}

impl Machine {
    /// The one this program is built for.
    #[cfg(target_arch = "x86_64")]
    pub const NATIVE: Self = Self::X86_64;
    /// The one this program is built for.
    #[cfg(target_arch = "x86")]
    pub const NATIVE: Self = Self::I386;
    /// The one this program is built for.
    #[cfg(target_arch = "aarch64")]
    pub const NATIVE: Self = Self::Aarch64;
    /// The one this program is built for.
    #[cfg(target_arch = "arm")]
    pub const NATIVE: Self = Self::Arm;

    /// The conventions its kernel can serve, its own first.
    #[must_use]
    pub fn abis(self) -> &'static [Abi] {
        match self {
            Self::X86_64 => &[Abi::X86_64, Abi::I386, Abi::X32],
            Self::I386 => &[Abi::I386],
            Self::Aarch64 => &[Abi::Aarch64, Abi::Arm],
            Self::Arm => &[Abi::Arm],
        }
    }

    /// Its own convention.
    #[must_use]
    pub fn native(self) -> Abi {
        self.abis()[0]
    }

    /// What a profile's `arches` calls it: Go's name.
    pub(super) fn profile_name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::I386 => "x86",
            Self::Aarch64 => "arm64",
            Self::Arm => "arm",
        }
    }
}

/// The calls of `socketcall(2)` and `ipc(2)`, sorted by name; numbers of `include/uapi/linux/net.h` and `ipc.h`.
const MULTIPLEXED: &[(&str, Multiplexed)] = &[
    ("accept", Multiplexed { name: "socketcall", selector: 5 }),
    ("accept4", Multiplexed { name: "socketcall", selector: 18 }),
    ("bind", Multiplexed { name: "socketcall", selector: 2 }),
    ("connect", Multiplexed { name: "socketcall", selector: 3 }),
    ("getpeername", Multiplexed { name: "socketcall", selector: 7 }),
    ("getsockname", Multiplexed { name: "socketcall", selector: 6 }),
    ("getsockopt", Multiplexed { name: "socketcall", selector: 15 }),
    ("listen", Multiplexed { name: "socketcall", selector: 4 }),
    ("msgctl", Multiplexed { name: "ipc", selector: 14 }),
    ("msgget", Multiplexed { name: "ipc", selector: 13 }),
    ("msgrcv", Multiplexed { name: "ipc", selector: 12 }),
    ("msgsnd", Multiplexed { name: "ipc", selector: 11 }),
    ("recv", Multiplexed { name: "socketcall", selector: 10 }),
    ("recvfrom", Multiplexed { name: "socketcall", selector: 12 }),
    ("recvmmsg", Multiplexed { name: "socketcall", selector: 19 }),
    ("recvmsg", Multiplexed { name: "socketcall", selector: 17 }),
    ("semctl", Multiplexed { name: "ipc", selector: 3 }),
    ("semget", Multiplexed { name: "ipc", selector: 2 }),
    ("semop", Multiplexed { name: "ipc", selector: 1 }),
    ("semtimedop", Multiplexed { name: "ipc", selector: 4 }),
    ("send", Multiplexed { name: "socketcall", selector: 9 }),
    ("sendmmsg", Multiplexed { name: "socketcall", selector: 20 }),
    ("sendmsg", Multiplexed { name: "socketcall", selector: 16 }),
    ("sendto", Multiplexed { name: "socketcall", selector: 11 }),
    ("setsockopt", Multiplexed { name: "socketcall", selector: 14 }),
    ("shmat", Multiplexed { name: "ipc", selector: 21 }),
    ("shmctl", Multiplexed { name: "ipc", selector: 24 }),
    ("shmdt", Multiplexed { name: "ipc", selector: 22 }),
    ("shmget", Multiplexed { name: "ipc", selector: 23 }),
    ("shutdown", Multiplexed { name: "socketcall", selector: 13 }),
    ("socket", Multiplexed { name: "socketcall", selector: 1 }),
    ("socketpair", Multiplexed { name: "socketcall", selector: 8 }),
];
