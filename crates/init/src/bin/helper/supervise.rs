//! `supervise N LAUNCH… -- CLEANUP…`: runs one detached container where there is no systemd.
//!
//! `N` is the number of words of LAUNCH, the first of each a program's path. Descriptor 3 gets one byte, the exit
//! status of the first launch; until then the launcher's messages go where they went, afterwards to `/dev/null`.
//!
//! ```text
//! launch ──► the launcher writes MAINPID=… to descriptor 4 and ends; what it started is our child
//!    ▲  └──► (the first fails) end with its status
//!    │       wait for it ──► cleanup: EXIT_CODE and EXIT_STATUS as systemd.exec(5) has them
//!    │                          status 75 and RESTART_MS=… on descriptor 4
//!    └────────── wait that long ◄──┘   any other status ──► end
//! ```
//!
//! Both are started with `LODGER_SUPERVISOR_FD=4`. The container's process must become our child: its launcher clones it
//! with `CLONE_PARENT`, or leaves it behind as an orphan. SIGTERM means that the container is to stop: it is passed on to
//! what runs, the cleanup that follows (or a second one, instead of waiting for a restart) sees `LODGER_STOP=1`, and
//! there is no restart. Other signals are ignored.

use crate::init::{exit_status, refused};
use crate::text::{Line, parse};
use crate::{FAILED, complain};
use core::ffi::CStr;
use kernel::start::{
    Arguments, Environment, Fork, Words, close_range, duplicate_to, exec, exit, fork, inherited, monotonic_ms, signals,
};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::io::{read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, WaitStatus, getpid, set_child_subreaper, setsid, wait, waitpid};
use rustix::thread::set_name;

/// The cleanup's exit status that asks for another start.
const RESTART: i32 = 75;
/// The delay when the cleanup does not say, and the longest that it can ask for, in milliseconds.
const DELAY_MS: u64 = 100;
const LONGEST_DELAY_MS: u64 = 24 * 3600 * 1000;

/// How the container ended.
enum End {
    Status(i32),
    Signal { number: i32, dumped: bool },
}

/// What a command did.
struct Outcome {
    status: i32,
    main: Option<Pid>,
    delay_ms: Option<u64>,
}

/// Which of our children a wait may collect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// One of them may turn out to be the container.
    Keep,
    Collect,
}

/// What SIGTERM does to a child that is waited for; that it came is noted in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminate {
    PassOn,
    Note,
}

struct Supervisor {
    launch: Words,
    cleanup: Words,
    environment: Environment,
    mask: signals::Mask,
    stopping: bool,
}

/// Returns when the container has ended for good; the first launch's status if that failed.
pub(crate) fn run(mut arguments: Arguments) -> i32 {
    let count = arguments.get(1).and_then(|count| parse(count.to_bytes())).unwrap_or(0) as usize;
    let separator = count.saturating_add(2);
    let marked = arguments.get(separator).is_some_and(|word| word.to_bytes() == b"--");
    let cleanup = arguments.rest(separator.saturating_add(1));
    let (true, Some(launch), Some(cleanup)) = (marked, arguments.part(2, separator), cleanup) else {
        return complain(&[b"usage: supervise N LAUNCH... -- CLEANUP..."]);
    };
    let mask = signals::block();
    let _ = set_name(c"lodger-supervise");
    let _ = setsid();
    let _ = set_child_subreaper(Some(getpid()));
    let _ = close_range(4, u32::MAX);
    Supervisor { launch, cleanup, environment: arguments.environment(), mask, stopping: false }.run()
}

impl Supervisor {
    fn run(&mut self) -> i32 {
        let report = inherited(3);
        let mut launched = self.launch();
        if let Some(report) = report {
            let _ = write(&report, &[launched.as_ref().map_or_else(|status| *status as u8, |_| 0)]);
        }
        if let Err(status) = launched {
            return status;
        }
        forget_terminal();
        loop {
            let end = match launched {
                Ok(main) => self.attend(main),
                Err(status) => End::Status(status),
            };
            if !self.finish(&end) {
                return 0;
            }
            launched = self.launch();
        }
    }

    /// Starts the container; the status of having failed to.
    fn launch(&mut self) -> Result<Pid, i32> {
        let outcome = self.command(self.launch, &[], Terminate::PassOn);
        match outcome.main {
            Some(main) if outcome.status == 0 => {
                if self.stopping {
                    let _ = signals::send(main, signals::TERM);
                }
                Ok(main)
            }
            _ if outcome.status == 0 => Err(complain(&[b"the launcher did not say what it started"])),
            _ => Err(outcome.status),
        }
    }

    /// Waits for the container, passing SIGTERM on.
    fn attend(&mut self, main: Pid) -> End {
        let Some(status) = self.wait_for(main, Others::Collect, Terminate::PassOn) else {
            return End::Status(FAILED);
        };
        match status.terminating_signal() {
            Some(number) => End::Signal { number, dumped: status.as_raw() & 0x80 != 0 },
            None => End::Status(exit_status(status)),
        }
    }

    /// Runs the cleanup, and waits as long as it asks before another start; false if there is to be none.
    fn finish(&mut self, end: &End) -> bool {
        loop {
            let told = self.stopping;
            let outcome = self.clean(end);
            if outcome.status != RESTART || told {
                return false;
            }
            self.rest(outcome.delay_ms.unwrap_or(DELAY_MS).min(LONGEST_DELAY_MS));
            if !self.stopping {
                return true;
            }
        }
    }

    fn clean(&mut self, end: &End) -> Outcome {
        let mut status = Line::new();
        status.push(b"EXIT_STATUS=");
        let code = match end {
            End::Status(number) => {
                status.number(*number as u64, 1);
                c"EXIT_CODE=exited"
            }
            End::Signal { number, dumped } => {
                signal_name(&mut status, *number);
                if *dumped { c"EXIT_CODE=dumped" } else { c"EXIT_CODE=killed" }
            }
        };
        let set = [code, status.c_str(), c"LODGER_STOP=1"];
        self.command(self.cleanup, &set[..if self.stopping { 3 } else { 2 }], Terminate::Note)
    }

    /// Runs a command to its end and reads what it wrote to descriptor 4.
    fn command(&mut self, words: Words, set: &[&CStr], terminate: Terminate) -> Outcome {
        let failed = Outcome { status: FAILED, main: None, delay_ms: None };
        let Ok((from, to)) = pipe_with(PipeFlags::CLOEXEC) else { return failed };
        let child = match fork() {
            Ok(Fork::Child) => exit(self.become_command(words, set, &to)),
            Ok(Fork::Parent(child)) => child,
            Err(_) => return failed,
        };
        drop(to);
        let status = self.wait_for(child, Others::Keep, terminate).map_or(FAILED, exit_status);
        // What the command started may still hold the other end: take what is there, wait for nothing.
        let _ = fcntl_setfl(&from, OFlags::NONBLOCK);
        let mut outcome = Outcome { status, main: None, delay_ms: None };
        outcome.read(&from);
        outcome
    }

    fn become_command(&self, words: Words, set: &[&CStr], to: &OwnedFd) -> i32 {
        let _ = close_range(3, 3);
        if duplicate_to(to.as_fd(), 4).is_err() {
            return FAILED;
        }
        let mut all = [c"LODGER_SUPERVISOR_FD=4"; 4];
        all[1..=set.len()].copy_from_slice(set);
        signals::restore(self.mask);
        let error = exec(words.first(), words, self.environment, &all[..=set.len()]);
        refused(words.first(), error)
    }

    /// Waits for a child; `None` if it is not one of ours.
    fn wait_for(&mut self, child: Pid, others: Others, terminate: Terminate) -> Option<WaitStatus> {
        loop {
            match waitpid(Some(child), WaitOptions::NOHANG) {
                Ok(Some((_, status))) => return Some(status),
                Ok(None) => {}
                Err(_) => return None,
            }
            if others == Others::Collect {
                if let Some(status) = collect(child) {
                    return Some(status);
                }
            }
            if signals::wait(None) == Some(signals::TERM) {
                self.stopping = true;
                if terminate == Terminate::PassOn {
                    let _ = signals::send(child, signals::TERM);
                }
            }
        }
    }

    /// Waits that many milliseconds, or until SIGTERM.
    fn rest(&mut self, delay_ms: u64) {
        let end = monotonic_ms() + delay_ms;
        while !self.stopping {
            let now = monotonic_ms();
            if now >= end {
                return;
            }
            match signals::wait(Some(end - now)) {
                Some(signals::TERM) => self.stopping = true,
                Some(signals::CHLD) => while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {},
                _ => {}
            }
        }
    }
}

impl Outcome {
    /// Lines of `NAME=number`; what is not one is passed over.
    fn read(&mut self, from: &OwnedFd) {
        let mut buffer = [0; 256];
        let mut length = 0;
        while let Ok(count @ 1..) = read(from, &mut buffer[length..]) {
            length += count;
        }
        for line in buffer[..length].split(|byte| *byte == b'\n') {
            let Some(split) = line.iter().position(|byte| *byte == b'=') else { continue };
            let number = parse(&line[split + 1..]);
            match &line[..split] {
                b"MAINPID" => self.main = number.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)),
                b"RESTART_MS" => self.delay_ms = number,
                _ => {}
            }
        }
    }
}

/// Collects every child that has ended; the status of `child` if it was among them.
fn collect(child: Pid) -> Option<WaitStatus> {
    let mut found = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == child {
            found = Some(status);
        }
    }
    found
}

/// Lets go of the terminal and of whoever waits for the end of our output.
fn forget_terminal() {
    if let Ok(null) = open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        for number in 0..=2 {
            let _ = duplicate_to(null.as_fd(), number);
        }
    }
}

/// As systemd writes it: without `SIG`, real-time signals from `RTMIN`.
fn signal_name(line: &mut Line, number: i32) {
    const NAMES: &[u8] =
        b"HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP \
        TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
    const RTMIN: i32 = 34;
    let name = NAMES.split(|byte| *byte == b' ').nth(number.max(1) as usize - 1);
    match name {
        Some(name) => line.push(name),
        None if number >= RTMIN => line.push(b"RTMIN+").number((number - RTMIN) as u64, 1),
        None => line.number(number as u64, 1),
    };
}
