//! Which namespaces are new and which are joined.

use super::{Birth, BirthPlace, Builder};
use crate::plan::{Name, Namespace, OomScore, Plan, Users};
use crate::userns::Map;
use init::op::Op;
use kernel::clone::Namespaces;
use std::os::fd::{AsFd, OwnedFd};

impl<'p> Builder<'p> {
    /// The first steps: namespaces and what is set in them.
    pub(super) fn namespaces(&mut self, plan: &'p Plan) {
        if let OomScore::Set(score) = plan.oom_score {
            self.op(Op::OomScore(score));
        }
        // Others are already there and could look into the child: close the curtain first.
        if !plan.namespaces.pid.is_new() {
            self.op(Op::Hide);
        }
        self.program.new = Namespaces::MOUNT;
        self.users(plan);
        let all = &plan.namespaces;
        for (kind, namespace) in [(Namespaces::IPC, &all.ipc), (Namespaces::UTS, &all.uts), (Namespaces::NET, &all.net)]
        {
            self.namespace(kind, namespace);
        }
        match &all.pid {
            Namespace::New => self.program.new = self.program.new | Namespaces::PID,
            Namespace::Host => {}
            Namespace::Join(fd) => self.program.pid_namespace = Some(BirthPlace::Namespace(fd.as_fd())),
        }
        match &all.cgroup {
            // Not by the clone: its root is to be the group in which the child starts, not the launcher's.
            Namespace::New => self.op(Op::Unshare(Namespaces::CGROUP)),
            Namespace::Host => {}
            Namespace::Join(fd) => self.join(Namespaces::CGROUP, fd),
        }
        self.op(Op::Session);
        self.op(Op::Keyring);
        if all.uts.is_new() {
            self.names(plan);
        }
        if all.net.is_new() {
            self.op(Op::Loopback);
            if !all.pid.is_new() {
                // Behind the curtain the launcher cannot open it.
                self.op(Op::TellNetwork);
            }
        }
    }

    fn namespace(&mut self, kind: Namespaces, namespace: &'p Namespace) {
        match namespace {
            Namespace::New => self.program.new = self.program.new | kind,
            Namespace::Host => {}
            Namespace::Join(fd) => self.join(kind, fd),
        }
    }

    /// With ids of its own the child has no right to what is the launcher's: then the launcher joins it, and the child is born in it.
    fn join(&mut self, kind: Namespaces, namespace: &'p OwnedFd) {
        match self.ids {
            None => self.op(Op::Join(kind, namespace.as_fd())),
            Some(_) => self.program.joined.push((kind, namespace.as_fd())),
        }
    }

    /// The user namespace, which owns all that are made with it.
    fn users(&mut self, plan: &'p Plan) {
        match &plan.users {
            Users::Launcher => return,
            Users::New(map) => {
                self.program.new = self.program.new | Namespaces::USER;
                self.program.users = Birth::New(map);
                self.op(Op::AwaitIds);
            }
            Users::Join(namespace, _) => self.program.users = Birth::Join(namespace.as_fd()),
        }
        if let Some((uid, gid)) = self.ids.map(Map::first) {
            self.op(Op::Become(uid, gid));
        }
    }

    fn names(&mut self, plan: &'p Plan) {
        if let Name::Set(name) = &plan.hostname {
            self.op(Op::Hostname(name.to_bytes()));
        }
        if let Name::Set(name) = &plan.domainname {
            self.op(Op::Domainname(name.to_bytes()));
        }
    }

    /// The curtain, where it can wait: in a new pid namespace nobody is there yet, and until the barrier the launcher's
    /// helpers (pasta) must be able to open `/proc/PID/ns/net`.
    pub(super) fn hide(&mut self, plan: &Plan) {
        if plan.namespaces.pid.is_new() {
            self.op(Op::Hide);
        }
    }
}
