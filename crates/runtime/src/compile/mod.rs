//! From a `Plan` to a `Program`: the ordered list of steps, in the launcher and in its child.
//!
//! Pure: no system call is made, so a program can be printed, compared and tested without privilege.

use crate::error::Error;
use crate::plan::Plan;
use std::fmt;

/// What will be done, in order; borrows the plan.
#[derive(Debug)]
pub struct Program<'p> {
    pub(crate) plan: &'p Plan,
}

/// Puts a plan into order.
///
/// # Errors
/// When the plan contradicts itself: a sysctl of a namespace that is not the container's own, a descriptor number given twice.
pub fn compile(_plan: &Plan) -> Result<Program<'_>, Error> {
    todo!("not yet")
}

/// One line for each step (`lodger run --show-ops`).
impl fmt::Display for Program<'_> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!("not yet")
    }
}
