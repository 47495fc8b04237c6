//! What a container with `--init` relies on.

use crate::process::{Helper, Running, helper, until};
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

fn init(words: &[&str]) -> Helper {
    let mut init = helper("init", words, "");
    init.command.stdout(Stdio::piped()).stderr(Stdio::piped());
    init
}

/// A shell script under init, with everything it prints.
fn script(text: &str) -> (i32, String) {
    let mut running = init(&["/bin/bash", "payload", "-c", text]).start();
    let mut output = String::new();
    running.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    (running.end().code().unwrap(), output)
}

/// Waits for the payload's first line.
fn first_line(running: &mut Running) -> String {
    let mut line = String::new();
    BufReader::new(running.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

#[test]
fn init_ends_with_the_programs_status() {
    assert_eq!(script("echo hello; exit 7"), (7, "hello\n".into()));
    assert_eq!(script("kill -KILL $$").0, 137);
    assert_eq!(script("echo $0").1, "payload\n");
}

#[test]
fn init_tells_a_missing_program_from_one_that_cannot_run() {
    for (path, status) in [("/no/such/program", 127), ("/etc/passwd", 126), ("/tmp", 126)] {
        let mut running = init(&[path, "payload"]).start();
        let mut message = String::new();
        running.child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        assert_eq!(running.end().code(), Some(status), "{path}");
        assert!(message.contains(path), "{message}");
    }
    assert_eq!(init(&[]).start().end().code(), Some(125));
}

#[test]
fn init_passes_signals_on() {
    let traps =
        "trap 'exit 42' TERM; trap 'exit 43' RTMIN+3; trap 'exit 44' WINCH; echo ready; while :; do sleep 0.01; done";
    for (name, status) in [("TERM", 42), ("RTMIN+3", 43), ("WINCH", 44)] {
        let mut running = init(&["/bin/bash", "payload", "-c", traps]).start();
        assert_eq!(first_line(&mut running), "ready");
        let kill = std::process::Command::new("bash")
            .args(["-c", &format!("kill -{name} {}", running.pid())])
            .status()
            .unwrap();
        assert!(kill.success());
        assert_eq!(running.end().code(), Some(status), "{name}");
    }
}

#[test]
fn the_program_starts_with_no_signal_blocked_and_its_own_group() {
    let (_, output) = script("grep SigBlk /proc/self/status; cut -d' ' -f5 /proc/$$/stat; echo $$");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "SigBlk:\t0000000000000000");
    assert_eq!(lines[1], lines[2], "process group and process");
}

#[test]
fn passed_sockets_name_the_program_not_process_one() {
    let mut helper = init(&["/bin/bash", "payload", "-c", "echo $LISTEN_PID $LISTEN_FDS $OTHER $$"]);
    helper.command.env("LISTEN_PID", "1").env("LISTEN_FDS", "2").env("OTHER", "kept");
    let mut running = helper.start();
    let line = first_line(&mut running);
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words, [words[3], "2", "kept", words[3]]);
}

#[test]
fn init_collects_orphans() {
    // Only process 1 gets orphans, so it needs a process namespace, and that a user namespace or root.
    let namespaces = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    let probe = std::process::Command::new("unshare").args(namespaces).arg("true").output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!("skipped: no user namespaces here");
        return;
    }
    let payload = "for i in 1 2 3 4 5; do (sleep 0.01 & exit 0); done; echo ready; exec sleep 1000";
    let program = runtime::helper::memfd().unwrap();
    // From inside the namespace our own descriptors are out of reach, so this one comes in as standard input.
    let become_init = "exec -a init /proc/self/fd/9 \"$@\" 9<&0 </dev/null";
    let mut command = std::process::Command::new("unshare");
    command.args(namespaces).args(["/bin/bash", "-c", become_init, "bash", "/bin/bash", "payload", "-c", payload]);
    let child = command.stdin(program).stdout(Stdio::piped()).spawn().unwrap();
    let mut outside = Running { child };
    assert_eq!(first_line(&mut outside), "ready");
    let init = outside.children()[0];
    let children = || std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap();
    until("the orphans are gone", || children().split_whitespace().count() == 1);
    outside.signal(Signal::KILL);
    outside.end();
}
