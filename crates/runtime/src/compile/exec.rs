//! The program of a further process in a running container.

use super::handover::Handover;
use super::{BirthPlace, Builder, Program};
use crate::error::Error;
use crate::exec::ExecPlan;
use crate::plan::{OomScore, Stdio};
use crate::prepare::Step;
use crate::userns::Map;
use init::op::Op;
use kernel::clone::Namespaces;
use std::os::fd::BorrowedFd;

/// Puts an exec into order. `container` is a pidfd of its first process, `root` its root directory, `joined` the namespaces in which it
/// differs from the caller, `ids` its ids where they are others than the caller's and the caller is root around it.
pub(crate) fn compile_exec<'p>(
    plan: &'p ExecPlan,
    container: BorrowedFd<'p>,
    root: BorrowedFd<'p>,
    joined: Namespaces,
    ids: Option<&'p Map>,
) -> Result<Program<'p>, Error> {
    let mut builder = Builder::new(&plan.process, &plan.passed, &plan.cgroup)?;
    builder.ids = ids;
    match &plan.stdio {
        Stdio::Terminal(size) => {
            let terminal = builder.terminal(*size);
            let (master, slave) = (terminal.master, terminal.slave);
            builder.step(Step::TerminalInside { root, size: terminal.size, master, slave });
        }
        Stdio::Inherit(fds) => builder.inherit(fds),
    }
    // The launcher itself joins these two: the first because it gives the privilege for all others, the second because it counts for
    // children only. From a user namespace around the container's it has that privilege, also over what the container does not own.
    let by_launcher = if ids.is_some() { Namespaces::PID } else { Namespaces::USER | Namespaces::PID };
    let born = joined.without(joined.without(by_launcher));
    if !born.is_empty() {
        builder.program.pid_namespace = Some(BirthPlace::Process(container, born));
    }
    if let OomScore::Set(score) = plan.oom_score {
        builder.op(Op::OomScore(score));
    }
    builder.op(Op::Hide);
    let rest = joined.without(by_launcher);
    if !rest.is_empty() {
        builder.op(Op::JoinProcess(rest, container));
    }
    if let Some((uid, gid)) = ids.map(Map::first) {
        builder.op(Op::Become(uid, gid));
    }
    builder.op(Op::Session);
    builder.op(Op::Keyring);
    builder.op(Op::Barrier);
    builder.handover(&Handover {
        umask: plan.umask,
        stdio: &plan.stdio,
        process: &plan.process,
        rlimits: &plan.rlimits,
    });
    builder.identity(&plan.process, &plan.capabilities, plan.privileges, &plan.seccomp);
    builder.execute(&plan.entry);
    Ok(builder.program)
}
