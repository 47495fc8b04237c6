//! What a detached container without systemd relies on, with shell scripts in the places of launcher and cleanup.

use crate::process::{Running, helper, pipe, until};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// A supervisor of scripts that write what happens to a file.
struct Supervised {
    process: Running,
    status: File,
    directory: TempDir,
}

/// `launch` and `cleanup` are scripts; `$D` is a directory of their own.
fn supervise(launch: &str, cleanup: &str) -> Supervised {
    let directory = TempDir::new().unwrap();
    let words = ["3", "/bin/bash", "-c", launch, "--", "/bin/bash", "-c", cleanup];
    let mut helper = helper("supervise", &words, "3>&1 1>/dev/null 7</dev/null");
    let (status, report) = pipe();
    helper.command.stdout(report).stderr(Stdio::piped()).env("D", directory.path());
    Supervised { process: helper.start(), status, directory }
}

impl Supervised {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The byte that `run -d` waits for.
    fn reported(&mut self) -> u8 {
        let mut byte = [0];
        self.status.read_exact(&mut byte).unwrap();
        byte[0]
    }

    fn log(&self) -> String {
        read(&self.path("log"))
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The end of a launcher: says what it has started.
const MAIN: &str = "echo MAINPID=$! >&$LODGER_SUPERVISOR_FD";

/// A launcher of this payload, which does not end before its launcher has, or the shell would collect it.
fn launch(payload: &str) -> String {
    format!("(while [ -d /proc/$$ ]; do sleep 0.002; done; {payload}) & {MAIN}")
}
/// Writes what systemd would tell.
const NOTE: &str = "echo $EXIT_CODE $EXIT_STATUS $LODGER_STOP >> $D/log";

#[test]
fn the_cleanup_learns_how_the_container_ended() {
    for (payload, expected) in [
        ("exit 0", "exited 0"),
        ("exit 203", "exited 203"),
        ("kill -KILL $BASHPID", "killed KILL"),
        ("kill -TERM $BASHPID", "killed TERM"),
        ("kill -RTMIN+3 $BASHPID", "killed RTMIN+3"),
    ] {
        let mut supervised = supervise(&launch(payload), NOTE);
        assert_eq!(supervised.reported(), 0);
        assert_eq!(supervised.process.end().code(), Some(0));
        assert_eq!(supervised.log().trim(), expected);
    }
}

#[test]
fn a_failed_first_start_is_reported_with_its_message() {
    let mut supervised = supervise("echo no such image >&2; exit 125", NOTE);
    assert_eq!(supervised.reported(), 125);
    assert_eq!(supervised.process.end().code(), Some(125));
    let mut message = String::new();
    supervised.process.child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!(message, "no such image\n");
    assert_eq!(supervised.log(), "", "nothing was started, so nothing is cleaned up");
    assert_eq!(supervise("exit 0", NOTE).reported(), 125, "a launcher that names no process");
}

#[test]
fn the_callers_output_is_let_go_once_the_container_runs() {
    let mut supervised = supervise(&format!("sleep 1000 >/dev/null 2>&1 & {MAIN}"), NOTE);
    assert_eq!(supervised.reported(), 0);
    // Ends only when no process holds the other side.
    let mut message = String::new();
    supervised.process.child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!(message, "");
    until("only standard descriptors are open", || supervised.process.open_descriptors() == [0, 1, 2]);
    println!("supervisor: {} KiB", supervised.process.memory_kib());
    assert!(supervised.process.memory_kib() < 60, "{} KiB", supervised.process.memory_kib());
    supervised.process.signal(Signal::TERM);
    supervised.process.end();
    assert_eq!(supervised.log().trim(), "killed TERM 1");
}

#[test]
fn a_restart_is_what_the_cleanup_asks_for() {
    let launch = format!("echo launch >> $D/log; {}", launch("exit 3"));
    let cleanup = format!("{NOTE}; echo RESTART_MS=1 >&$LODGER_SUPERVISOR_FD; [ $(wc -l < $D/log) -ge 6 ] || exit 75");
    let mut supervised = supervise(&launch, &cleanup);
    assert_eq!(supervised.reported(), 0);
    assert_eq!(supervised.process.end().code(), Some(0));
    assert_eq!(supervised.log(), "launch\nexited 3\n".repeat(3));
}

#[test]
fn a_failed_later_start_is_an_end_like_others() {
    let launch = format!("[ -e $D/log ] && exit 126; {}", launch("exit 0"));
    let cleanup = format!("{NOTE}; [ $EXIT_STATUS = 126 ] || exit 75");
    let mut supervised = supervise(&launch, &cleanup);
    assert_eq!(supervised.process.end().code(), Some(0));
    assert_eq!(supervised.log(), "exited 0\nexited 126\n");
}

#[test]
fn stopping_the_supervisor_stops_the_container_for_good() {
    let launch = format!("(trap 'exit 9' TERM; touch $D/up; while :; do sleep 0.01; done) & {MAIN}");
    let mut supervised = supervise(&launch, &format!("{NOTE}; exit 75"));
    assert_eq!(supervised.reported(), 0);
    until("the container runs", || supervised.path("up").exists());
    supervised.process.signal(Signal::TERM);
    assert_eq!(supervised.process.end().code(), Some(0));
    assert_eq!(supervised.log(), "exited 9 1\n");
}

#[test]
fn stopping_while_a_restart_is_due_cleans_up_again_and_ends() {
    let cleanup = format!("{NOTE}; echo RESTART_MS=86400000 >&$LODGER_SUPERVISOR_FD; exit 75");
    let mut supervised = supervise(&launch("exit 1"), &cleanup);
    until("it waits", || supervised.log() == "exited 1\n" && supervised.process.children().is_empty());
    supervised.process.signal(Signal::TERM);
    supervised.process.end();
    assert_eq!(supervised.log(), "exited 1\nexited 1 1\n");
}

#[test]
fn other_orphans_are_collected_and_other_signals_ignored() {
    let launch = format!("for i in 1 2 3; do (sleep 0.01 &) ; done; sleep 1000 & {MAIN}");
    let mut supervised = supervise(&launch, NOTE);
    assert_eq!(supervised.reported(), 0);
    until("the orphans are gone", || supervised.process.children().len() == 1);
    for signal in [Signal::HUP, Signal::INT, Signal::USR1] {
        supervised.process.signal(signal);
    }
    let main = supervised.process.children()[0];
    assert!(supervised.process.is_alive());
    std::process::Command::new("kill").args(["-KILL", &main.to_string()]).status().unwrap();
    supervised.process.end();
    assert_eq!(supervised.log().trim(), "killed KILL");
}

#[test]
fn the_commands_get_their_environment_and_no_stray_descriptors() {
    let launch = format!("ls /proc/$$/fd > $D/fds; grep SigBlk /proc/self/status >> $D/fds; {}", launch("exit 0"));
    let mut supervised = supervise(&launch, "env | grep -c ^D= > $D/log; ls /proc/$$/fd >> $D/log");
    supervised.process.end();
    let fds = read(&supervised.path("fds"));
    let numbers: Vec<&str> = fds.lines().take_while(|line| !line.starts_with("Sig")).collect();
    assert_eq!(numbers, ["0", "1", "2", "4"]);
    assert!(fds.ends_with("SigBlk:\t0000000000000000\n"), "{fds}");
    assert_eq!(supervised.log(), "1\n0\n1\n2\n4\n");
}
