//! Terminal and signals of the caller.

use crate::sandbox::{Sandbox, null};
use runtime::foreground::{DetachKeys, Foreground, Input, Outcome, attend, hold_signals};
use runtime::plan::{Stdio, WindowSize};
use runtime::{Exit, Plan, Running};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio as Pipes};

/// The user's terminal: the side of the user, and the side that a shell would hand to lodger.
fn user_terminal() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let user = openpt(flags).unwrap();
    unlockpt(&user).unwrap();
    let ours = ioctl_tiocgptpeer(&user, flags).unwrap();
    tcsetwinsize(&ours, Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (user, ours)
}

fn start(plan: &mut Plan, rows: u16) -> Running {
    plan.stdio = Stdio::Terminal(WindowSize { rows, columns: 20 });
    let program = runtime::compile(plan).unwrap();
    runtime::spawn(&program).unwrap().release().unwrap()
}

fn foreground(input: Input, output: OwnedFd, keys: &str) -> Foreground {
    Foreground { input, detach: DetachKeys::parse(keys).unwrap(), ..Foreground::new(output) }
}

pub(crate) fn a_terminal(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan(
        "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo three; stat -c %u:%g:%a $(tty); \
         stat -c %t:%T /dev/console /dev/pts/0; echo to-console > /dev/console; echo to-tty > /dev/tty; read x; echo got $x",
    );
    (plan.process.uid, plan.process.gid) = (1000, 1000);
    let running = start(&mut plan, 10);
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let (typed, typing) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let mut typing = std::fs::File::from(typing);
    typing.write_all(b"hello\n").unwrap();
    drop(typing);
    let outcome = attend(&running, foreground(Input::From(typed), write, "")).unwrap();
    let mut output = String::new();
    std::fs::File::from(read).read_to_string(&mut output).unwrap();
    let output = output.replace('\r', "");
    assert_eq!(outcome, Outcome::Exited(Exit::Code(0)), "{output}");
    // The terminal echoes what was typed whenever it gets it.
    let output = output.replacen("hello\n", "", 1);
    assert!(output.contains("/dev/pts/0\n10 20\nthree\n1000:5:620\n88:0\n88:0\nto-console\nto-tty\n"), "{output}");
    assert!(output.ends_with("got hello\n"), "{output}");
}

pub(crate) fn a_time_limit_kills(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("trap '' TERM; sleep 1000");
    plan.stdio = Stdio::Inherit([null(), null(), null()]);
    let program = runtime::compile(&plan).unwrap();
    let running = runtime::spawn(&program).unwrap().release().unwrap();
    let limit = Some(std::time::Duration::from_millis(20));
    let outcome = attend(&running, Foreground { limit, ..foreground(Input::Closed, null(), "") }).unwrap();
    assert_eq!(outcome, Outcome::TimedOut);
}

pub(crate) fn the_window_follows(sandbox: &mut Sandbox) {
    // Before the thread, which would otherwise take the signal.
    let _held = hold_signals().unwrap();
    let mut plan = sandbox.plan(
        "trap 'test \"$(stty size)\" = \"44 88\" && stty size && exit 0' WINCH; echo ready; while true; do sleep 0.05; done",
    );
    let running = start(&mut plan, 10);
    let (user, ours) = user_terminal();
    let before = tcgetattr(&ours).unwrap();
    // The user: waits for the program, then changes the window and tells lodger, as the terminal does.
    let watcher = std::process::id();
    let resized = ours.try_clone().unwrap();
    let thread = std::thread::spawn(move || {
        let mut seen = String::new();
        let mut user = std::fs::File::from(user);
        let mut buffer = [0; 256];
        while let Ok(count) = user.read(&mut buffer) {
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
            if seen.contains("ready") && !seen.contains("44 88") {
                assert!(!tcgetattr(&resized).unwrap().local_modes.contains(LocalModes::ECHO), "not raw");
                tcsetwinsize(&resized, Winsize { ws_row: 44, ws_col: 88, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
                rustix::process::kill_process(
                    rustix::process::Pid::from_raw(watcher as i32).unwrap(),
                    rustix::process::Signal::WINCH,
                )
                .unwrap();
            }
            if seen.contains("44 88") {
                break;
            }
        }
        (seen, user)
    });
    let outcome =
        attend(&running, foreground(Input::From(ours.try_clone().unwrap()), ours.try_clone().unwrap(), "")).unwrap();
    assert_eq!(outcome, Outcome::Exited(Exit::Code(0)));
    let (seen, _user) = thread.join().unwrap();
    assert!(seen.contains("44 88"), "{seen}");
    let after = tcgetattr(&ours).unwrap();
    assert_eq!((before.local_modes, before.input_modes), (after.local_modes, after.input_modes), "not put back");
}

pub(crate) fn detach_keys(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("while read x; do echo $x > /tmp/typed; done; sleep 1000");
    let running = start(&mut plan, 10);
    let process = running.process;
    let (typed, typing) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let mut typing = std::fs::File::from(typing);
    typing.write_all(b"before\n\x10\x11after\n").unwrap();
    let keys = "ctrl-p,ctrl-q";
    let outcome = attend(&running, foreground(Input::From(typed), null(), keys)).unwrap();
    assert_eq!(outcome, Outcome::Detached);
    assert!(process.is_alive());
    process.signal(libc::SIGKILL).unwrap();
}

/// A process beside that sends signals to this one, since this one waits.
fn send_later(signal: &str, ready: OwnedFd) -> std::process::Child {
    let script = format!("read x <&0; kill -{signal} {}", std::process::id());
    Command::new("/bin/busybox").args(["sh", "-c", &script]).stdin(Pipes::from(ready)).spawn().unwrap()
}

pub(crate) fn signals_are_passed_on(sandbox: &mut Sandbox) {
    for signal in ["TERM", "INT", "HUP", "USR1", "34"] {
        let _held = hold_signals().unwrap();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let script = format!("trap 'exit 42' {signal}; echo ready; while true; do sleep 0.02; done");
        let mut plan = sandbox.plan(&script);
        plan.stdio = Stdio::Inherit([null(), write, null()]);
        let program = runtime::compile(&plan).unwrap();
        let running = runtime::spawn(&program).unwrap().release().unwrap();
        let mut sender = send_later(signal, read);
        let outcome = attend(&running, foreground(Input::Closed, null(), "")).unwrap();
        assert_eq!(outcome, Outcome::Exited(Exit::Code(42)), "{signal}");
        sender.wait().unwrap();
    }
}
