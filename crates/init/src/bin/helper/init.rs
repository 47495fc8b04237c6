//! `init PATH ARGV0 [ARG…]`: process 1 of a container: starts one program, passes signals on, collects orphans.
//!
//! Ends with the program's exit status, 128 + n if signal n killed it, 127 if it is not there, 126 if it cannot be
//! run. As catatonit(1) and tini(1) do, the program gets its own process group, and the terminal if there is one.

use crate::text::Line;
use crate::{FAILED, complain};
use kernel::start::{Arguments, Environment, Fork, Words, close_range, exec, exit, fork, inherited, signals};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, setpgid, wait};
use rustix::termios::tcsetpgrp;
use rustix::thread::set_name;

/// Signals that the kernel sends to a process in the background that uses the terminal: meant for this one alone.
const TERMINAL: [i32; 2] = [21, 22];

/// Returns what the program ended with.
pub(crate) fn run(arguments: &Arguments) -> i32 {
    let (Some(path), Some(words)) = (arguments.get(1), arguments.rest(2)) else {
        return complain(&[b"usage: init PATH ARGV0 [ARG...]"]);
    };
    let mask = signals::block();
    match fork() {
        Ok(Fork::Child) => {
            own_group();
            signals::restore(mask);
            exit(become_program(path, words, arguments.environment()))
        }
        Ok(Fork::Parent(child)) => {
            let _ = set_name(c"lodger-init");
            let _ = close_range(3, u32::MAX);
            attend(child)
        }
        Err(_) => complain(&[b"cannot start a process"]),
    }
}

/// `execute PATH ARGV0 [ARG…]`: becomes the program at once, so that what it finds as `/proc/self/exe` at that moment is this sealed file.
pub(crate) fn execute(arguments: &Arguments) -> i32 {
    let (Some(path), Some(words)) = (arguments.get(1), arguments.rest(2)) else {
        return complain(&[b"usage: execute PATH ARGV0 [ARG...]"]);
    };
    refused(path, exec(path, words, arguments.environment(), &[]))
}

/// Puts the child into a group of its own, in the foreground of its terminal.
fn own_group() {
    let _ = setpgid(None, None);
    if let Some(terminal) = inherited(0) {
        let _ = tcsetpgrp(&terminal, getpid());
        core::mem::forget(terminal);
    }
}

/// Becomes the program; returns the exit status of having failed to.
///
/// `LISTEN_PID` was written for process 1, which is not the one that uses the sockets.
fn become_program(path: &core::ffi::CStr, words: Words, environment: Environment) -> i32 {
    let mut listener = Line::new();
    listener.push(b"LISTEN_PID=").number(getpid().as_raw_nonzero().get() as u64, 1);
    let error = match environment.has(b"LISTEN_PID=") {
        true => exec(path, words, environment, &[listener.c_str()]),
        false => exec(path, words, environment, &[]),
    };
    refused(path, error)
}

/// Says why a program did not start, and returns 127 if it is not there, else 126.
pub(crate) fn refused(path: &core::ffi::CStr, error: Errno) -> i32 {
    let mut number = Line::new();
    number.number(error.raw_os_error() as u64, 1);
    complain(&[b"execute ", path.to_bytes(), b": error ", number.bytes()]);
    if error == Errno::NOENT { 127 } else { 126 }
}

/// Passes signals to the child and collects the dead until it is one of them.
fn attend(child: Pid) -> i32 {
    loop {
        match signals::wait(None) {
            Some(signals::CHLD) => {
                if let Some(status) = collect(child) {
                    return exit_status(status);
                }
            }
            Some(signal) if !TERMINAL.contains(&signal) => {
                let _ = signals::send(child, signal);
            }
            _ => {}
        }
    }
}

/// Collects every process that has ended; the status of `child` if it was among them.
fn collect(child: Pid) -> Option<WaitStatus> {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == child {
            return Some(status);
        }
    }
    None
}

/// As a shell reports it: the status, or 128 and the signal.
pub(crate) fn exit_status(status: WaitStatus) -> i32 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => status,
        (None, Some(signal)) => 128 + signal,
        (None, None) => FAILED,
    }
}
