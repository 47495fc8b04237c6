//! The tier of the virtual machine: what only a kernel of its own shows. It boots once for all cases.

use anyhow::Result;

use super::{Tally, cases, host};
use crate::case::Outcome;
use crate::host::Owner;
use crate::vm::{self, Vm};
use crate::{ability, owner};

impl cases::Machine for Vm {
    fn clean(&self) -> Result<()> {
        Vm::clean(self)
    }

    fn root(&self, script: &str) -> Result<Outcome> {
        Vm::root(self, script)
    }
}

/// Runs the cases whose `vm::name` contains the filter.
pub(super) fn run(filter: Option<&str>) -> Result<Tally> {
    let chosen = cases::chosen("vm", vm::cases::CASES, filter);
    cases::run("vm", chosen, prepare, |vm| Vm::down(vm.name()))
}

fn prepare() -> Result<Vm> {
    ability::boots_machines()?;
    vm::reap()?;
    host::build_lodger()?;
    Vm::up(&owner::unique_name("test")?, Owner::ThisProcess)
}
