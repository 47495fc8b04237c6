//! What the payload gets: descriptors, working directory, limits; and its execution.

use super::Builder;
use crate::plan::{Entry, Mount, Personality, Plan, Process, Rlimit, Stdio, WindowSize};
use crate::prepare::Step;
use init::op::{Op, Slot};
use std::os::fd::AsFd;

/// What both a container's first process and a further one get.
pub(super) struct Handover<'p> {
    pub(super) umask: u32,
    pub(super) stdio: &'p Stdio,
    pub(super) process: &'p Process,
    pub(super) rlimits: &'p [Rlimit],
}

/// A terminal that the mounts have to make.
pub(super) struct TerminalSlots {
    pub(super) size: WindowSize,
    pub(super) master: Slot,
    pub(super) slave: Slot,
}

impl<'p> Builder<'p> {
    /// Reserves the slots of 0, 1 and 2, and of a terminal. A terminal needs the plan's devpts; without one there is none.
    pub(super) fn stdio_slots(&mut self, plan: &'p Plan) -> Option<TerminalSlots> {
        match &plan.stdio {
            Stdio::Terminal(size) => {
                plan.mounts.iter().any(|mount| matches!(mount, Mount::Devpts(_))).then(|| self.terminal(*size))
            }
            Stdio::Inherit(fds) => {
                self.inherit(fds);
                None
            }
        }
    }

    pub(super) fn inherit(&mut self, fds: &'p [std::os::fd::OwnedFd; 3]) {
        for (index, (fd, name)) in fds.iter().zip([c"stdin", c"stdout", c"stderr"]).enumerate() {
            let into = self.slot();
            self.step(Step::Duplicate { fd: fd.as_fd(), name, into });
            self.stdio[index] = into;
        }
    }

    pub(super) fn terminal(&mut self, size: WindowSize) -> TerminalSlots {
        let (master, slave) = (self.slot(), self.slot());
        self.program.master = Some(master);
        self.stdio = [slave; 3];
        TerminalSlots { size, master, slave }
    }

    pub(super) fn handover(&mut self, handover: &Handover<'p>) {
        self.op(Op::Umask(handover.umask));
        if let Personality::Set(persona) = handover.process.personality {
            self.op(Op::Personality(persona));
        }
        self.own_stdio(handover.stdio, handover.process.uid);
        for (slot, number) in self.stdio.into_iter().zip(0..) {
            self.op(Op::Pass(slot, number));
        }
        for (slot, number) in std::mem::take(&mut self.passed) {
            self.op(Op::Pass(slot, number));
        }
        self.op(Op::CloseRest);
        self.op(Op::Chdir(handover.process.workdir.path.as_c_str()));
        for limit in handover.rlimits {
            self.op(Op::Limit(limit.resource, limit.soft, limit.hard));
        }
    }

    /// Gives terminal or pipes to the user. With ids of its own the child has no right to what is the launcher's: then the launcher gives.
    fn own_stdio(&mut self, stdio: &Stdio, uid: u32) {
        let terminal = matches!(stdio, Stdio::Terminal(_));
        let count = if terminal { 1 } else { self.stdio.len() };
        for slot in self.stdio.into_iter().take(count) {
            match (self.ids.map(|ids| ids.outside(uid, 0)), terminal) {
                (Some((uid, _)), true) => self.step(Step::OwnTerminal { slot, uid }),
                (Some((uid, _)), false) => self.step(Step::OwnPipe { slot, uid }),
                (None, true) => self.op(Op::OwnTerminal(slot, uid)),
                (None, false) => self.op(Op::OwnPipe(slot, uid)),
            }
        }
        if terminal {
            self.op(Op::Terminal(self.stdio[0]));
        }
    }

    pub(super) fn execute(&mut self, entry: &'p Entry) {
        let (helper, word) = match entry {
            Entry::Direct => (None, c""),
            Entry::Shielded(helper) => (Some(helper), c"lodger-execute"),
            Entry::Init(helper) => (Some(helper), c"lodger-init"),
        };
        self.op(Op::Signals);
        let Some(helper) = helper else {
            self.op(Op::Execute);
            return;
        };
        let into = self.slot();
        self.step(Step::Duplicate { fd: helper.as_fd(), name: c"helper", into });
        self.program.helper = Some(into);
        self.op(Op::ExecuteHelper(into, word));
    }
}
