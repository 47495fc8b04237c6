//! Real containers in real namespaces, once as root and once as a plain user with subordinate ids.
//!
//! Joining a user namespace wants a process with one thread, and leaves that process changed: so each case runs in a process of its own, which
//! is this very program started again. What the machine lacks is told as `skipped: …`.
//!
//! `cargo test -p runtime --test launch [-- WORD]` runs the cases whose name has the word.
#![allow(clippy::unwrap_used)]

mod attack;
mod content;
mod exec;
mod foreground;
mod identity;
mod namespaces;
mod process;
mod sandbox;

use sandbox::Sandbox;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// A case: panics when it fails.
type Case = fn(&mut Sandbox);

/// A name and what it runs.
macro_rules! cases {
    ($($module:ident: $($name:ident)*;)*) => {
        const CASES: &[(&str, Case)] = &[$($((concat!(stringify!($module), "::", stringify!($name)), $module::$name as Case),)*)*];
    };
}

cases! {
    content: the_system_mounts the_devices files_are_not_in_the_image masked_paths read_only_paths a_read_only_root
        binds_and_what_they_allow tmpfs_and_copy_up the_working_directory network_and_names sysctls without_dev host_namespaces
        volatile_overlays_start_again many_layers the_callers_umask_does_not_lock_users_out a_directory_as_root devices_deeper_than_dev
        a_control_group_of_its_own;
    identity: root_has_what_was_given_and_no_more another_user_has_nothing added_capabilities_are_ambient ids_are_exact
        limits_and_masks no_new_privileges the_filter;
    namespaces: a_kept_namespace_is_joined_by_its_record a_namespace_nobody_keeps_ends a_single_id_needs_no_helper
        ranges_of_others_are_refused containers_share_namespaces the_launcher_reaches_the_network_before_the_payload_runs failures_say_why;
    process: exit_codes commands_that_cannot_run no_descriptor_but_those_given pipes_open_by_name signals_are_at_their_defaults
        the_helper_as_process_one the_shield a_launcher_that_dies_takes_its_child errors_name_the_step a_sibling;
    foreground: a_terminal a_time_limit_kills the_window_follows detach_keys signals_are_passed_on;
    exec: it_joins_everything ids_are_exact_here_too its_terminal a_container_that_is_gone;
    attack: dev_as_a_link proc_as_a_link volumes_over_proc workdir_through_a_descriptor accounts_that_are_no_files files_over_links
        swapped_volume_paths mask_through_links console_is_ours the_binary_is_out_of_reach no_descriptor_to_execute_through;
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, name] = words.as_slice() {
        if mode == "--case" {
            let case = CASES.iter().find(|(known, _)| known == name).unwrap().1;
            return case(&mut Sandbox::new());
        }
    }
    // Options of the usual harness mean nothing here.
    let filter = words.iter().find(|word| !word.starts_with('-')).map_or("", String::as_str);
    let mut failed = Vec::new();
    for who in whos() {
        for (name, _) in CASES.iter().filter(|(name, _)| name.contains(filter)) {
            let label = format!("{name} as {}", who.name);
            match run(name, &who) {
                Err(reason) => println!("test {label} ... skipped: {reason}"),
                Ok(output) if output.status.success() => println!("test {label} ... ok{}", skipped(&output)),
                Ok(output) => {
                    println!("test {label} ... FAILED");
                    failed.push((label, output));
                }
            }
        }
    }
    for (label, output) in &failed {
        println!("\n---- {label} ({})", output.status);
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    println!("\n{} failed", failed.len());
    std::process::exit(i32::from(!failed.is_empty()));
}

/// A case may skip itself.
fn skipped(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter(|line| line.starts_with("skipped: ")).map(|line| format!(" ({line})")).collect()
}

/// As whom cases run.
struct Who {
    name: &'static str,
    /// The user to become, or why there is none.
    ids: Result<Option<(u32, u32)>, String>,
}

fn whos() -> Vec<Who> {
    if !rustix::process::getuid().is_root() {
        return vec![Who { name: "user", ids: Ok(None) }];
    }
    vec![Who { name: "root", ids: Ok(None) }, Who { name: "user", ids: user_with_subordinate_ids().map(Some) }]
}

/// The first of `/etc/subuid` who is in `/etc/passwd`.
fn user_with_subordinate_ids() -> Result<(u32, u32), String> {
    let file = |path: &str| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let (subuid, passwd) = (file("/etc/subuid")?, file("/etc/passwd")?);
    let users = subuid.lines().filter_map(|line| line.split(':').next());
    let mut found = users.filter_map(|user| {
        let fields: Vec<&str> =
            passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == user)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    });
    found.find(|(uid, _)| *uid != 0).ok_or_else(|| "no user with subordinate ids in /etc/subuid".into())
}

fn run(name: &str, who: &Who) -> Result<Output, String> {
    let ids = who.ids.clone()?;
    let base = tempfile::Builder::new().prefix("lodger-launch-").tempdir().unwrap();
    let binary = base.path().join("cases");
    // A copy, since the user may not reach the build directory.
    std::fs::copy("/proc/self/exe", &binary).unwrap();
    let mut command = Command::new(&binary);
    command.args(["--case", name]).env("LAUNCH_BASE", base.path()).stdin(std::process::Stdio::null());
    if let Some((uid, gid)) = ids {
        std::os::unix::fs::chown(base.path(), Some(uid), Some(gid)).unwrap();
        command.uid(uid).gid(gid).groups_cleared();
    }
    let output = command.output().unwrap();
    drop(sweep(base));
    Ok(output)
}

/// What the container wrote belongs to subordinate ids, and an overlay's work directory has mode 0.
fn sweep(base: tempfile::TempDir) -> std::io::Result<()> {
    if rustix::process::getuid().is_root() { base.close() } else { Ok(()) }
}

trait Cleared {
    fn groups_cleared(&mut self) -> &mut Self;
}

impl Cleared for Command {
    /// The standard library drops supplementary groups when root changes the user.
    fn groups_cleared(&mut self) -> &mut Self {
        self
    }
}
