//! How the program is linked, so that it starts fast. Each is left out where the tools at hand lack it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The libraries that rustc asks for as shared ones, and the archives that take their place.
const LIBRARIES: [(&str, &[&str]); 7] = [
    ("c", &["libc.a", "libgcc_eh.a", "libgcc.a"]),
    ("dl", &["libdl.a"]),
    ("gcc_s", &["libgcc_eh.a", "libgcc.a"]),
    ("m", &["libm.a"]),
    ("pthread", &["libpthread.a"]),
    ("rt", &["librt.a"]),
    ("util", &["libutil.a"]),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_CFG_TARGET_ENV").is_none_or(|name| name != "gnu") {
        return;
    }
    // The program is loaded at an address of its own in each start, so the loader adds that to all of its 17,000 pointers: packed, their list
    // is 10 kB instead of 400.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    if let Some(directory) = archives() {
        println!("cargo:rustc-link-arg-bins=-L{}", directory.display());
        println!("cargo:rustc-link-arg-bins=-static-pie");
    }
}

/// A directory where the linker finds, under the names of the shared libraries, scripts that name archives: a program without a loader
/// and libraries to find, map and link starts a millisecond earlier. `None` where one of them is missing.
///
/// `-C target-feature=+crt-static` would do the same, but cargo gives it to build scripts and procedural macros as well, which cannot
/// be linked with it, unless the command line names a target.
fn archives() -> Option<PathBuf> {
    archive("rcrt1.o")?;
    let directory = PathBuf::from(env::var_os("OUT_DIR")?).join("archives");
    fs::create_dir_all(&directory).ok()?;
    for (library, names) in LIBRARIES {
        let paths: Vec<String> = names.iter().map(|name| archive(name)).collect::<Option<_>>()?;
        fs::write(directory.join(format!("lib{library}.so")), format!("GROUP ( {} )\n", paths.join(" "))).ok()?;
    }
    Some(directory)
}

/// Where the linker's driver has a file; it repeats the name of what it does not have.
fn archive(name: &str) -> Option<String> {
    let driver = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let found = Command::new(driver).arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?.trim().to_owned();
    Path::new(&path).is_absolute().then_some(path)
}
