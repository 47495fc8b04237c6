//! Ids, capabilities and the filter.

use super::Builder;
use crate::capability::{Set, Sets};
use crate::plan::{Groups, Privileges, Process, Seccomp};
use init::op::Op;

impl<'p> Builder<'p> {
    /// The user, then what the user may do. The filter comes as late as it can, so that it need not allow the steps before: after
    /// everything with `no_new_privs`, else just before the capability to load it goes.
    pub(super) fn identity(&mut self, process: &'p Process, sets: &Sets, privileges: Privileges, seccomp: &'p Seccomp) {
        self.op(Op::Bounding(sets.bounding.0));
        self.op(Op::KeepCapabilities);
        if let Groups::Set(groups) = &process.groups {
            self.op(Op::Groups(groups));
        }
        self.op(Op::Group(process.gid));
        self.op(Op::User(process.uid));
        self.op(Op::ChdirAgain(process.workdir.path.as_c_str()));
        if privileges == Privileges::NoNew {
            self.op(capabilities(sets, Set::EMPTY));
            self.op(Op::Ambient(sets.ambient.0));
            self.op(Op::NoNewPrivileges);
        }
        if let Seccomp::Filter(program, flags) = seccomp {
            if privileges == Privileges::MayGain {
                self.op(capabilities(sets, Set::named("SYS_ADMIN").unwrap_or_default()));
            }
            self.op(Op::Seccomp(program, *flags));
        }
        if privileges == Privileges::MayGain {
            self.op(capabilities(sets, Set::EMPTY));
            self.op(Op::Ambient(sets.ambient.0));
        }
    }
}

fn capabilities<'p>(sets: &Sets, still: Set) -> Op<'p> {
    Op::Capabilities {
        effective: sets.effective.or(still).0,
        permitted: sets.permitted.or(still).0,
        inheritable: sets.inheritable.0,
    }
}
