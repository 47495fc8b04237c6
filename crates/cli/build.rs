//! How the program is linked, so that it starts fast. Each is left out where the tools at hand lack it.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_CFG_TARGET_ENV").is_none_or(|name| name != "gnu") {
        return;
    }
    // The program is loaded at an address of its own in each start, so the loader adds that to all of its 17,000 pointers: packed, their list
    // is 10 kB instead of 400.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    unwinder();
}

/// Links the unwinder, which prints the calls of a panic, into the program: one library less to find, map and link in each start.
fn unwinder() {
    let compiler = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let Ok(found) = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output() else { return };
    let path = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if let Some(directory) = Path::new(&path).parent().filter(|directory| directory.is_absolute()) {
        println!("cargo:rustc-link-search=native={}", directory.display());
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}
