//! From a `Plan` to a `Program`: the ordered list of steps, in the launcher and in its child.
//!
//! Pure: nothing is changed and nothing asked but the type of a bind's source, so a program can be printed, compared and tested
//! without privilege.
//!
//! ```text
//! namespaces   which are new, which are joined
//! mounts       root, volumes, /dev, files, masks
//! identity     ids, capabilities, filter
//! handover     descriptors, working directory, limits, execve
//! ```

mod exec;
mod handover;
mod identity;
mod mounts;
mod namespaces;

pub(crate) use exec::compile_exec;

use crate::error::{Error, Kind};
use crate::plan::{Cgroup, Parent, Passed, Plan, Process};
use crate::prepare::Step;
use crate::userns::Map;
use init::op::{Op, Slot};
use kernel::clone::Namespaces;
use kernel::execute::Word;
use std::ffi::CStr;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};

/// What will be done, in order; borrows the plan.
#[derive(Debug)]
pub struct Program<'p> {
    /// In the launcher, before the clone.
    pub(crate) steps: Vec<Step<'p>>,
    /// In the child.
    pub(crate) ops: Vec<Op<'p>>,
    /// How many descriptors the steps leave.
    pub(crate) slots: u16,
    /// Namespaces of the clone.
    pub(crate) new: Namespaces,
    /// Whose user namespace the child is born in.
    pub(crate) users: Birth<'p>,
    /// Namespaces that the launcher joins, since the container's root may not.
    pub(crate) joined: Vec<(Namespaces, BorrowedFd<'p>)>,
    /// The namespace in which the child is born, if not the launcher's or a new one.
    pub(crate) pid_namespace: Option<BirthPlace<'p>>,
    pub(crate) parent: Parent,
    pub(crate) cgroup: Option<BorrowedFd<'p>>,
    pub(crate) argv: Vec<Word<'p>>,
    pub(crate) envp: Vec<Word<'p>>,
    pub(crate) candidates: Vec<&'p CStr>,
    /// Numbers above 2 that the payload inherits, sorted.
    pub(crate) passed: Vec<u32>,
    /// Where the master of the terminal is left.
    pub(crate) master: Option<Slot>,
    /// Where the helper is left.
    pub(crate) helper: Option<Slot>,
}

/// The user namespace of the child.
#[derive(Debug)]
pub(crate) enum Birth<'p> {
    /// The launcher's.
    Launcher,
    /// A new one.
    New(&'p Map),
    /// This one.
    Join(BorrowedFd<'p>),
}

/// What the launcher joins so that its child is born in another pid namespace.
#[derive(Debug)]
pub(crate) enum BirthPlace<'p> {
    /// A descriptor of the pid namespace.
    Namespace(BorrowedFd<'p>),
    /// A process of it, and with it of the user namespace, if that is another.
    Process(BorrowedFd<'p>, Namespaces),
}

/// Puts a plan into order.
///
/// # Errors
/// When the plan contradicts itself: a sysctl of a namespace that is not the container's own, a descriptor number given twice.
pub fn compile(plan: &Plan) -> Result<Program<'_>, Error> {
    let mut builder = Builder::new(&plan.process, &plan.passed, &plan.cgroup)?;
    builder.program.parent = plan.parent;
    builder.ids = plan.users.map();
    let terminal = builder.stdio_slots(plan);
    builder.namespaces(plan);
    builder.mounts(plan, terminal.as_ref())?;
    builder.sysctls(plan)?;
    builder.protect(plan);
    builder.workdir(&plan.process, plan);
    builder.op(Op::Pivot(builder.root()));
    builder.op(Op::Barrier);
    builder.hide(plan);
    builder.handover(&handover::Handover {
        umask: plan.umask,
        stdio: &plan.stdio,
        process: &plan.process,
        rlimits: &plan.rlimits,
    });
    builder.identity(&plan.process, &plan.capabilities, plan.privileges, &plan.seccomp);
    builder.execute(&plan.entry);
    Ok(builder.program)
}

/// One line for each step (`lodger run --show-ops`).
impl fmt::Display for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "prepare: {step}")?;
        }
        for (kinds, _) in &self.joined {
            let names: Vec<&str> = kinds.names().collect();
            writeln!(f, "prepare: join {}", names.join(" "))?;
        }
        if let Birth::Join(_) = self.users {
            writeln!(f, "clone: by a child in the user namespace")?;
        }
        write!(f, "clone:")?;
        for name in self.new.names() {
            write!(f, " {name}")?;
        }
        let parent = if self.parent == Parent::Sibling { " sibling" } else { "" };
        writeln!(f, "{parent}{}", if self.cgroup.is_some() { " into cgroup" } else { "" })?;
        for op in &self.ops {
            writeln!(f, "{op}")?;
        }
        for candidate in &self.candidates {
            writeln!(f, "  {candidate:?}")?;
        }
        Ok(())
    }
}

/// A program in the making.
struct Builder<'p> {
    program: Program<'p>,
    /// The root file system, once it is asked for.
    root: Slot,
    /// The container's own procfs, once it is made.
    proc: Option<Slot>,
    /// Slots of 0, 1, 2; filled by [`Builder::stdio_slots`].
    stdio: [Slot; 3],
    /// Slots of the further descriptors.
    passed: Vec<(Slot, u32)>,
    /// The container's ids, where they are not the launcher's.
    ids: Option<&'p Map>,
}

impl<'p> Builder<'p> {
    fn new(process: &'p Process, passed: &'p [Passed], cgroup: &'p Cgroup) -> Result<Self, Error> {
        if process.argv.is_empty() {
            return Err(Error::new("compile", "", Kind::Invalid("there is no command")));
        }
        let mut numbers: Vec<u32> = passed.iter().map(|passed| passed.number).collect();
        numbers.sort_unstable();
        if numbers.windows(2).any(|pair| pair[0] == pair[1]) || numbers.first().is_some_and(|number| *number < 3) {
            return Err(Error::new("compile", "", Kind::Invalid("a descriptor number is given twice, or below 3")));
        }
        let words = process.argv.iter().map(|word| Word::new(word));
        let mut builder = Self {
            program: Program {
                steps: Vec::new(),
                ops: Vec::new(),
                slots: 0,
                new: Namespaces::NONE,
                users: Birth::Launcher,
                joined: Vec::new(),
                pid_namespace: None,
                parent: Parent::Launcher,
                cgroup: match cgroup {
                    Cgroup::Inherit => None,
                    Cgroup::Into(group) => Some(group.as_fd()),
                },
                argv: [Word::END; init::run::ROOM].into_iter().chain(words).chain([Word::END]).collect(),
                envp: process.envp.iter().map(|word| Word::new(word)).chain([Word::END]).collect(),
                candidates: process.candidates.iter().map(AsRef::as_ref).collect(),
                passed: numbers,
                master: None,
                helper: None,
            },
            root: Slot(0),
            proc: None,
            stdio: [Slot(0); 3],
            passed: Vec::new(),
            ids: None,
        };
        for passed in passed {
            let into = builder.slot();
            builder.step(Step::Duplicate { fd: passed.fd.as_fd(), name: c"passed", into });
            builder.passed.push((into, passed.number));
        }
        Ok(builder)
    }

    /// What a user and a group of the container are to the launcher.
    fn owner(&self, uid: u32, gid: u32) -> (u32, u32) {
        self.ids.map_or((uid, gid), |ids| ids.outside(uid, gid))
    }

    fn slot(&mut self) -> Slot {
        self.program.slots += 1;
        Slot(self.program.slots - 1)
    }

    fn step(&mut self, step: Step<'p>) {
        self.program.steps.push(step);
    }

    fn op(&mut self, op: Op<'p>) {
        self.program.ops.push(op);
    }
}

#[cfg(test)]
mod tests;
