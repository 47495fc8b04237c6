//! The command line as a user types it: one file for each command, run in an environment of its own.

#![allow(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod archive;
mod attach;
mod cleanup;
mod commit;
mod completion;
mod container_clone;
mod container_diff;
mod container_inspect;
mod container_prune;
mod cp;
mod create;
mod diff;
mod dispatch;
mod environment;
mod events;
mod exec;
mod exists;
mod export;
mod healthcheck_run;
mod help;
mod history;
mod image_diff;
mod image_exists;
mod image_inspect;
mod image_mount;
mod image_prune;
mod image_tree;
mod image_unmount;
mod images;
mod import;
mod info;
mod init;
mod inspect;
mod kill;
mod load;
mod login;
mod logout;
mod logs;
mod man;
mod mount;
mod pause;
mod port;
mod ps;
mod pull;
mod push;
mod rename;
mod restart;
mod rm;
mod rmi;
mod run;
mod save;
mod search;
mod secret_create;
mod secret_exists;
mod secret_inspect;
mod secret_ls;
mod secret_rm;
mod start;
mod stats;
mod stop;
mod system_check;
mod system_df;
mod system_migrate;
mod system_prune;
mod system_renumber;
mod system_reset;
mod tag;
mod top;
mod unmount;
mod unpause;
mod unshare;
mod untag;
mod update;
mod version;
mod volume_create;
mod volume_exists;
mod volume_export;
mod volume_import;
mod volume_inspect;
mod volume_ls;
mod volume_mount;
mod volume_prune;
mod volume_reload;
mod volume_rm;
mod volume_unmount;
mod wait;

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
fn no_command_is_without_a_test() {
    // What units and shells call is tested with what calls it.
    const OTHERS: [&str; 5] = ["mod.rs", "unsupported.rs", "launch.rs", "suggest.rs", "main.rs"];
    let root = env!("CARGO_MANIFEST_DIR");
    for entry in std::fs::read_dir(format!("{root}/src/commands")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let test = std::path::Path::new(root).join("tests/cli").join(&name);
        assert!(OTHERS.contains(&name.as_str()) || test.exists(), "{name}");
    }
}

#[test]
fn it_starts_and_ends_where_nothing_is_writable() {
    let environment = Environment::new();
    let output = environment.lodger().current_dir("/").env_remove("HOME").arg("--version").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), concat!("lodger version ", env!("CARGO_PKG_VERSION"), "\n"));
}
