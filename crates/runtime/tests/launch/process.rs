//! The life of a container's first process.

use crate::sandbox::{Sandbox, command, null, shell};
use runtime::plan::*;
use runtime::{Kind, ProcessId};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;

pub(crate) fn exit_codes(sandbox: &mut Sandbox) {
    // Process 1 gets only signals from outside that it has no handler for, and those it sends itself not at all: so a child dies for it.
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("sh -c 'kill -9 $$'; exit $?", 137)] {
        let plan = sandbox.plan(script);
        assert_eq!(sandbox.run(plan).code, code, "{script}");
    }
    let plan = sandbox.plan("sleep 1000");
    let program = runtime::compile(&plan).unwrap();
    let running = runtime::spawn(&program).unwrap().release().unwrap();
    assert!(running.process.is_alive());
    running.process.signal(libc::SIGKILL).unwrap();
    let process = running.process;
    assert_eq!(running.wait().unwrap(), runtime::Exit::Signal(9));
    assert!(!process.is_alive());
    assert_eq!(process.signal(15).unwrap_err().kind(), Kind::Gone);
}

pub(crate) fn commands_that_cannot_run(sandbox: &mut Sandbox) {
    sandbox.write("image/bin/data", "no program\n");
    sandbox.write("image/bin/foreign", "\x7fELF but of another world");
    sandbox.write("image/bin/script", "#!/no/such/interpreter\n");
    for name in ["foreign", "script"] {
        std::fs::set_permissions(sandbox.path("image/bin").join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    for (word, kind) in [
        ("nothing", Kind::CommandNotFound),
        ("/bin/nothing", Kind::CommandNotFound),
        ("data", Kind::CommandNotExecutable),
        ("/bin/data", Kind::CommandNotExecutable),
        ("/bin", Kind::CommandNotExecutable),
        ("foreign", Kind::CommandNotExecutable),
        ("script", Kind::InterpreterMissing),
    ] {
        for helper in [false, true] {
            let mut plan = sandbox.plan("");
            plan.process = command(&[word]);
            if helper {
                if matches!(word, "foreign" | "script") {
                    continue;
                }
                plan.entry = Entry::Init(runtime::helper::memfd().unwrap());
            }
            let error = sandbox.try_run(plan).unwrap_err();
            assert_eq!(error.kind(), kind, "{word} helper={helper}: {error}");
            assert!(error.subject().contains(word), "{error}");
        }
    }
}

pub(crate) fn no_descriptor_but_those_given(sandbox: &mut Sandbox) {
    let script = "ls /proc/self/fd | tr '\\n' ' '";
    // busybox's ls opens the directory itself as the next one.
    assert_eq!(sandbox.shell(script), "0 1 2 3 ");
    // As many open descriptors of the caller as there may be, some of them not marked to be closed.
    let mut opened = Vec::new();
    for _ in 0..40 {
        let fd = rustix::io::dup(null()).unwrap();
        opened.push(fd);
    }
    assert_eq!(sandbox.shell(script), "0 1 2 3 ");
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut plan = sandbox.plan("ls /proc/self/fd | tr '\\n' ' '; echo five >&5; readlink /proc/self/fd/9");
    plan.passed = vec![Passed { number: 9, fd: null() }, Passed { number: 5, fd: write }];
    let ended = sandbox.run(plan);
    assert_eq!(ended.output, "0 1 2 3 5 9 /dev/null\n");
    let mut five = String::new();
    std::fs::File::from(read).read_to_string(&mut five).unwrap();
    assert_eq!(five, "five\n");
    let mut plan = sandbox.plan("true");
    plan.passed = vec![Passed { number: 2, fd: null() }];
    assert!(runtime::compile(&plan).is_err());
}

pub(crate) fn pipes_open_by_name(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("echo by name > /dev/stdout; echo and error > /dev/stderr");
    (plan.process.uid, plan.process.gid) = (1000, 1000);
    assert_eq!(sandbox.run(plan).output, "by name\nand error\n");
}

pub(crate) fn signals_are_at_their_defaults(sandbox: &mut Sandbox) {
    let _held = runtime::foreground::hold_signals().unwrap();
    let output = sandbox.shell("grep Sig /proc/self/status; ps | wc -l; grep -c . /proc/self/sessionid");
    for field in ["SigBlk", "SigIgn"] {
        let line = output.lines().find(|line| line.starts_with(field)).unwrap();
        assert!(line.ends_with("0000000000000000"), "{output}");
    }
}

pub(crate) fn the_helper_as_process_one(sandbox: &mut Sandbox) {
    let mut plan =
        sandbox.plan("echo $$; readlink /proc/1/exe; (sleep 0.1 &) ; ls /proc/self/fd | tr '\\n' ' '; exit 9");
    plan.entry = Entry::Init(runtime::helper::memfd().unwrap());
    let ended = sandbox.run(plan);
    let lines: Vec<&str> = ended.output.lines().collect();
    assert_eq!((lines[0], lines[1]), ("2", "/memfd:lodger-helper (deleted)"), "{}", ended.output);
    assert_eq!((lines[2].trim(), ended.code), ("0 1 2 3", 9), "{}", ended.output);
}

pub(crate) fn the_shield(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("readlink /proc/self/exe; ls /proc/self/fd | tr '\\n' ' '; echo $$ $0 $1");
    plan.process =
        command(&["sh", "-c", "readlink /proc/1/exe; ls /proc/self/fd | tr '\\n' ' '; echo $$ $0 $1", "zero", "one"]);
    plan.entry = Entry::Shielded(runtime::helper::memfd().unwrap());
    let ended = sandbox.run(plan);
    assert_eq!(ended.output, "/bin/busybox\n0 1 2 3 1 zero one\n");
}

pub(crate) fn a_launcher_that_dies_takes_its_child(sandbox: &mut Sandbox) {
    let plan = sandbox.plan("sleep 1000");
    let program = runtime::compile(&plan).unwrap();
    let mut spawned = runtime::spawn(&program).unwrap();
    spawned.wait_ready().unwrap();
    let process = spawned.process;
    let pidfd = spawned.pidfd.try_clone().unwrap();
    assert!(process.is_alive());
    // What the launcher's death does: its end of the channel closes.
    drop(spawned);
    let mut fds = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut fds, None).unwrap();
    assert!(!process.is_alive());
}

pub(crate) fn errors_name_the_step(sandbox: &mut Sandbox) {
    let mut plan = sandbox.plan("true");
    plan.rlimits = vec![Rlimit { resource: Resource::Nofile, soft: 2, hard: 1 }];
    let error = sandbox.try_run(plan).unwrap_err();
    assert_eq!(error.to_string(), "step \"limit nofile 2:1\"");
    assert_eq!(error.errno(), Some(22));
    let mut plan = sandbox.plan("true");
    sandbox.write("image/etc/notdir", "");
    let volume = sandbox.bind("host", "/etc/notdir/deeper", Attributes::default());
    plan.mounts.push(volume);
    let error = sandbox.try_run(plan).unwrap_err();
    assert!(error.to_string().contains("/etc/notdir/deeper") && error.errno() == Some(20), "{error}");
}

/// A launcher whose parent gets the container as its own child, as a unit's launcher gives it to systemd.
pub(crate) fn a_sibling(sandbox: &mut Sandbox) {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let mut plan = sandbox.plan("");
    plan.process = shell("exit 33");
    plan.parent = Parent::Sibling;
    let (_, launcher) =
        kernel::clone::spawn(kernel::clone::Namespaces::NONE, kernel::clone::Parent::Caller, None, || {
            let program = runtime::compile(&plan).unwrap();
            let running = runtime::spawn(&program).unwrap().release().unwrap();
            rustix::io::write(&write, running.process.to_string().as_bytes()).unwrap();
            kernel::clone::exit(0)
        })
        .unwrap();
    drop(write);
    let mut told = String::new();
    std::fs::File::from(read).read_to_string(&mut told).unwrap();
    let process: ProcessId = told.parse().unwrap();
    let exited = |pidfd: std::os::fd::BorrowedFd<'_>| {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED).unwrap().unwrap().exit_status()
    };
    assert_eq!(exited(launcher.as_fd()), Some(0));
    // A zombie is held by its number until it is reaped, which is this process's to do.
    let pid = rustix::process::Pid::from_raw(process.pid).unwrap();
    let container = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    assert_eq!(exited(container.as_fd()), Some(33));
}
