//! Builds `lodger-helper` (crate `init`) for the target, to be carried inside this crate.
//!
//! A cargo within cargo, with a target directory of its own so that the two never wait for each other's lock. It is
//! given nothing that the outer one was not: the same lock file, no network, and none of the flags that are meant for
//! ordinary programs (coverage, sanitizers, clippy), which this one could not be linked with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Without places to jump to for a loader, since there is none.
const RUSTFLAGS: &str = "-Crelocation-model=static";

fn main() {
    let crates = Path::new(&variable("CARGO_MANIFEST_DIR")).join("..");
    watch(&crates);
    let out = PathBuf::from(variable("OUT_DIR"));
    let target = variable("TARGET");
    let target_directory = out.join("helper");
    let status = build(&crates, &target, &target_directory).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => fail(&format!("the build of lodger-helper ended with {status}")),
        Err(error) => fail(&format!("cannot run cargo to build lodger-helper: {error}")),
    }
    let built = target_directory.join(&target).join("helper/lodger-helper");
    let program = fs::read(&built).unwrap_or_else(|error| fail(&format!("read {built:?}: {error}")));
    let program = loaded_part(program).unwrap_or_else(|| fail(&format!("{built:?} is no 64-bit program")));
    if let Err(error) = fs::write(out.join("lodger-helper"), program) {
        fail(&format!("write lodger-helper: {error}"));
    }
}

/// Cuts off what no kernel reads, the sections' names and headers: a page for each process run from memory.
///
/// Offsets and sizes: elf(5), `Elf64_Ehdr` and `Elf64_Phdr`.
fn loaded_part(mut elf: Vec<u8>) -> Option<Vec<u8>> {
    let number = |elf: &[u8], at: usize, size: usize| -> Option<usize> {
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(elf.get(at..at + size)?);
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let (headers, size, count) = (number(&elf, 32, 8)?, number(&elf, 54, 2)?, number(&elf, 56, 2)?);
    let mut end = headers + size * count;
    for header in (0..count).map(|index| headers + index * size) {
        end = end.max(number(&elf, header + 8, 8)? + number(&elf, header + 32, 8)?);
    }
    elf.get_mut(40..48)?.fill(0);
    elf.get_mut(58..64)?.fill(0);
    (end <= elf.len()).then(|| elf.truncate(end))?;
    Some(elf)
}

fn build(crates: &Path, target: &str, target_directory: &Path) -> Command {
    let mut cargo = Command::new(variable("CARGO"));
    cargo.current_dir(crates.join("init"));
    cargo.args(["build", "--locked", "--offline", "--package", "init", "--bin", "lodger-helper"]);
    cargo.args(["--features", "helper", "--profile", "helper", "--target", target, "--target-dir"]);
    cargo.arg(target_directory);
    // What the outer cargo says to compilers, and what points it elsewhere.
    for name in ["RUSTC_WORKSPACE_WRAPPER", "CLIPPY_ARGS", "RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_TARGET_DIR"]
    {
        cargo.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        let name_text = name.to_string_lossy();
        let feature_or_cfg = name_text.starts_with("CARGO_FEATURE_") || name_text.starts_with("CARGO_CFG_");
        if feature_or_cfg || name_text.starts_with("CARGO_PROFILE_") {
            cargo.env_remove(name);
        }
    }
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let target = target.to_uppercase().replace(['-', '.'], "_");
        cargo.env(format!("CARGO_TARGET_{target}_LINKER"), linker);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS).env("LODGER_FREESTANDING", "1");
    cargo
}

/// Everything that the helper is made of.
fn watch(crates: &Path) {
    println!("cargo::rerun-if-changed=build.rs");
    let sources = ["init/src/bin/helper", "init/build.rs", "init/Cargo.toml", "kernel/Cargo.toml", "kernel/src/start"];
    for source in sources.iter().chain(&["kernel/src/start.rs", "../Cargo.toml", "../Cargo.lock"]) {
        println!("cargo::rerun-if-changed={}", crates.join(source).display());
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("cargo did not set {name}")))
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    std::process::exit(1)
}
