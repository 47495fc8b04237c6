//! Starting a helper with chosen descriptors, and reading what the kernel knows about it.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long something may take before a test calls it broken: generous, since speed is not what is tested.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A helper about to run, killed when the value goes.
pub(crate) struct Helper {
    /// A shell that becomes the helper.
    pub(crate) command: Command,
    /// Run by its path under our process, so that no descriptor need stay open over execve, where every test that
    /// starts a process at the same time would hand it on too.
    program: OwnedFd,
}

/// The helper `name` with these words. `redirections` in the shell's words make its descriptors from 3 on; those that
/// the test opens come in as the shell's 0, 1 and 2.
pub(crate) fn helper(name: &str, words: &[&str], redirections: &str) -> Helper {
    let program = runtime::helper::memfd().unwrap();
    let path = format!("/proc/{}/fd/{}", std::process::id(), program.as_raw_fd());
    let mut command = Command::new("/bin/bash");
    command.args(["-c", &format!("exec -a {name} {path} \"$@\" {redirections}"), "bash"]).args(words);
    command.stdin(Stdio::null());
    Helper { command, program }
}

impl Helper {
    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let running = Running { child: self.command.spawn().unwrap() };
        // The shell has opened the program when it has become it.
        until("the shell has become the helper", || {
            fs::read_link(running.file("exe")).is_ok_and(|exe| exe.to_string_lossy().contains("lodger-helper"))
                || !running.is_alive()
        });
        drop(self.program);
        running
    }
}

/// A helper that runs.
pub(crate) struct Running {
    /// Its process.
    pub(crate) child: Child,
}

impl Running {
    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.pid())
    }

    /// The text of `/proc/PID/NAME`.
    pub(crate) fn proc(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid() as i32).unwrap(), signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let mut status = None;
        until("the helper has ended", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        fs::read_to_string(self.file("stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// The open descriptors' numbers, in order.
    pub(crate) fn open_descriptors(&self) -> Vec<u32> {
        let entries = fs::read_dir(self.file("fd")).unwrap();
        let mut numbers: Vec<u32> =
            entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The process's share of memory in KiB: its own pages, and its part of those it shares.
    pub(crate) fn memory_kib(&self) -> u64 {
        let rollup = self.proc("smaps_rollup");
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Its children.
    pub(crate) fn children(&self) -> Vec<u32> {
        let list = self.proc(&format!("task/{}/children", self.pid()));
        list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The reading and the writing end of a pipe.
pub(crate) fn pipe() -> (File, File) {
    let (from, to) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    (from.into(), to.into())
}

/// Waits until `condition` holds; fails when it does not for a minute.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_program_is_a_few_pages_that_nobody_can_change() {
    let program = std::fs::File::from(runtime::helper::memfd().unwrap());
    let length = program.metadata().unwrap().len();
    println!("helper: {length} bytes");
    assert!(length <= 32 * 1024, "{length} bytes");
    std::io::Write::write(&mut &program, b"x").unwrap_err();
    program.set_len(0).unwrap_err();
    assert_eq!(program.metadata().unwrap().len(), length);
}
