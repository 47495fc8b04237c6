//! What runs between clone and execve, and the tiny helper processes.
//!
//! ```text
//! op       the steps, each a value that prints as one line
//! run      the loop that takes them, in the child
//! inside   paths of the image, resolved without ever leaving it
//! report   what the child tells its parent
//! ```
//!
//! What must stay true: nothing here allocates, takes a lock, panics or trusts anything the image holds.
#![no_std]

pub mod inside;
pub mod op;
pub mod report;
pub mod run;
