//! Makes `lodger-helper` a program without a C library, when crate `runtime` asks for that by `LODGER_FREESTANDING`.
//!
//! What must stay true: other builds get an ordinary empty program, so nothing that builds all targets breaks.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(freestanding)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LODGER_FREESTANDING");
    if env::var_os("LODGER_FREESTANDING").is_none() {
        return;
    }
    println!("cargo::rustc-cfg=freestanding");
    let directory = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    let made = "cargo made OUT_DIR to be written to";
    // Crate libc, a dependency of crate kernel, asks for the C library by name. These are empty: nothing of the real one
    // can slip in, nor does the machine need a static one.
    for library in ["c", "m", "rt", "pthread", "util", "dl"] {
        fs::write(directory.join(format!("lib{library}.a")), "!<arch>\n").expect(made);
    }
    println!("cargo::rustc-link-search=native={}", directory.display());
    // The file is in memory as often as it is used: no gaps between segments, nothing for unwinding or for a loader.
    let script = directory.join("discard.ld");
    fs::write(&script, "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.comment) } } INSERT AFTER .text;\n").expect(made);
    let script = format!("-Wl,-T,{}", script.display());
    let mut arguments = vec!["-nostartfiles", "-static", "-no-pie", "-Wl,-z,noseparate-code", "-Wl,-z,norelro"];
    arguments.extend(["-Wl,--build-id=none", "-Wl,--no-eh-frame-hdr", &script]);
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("x86_64") {
        // Elsewhere a page may be larger, and segments must not share one.
        arguments.push("-Wl,-z,max-page-size=4096");
    }
    for argument in arguments {
        println!("cargo::rustc-link-arg-bin=lodger-helper={argument}");
    }
}
