//! The tables of system calls, held against the kernel's headers and libseccomp; and the generator of those tables.
//!
//! Regenerate with the headers of a newer kernel, for example Debian's `linux-libc-dev`, which has those of every architecture:
//!
//! ```sh
//! apt-get download linux-libc-dev && dpkg -x linux-libc-dev_*.deb headers
//! LODGER_UAPI=$PWD/headers/usr/lib/linux/uapi cargo test -p runtime --test seccomp tables
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use runtime::seccomp::{Abi, Machine};

use crate::reference::{Reference, Resolved};

/// One architecture: its table's file, its header below `LODGER_UAPI`, and where a Debian machine has the header installed.
struct Source {
    abi: Abi,
    file: &'static str,
    header: &'static str,
    installed: &'static str,
}

const SOURCES: [Source; 5] = [
    Source {
        abi: Abi::X86_64,
        file: "x86_64.rs",
        header: "x86/asm/unistd_64.h",
        installed: "x86_64-linux-gnu/asm/unistd_64.h",
    },
    Source {
        abi: Abi::I386,
        file: "i386.rs",
        header: "x86/asm/unistd_32.h",
        installed: "x86_64-linux-gnu/asm/unistd_32.h",
    },
    Source {
        abi: Abi::X32,
        file: "x32.rs",
        header: "x86/asm/unistd_x32.h",
        installed: "x86_64-linux-gnu/asm/unistd_x32.h",
    },
    Source {
        abi: Abi::Aarch64,
        file: "aarch64.rs",
        header: "arm64/asm/unistd_64.h",
        installed: "aarch64-linux-gnu/asm/unistd_64.h",
    },
    Source {
        abi: Abi::Arm,
        file: "arm.rs",
        header: "arm/asm/unistd-eabi.h",
        installed: "arm-linux-gnueabihf/asm/unistd-eabi.h",
    },
];

/// Name and number of every `#define __NR_…` in a header.
fn parse_header(text: &str) -> BTreeMap<String, u32> {
    let mut table = BTreeMap::new();
    for line in text.lines() {
        let Some(definition) = line.strip_prefix("#define __NR_") else { continue };
        let Some((name, value)) = definition.split_once(char::is_whitespace) else { continue };
        let value = value.trim().trim_matches(['(', ')']);
        let (base, number) = match value.split_once('+') {
            Some((base, number)) if base.trim() == "__X32_SYSCALL_BIT" => (0x4000_0000, number.trim()),
            Some((base, number)) if base.trim() == "__NR_SYSCALL_BASE" => (0, number.trim()),
            _ => (0, value),
        };
        if let Ok(number) = number.parse::<u32>() {
            table.insert(name.to_owned(), base + number);
        }
    }
    table
}

/// 32-bit ARM has six calls beside its table; they are in `asm/unistd.h` as `__ARM_NR_…`, counted from `__ARM_NR_BASE`.
fn add_arm_private(table: &mut BTreeMap<String, u32>) {
    for (name, number) in
        [("breakpoint", 1), ("cacheflush", 2), ("usr26", 3), ("usr32", 4), ("set_tls", 5), ("get_tls", 6)]
    {
        table.insert(name.to_owned(), 0x000f_0000 + number);
    }
}

fn kernel_table(path: &Path, abi: Abi) -> Option<BTreeMap<String, u32>> {
    let mut table = parse_header(&fs::read_to_string(path).ok()?);
    if abi == Abi::Arm {
        add_arm_private(&mut table);
    }
    Some(table)
}

fn render(source: &Source, table: &BTreeMap<String, u32>) -> String {
    let mut text = format!(
        "//! System calls of {}, sorted by name. Generated from the kernel's `{}` by `tests/seccomp/tables.rs`; do not edit.\n\n\
         /// Name and number, one call on each line: a table of pointers would have to be relocated in every start.\n\
         pub(in crate::seccomp) static TABLE: &str = \"\\\n",
        source.abi, source.header
    );
    for (name, number) in table {
        writeln!(text, "{name} {number}").expect("writing to a string");
    }
    text + "\";\n"
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/seccomp/tables")
}

/// With `LODGER_UAPI` this writes the tables; without, it holds them against what headers the machine has.
#[test]
fn the_tables_have_every_call_of_the_kernels_headers() {
    let wanted = std::env::var_os("LODGER_UAPI").map(PathBuf::from);
    for source in &SOURCES {
        let header = match &wanted {
            Some(root) => root.join(source.header),
            None => Path::new("/usr/include").join(source.installed),
        };
        let Some(table) = kernel_table(&header, source.abi) else {
            assert!(wanted.is_none(), "no header {}", header.display());
            println!("skipped: {} is not installed", header.display());
            continue;
        };
        assert!(table.len() > 300, "{} has {} calls only", header.display(), table.len());
        if wanted.is_some() {
            fs::write(directory().join(source.file), render(source, &table)).expect("write the table");
            continue;
        }
        for (name, number) in &table {
            assert_eq!(source.abi.number(name), Some(*number), "{name} of {}", source.abi);
        }
    }
}

#[test]
fn every_table_is_sorted_and_has_no_number_twice() {
    for source in &SOURCES {
        let table = source.abi.table();
        assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0), "{} is not sorted", source.abi);
        let mut numbers: Vec<u32> = table.iter().map(|entry| entry.1).collect();
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{} has a number twice", source.abi);
    }
}

/// What libseccomp calls by a name has the same number here; it may know less.
#[test]
fn libseccomp_gives_every_name_the_same_number() {
    let Some(mut reference) = Reference::start() else { return };
    for source in &SOURCES {
        for (name, number) in source.abi.table() {
            match reference.resolve(source.abi, name) {
                Resolved::Number(theirs) => assert_eq!(theirs, *number, "{name} of {}", source.abi),
                Resolved::Multiplexed => assert_eq!(source.abi, Abi::I386, "{name}"),
                Resolved::Unknown => {
                    assert!(*number & 0x3fff_ffff > 330, "libseccomp does not know {name} of {}", source.abi)
                }
            }
        }
    }
}

#[test]
fn a_machine_has_its_own_abi_first() {
    assert_eq!(Machine::X86_64.abis(), [Abi::X86_64, Abi::I386, Abi::X32]);
    assert_eq!(Machine::Aarch64.abis(), [Abi::Aarch64, Abi::Arm]);
    assert_eq!(Abi::X86_64.number("read"), Some(0));
    assert_eq!(Abi::I386.number("socketcall"), Some(102));
    assert_eq!(Abi::X32.number("rt_sigaction"), Some(0x4000_0200));
    assert_eq!(Abi::Aarch64.number("open"), None);
    assert_eq!(Abi::Arm.number("set_tls"), Some(0x000f_0005));
}
