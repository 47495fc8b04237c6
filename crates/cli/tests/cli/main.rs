//! The command line as a user types it: one file for each command, run in an environment of its own.

#![allow(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod completion;
mod dispatch;
mod environment;
mod help;
mod man;
mod version;

use environment::Environment;

#[test]
fn no_test_file_is_forgotten() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    let main = std::fs::read_to_string(format!("{directory}/main.rs")).unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap();
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{name}");
    }
}

#[test]
fn it_starts_and_ends_where_nothing_is_writable() {
    let environment = Environment::new();
    let output = environment.lodger().current_dir("/").env_remove("HOME").arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), concat!("lodger version ", env!("CARGO_PKG_VERSION"), "\n"));
}
