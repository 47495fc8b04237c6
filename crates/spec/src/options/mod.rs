//! The option table: one row for each flag of `run`/`create` and key of `[Container]`.
//!
//! A row says how an option is written (flag, key, value form, help), how it is set in a `ContainerSpec` and how it is
//! shown again. The command line, the Quadlet reader, help, man pages, completions and `ExecStart=` all derive from
//! it; `parse(show(spec)) == spec` is a property test. What podman has and lodger lacks is a row in `unsupported`.

mod flag;
pub mod parse;
mod suggest;

pub use flag::{Complete, Flag, Value};
pub use suggest::suggest;
