//! A further process in a running container.

use crate::sandbox::{Sandbox, allowed, command, guest, null, shell};
use runtime::capability::{Set, Sets};
use runtime::plan::*;
use runtime::{Container, Error, ExecPlan, Kind, ProcessId, Running};
use std::io::Read;

/// A container that sleeps, started by a process of its own, so that this one is still outside of everything, as `lodger exec` is.
fn running(sandbox: &mut Sandbox) -> ProcessId {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let start = || {
        let mut plan = sandbox.plan("");
        plan.process = shell("echo inside > /tmp/marker; exec sleep 1000");
        plan.stdio = Stdio::Inherit([null(), null(), null()]);
        let program = runtime::compile(&plan).unwrap();
        let running: Running = runtime::spawn(&program).unwrap().release().unwrap();
        rustix::io::write(&write, running.process.to_string().as_bytes()).unwrap();
        kernel::clone::exit(0)
    };
    let (_, launcher) =
        kernel::clone::spawn(kernel::clone::Namespaces::NONE, kernel::clone::Parent::Caller, None, start).unwrap();
    drop(write);
    let mut told = String::new();
    std::fs::File::from(read).read_to_string(&mut told).unwrap();
    drop(launcher);
    told.parse().unwrap()
}

fn plan(process: Process) -> ExecPlan {
    let capabilities = Sets::for_user(process.uid, allowed(), Set::EMPTY);
    ExecPlan {
        process,
        capabilities,
        privileges: Privileges::MayGain,
        seccomp: Seccomp::Unconfined,
        rlimits: Vec::new(),
        oom_score: OomScore::Inherit,
        umask: 0o022,
        stdio: Stdio::Inherit([null(), null(), null()]),
        passed: Vec::new(),
        entry: Entry::Direct,
        cgroup: Cgroup::Inherit,
    }
}

/// Runs it in a child, since the caller of an exec ends up in the container's user namespace.
fn run(container: ProcessId, mut plan: ExecPlan) -> (u8, String) {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    plan.stdio = Stdio::Inherit([null(), write.try_clone().unwrap(), write]);
    let attempt = || -> Result<u8, Error> {
        let container = Container::open(&container)?;
        let program = container.compile(&plan)?;
        Ok(runtime::spawn(&program)?.release()?.wait()?.code())
    };
    let (_, pidfd) = kernel::clone::spawn(kernel::clone::Namespaces::NONE, kernel::clone::Parent::Caller, None, || {
        match attempt() {
            Ok(code) => kernel::clone::exit(code),
            Err(error) => {
                if let Stdio::Inherit([_, out, _]) = &plan.stdio {
                    let text = format!("{error}: {:?}: {:?}", error.kind(), std::error::Error::source(&error));
                    rustix::io::write(out, text.as_bytes()).unwrap();
                }
                kernel::clone::exit(125)
            }
        }
    })
    .unwrap();
    drop(plan);
    let mut output = String::new();
    std::fs::File::from(read).read_to_string(&mut output).unwrap();
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let status = waitid(WaitId::PidFd(std::os::fd::AsFd::as_fd(&pidfd)), WaitIdOptions::EXITED).unwrap().unwrap();
    (status.exit_status().unwrap() as u8, output)
}

pub(crate) fn it_joins_everything(sandbox: &mut Sandbox) {
    let container = running(sandbox);
    let script = "cat /tmp/marker; for n in user mnt pid ipc uts net cgroup; do \
        test $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) || echo other $n; done; readlink /proc/self/root; pwd; \
        ls /proc/self/fd | tr '\\n' ' '; grep Cap /proc/self/status | tr '\\n\\t' '  '; hostname; echo $VAR; exit 5";
    let mut process = shell(script);
    process.workdir.path = guest("/tmp");
    process.envp.push(c"VAR=value".into());
    let (code, output) = run(container, plan(process));
    let caps = format!("{:016x}", allowed().0);
    let none = "0000000000000000";
    assert_eq!(
        output,
        format!(
            "inside\n/\n/tmp\n0 1 2 3 CapInh: {none} CapPrm: {caps} CapEff: {caps} CapBnd: {caps} CapAmb: {none} guest\nvalue\n"
        )
    );
    assert_eq!(code, 5);
    for (process, kind) in
        [(command(&["nothing"]), "CommandNotFound"), (command(&["/etc/passwd"]), "CommandNotExecutable")]
    {
        let (code, output) = run(container, plan(process));
        assert!(code == 125 && output.contains(kind), "{output}");
    }
    let mut process = shell("true");
    process.workdir.path = guest("/nowhere");
    assert!(run(container, plan(process)).1.contains("WorkdirMissing"));
    container.signal(9).unwrap();
}

pub(crate) fn ids_are_exact_here_too(sandbox: &mut Sandbox) {
    let container = running(sandbox);
    for (uid, gid, groups) in [(0, 0, vec![]), (1, 1, vec![]), (1, 0, vec![7]), (1000, 1000, vec![10])] {
        let mut process = shell("id -u; id -g; id -G; grep CapEff /proc/self/status");
        (process.uid, process.gid) = (uid, gid);
        process.groups = Groups::Set(groups.clone());
        let (_, output) = run(container, plan(process));
        let all: Vec<String> = std::iter::once(gid).chain(groups).map(|id| id.to_string()).collect();
        let caps = if uid == 0 { allowed().0 } else { 0 };
        assert_eq!(output, format!("{uid}\n{gid}\n{}\nCapEff:\t{caps:016x}\n", all.join(" ")));
    }
    container.signal(9).unwrap();
}

pub(crate) fn its_terminal(sandbox: &mut Sandbox) {
    let container = running(sandbox);
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let (_, _child) =
        kernel::clone::spawn(kernel::clone::Namespaces::NONE, kernel::clone::Parent::Caller, None, || {
            let mut plan = plan(shell("tty; stty size; test -t 2 && echo three"));
            plan.stdio = Stdio::Terminal(WindowSize { rows: 12, columns: 34 });
            let container = Container::open(&container).unwrap();
            let program = container.compile(&plan).unwrap();
            let running = runtime::spawn(&program).unwrap().release().unwrap();
            let foreground = runtime::foreground::Foreground {
                signals: runtime::foreground::Signals::Own,
                ..runtime::foreground::Foreground::new(write.try_clone().unwrap())
            };
            runtime::foreground::attend(&running, foreground).unwrap();
            kernel::clone::exit(0)
        })
        .unwrap();
    drop(write);
    let mut output = String::new();
    std::fs::File::from(read).read_to_string(&mut output).unwrap();
    assert_eq!(output, "/dev/pts/0\r\n12 34\r\nthree\r\n");
    container.signal(9).unwrap();
}

pub(crate) fn a_container_that_is_gone(sandbox: &mut Sandbox) {
    let container = running(sandbox);
    let other = ProcessId { start_time: container.start_time + 1, ..container };
    assert_eq!(Container::open(&other).unwrap_err().kind(), Kind::Gone);
    let pidfd = container.open().unwrap();
    container.signal(9).unwrap();
    let mut fds = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut fds, None).unwrap();
    assert_eq!(Container::open(&container).unwrap_err().kind(), Kind::Gone);
}
