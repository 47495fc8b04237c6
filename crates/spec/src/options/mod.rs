//! The option table: one row for each flag of `run`/`create` and key of `[Container]`.
//!
//! A row says how an option is written (flag, key, value form, help), how it is set in a `ContainerSpec` and how it is
//! shown again. The command line, the Quadlet reader, help, man pages, completions and `ExecStart=` all derive from
//! it; `read(args(spec)) == spec` is a property test. What podman has and lodger lacks is a row in `unsupported`.
//!
//! ```text
//! identity … pull    the rows, one file for each group of the spec
//! unsupported        names of podman's that are refused, with the reason
//! command            flags and keys that say something of the command or the service, not of the container
//! parse, line        a command line to flags and positionals; to and from a spec
//! suggest, commas    "did you mean"; comma-separated items
//! ```
//!
//! The order of `table()` is the order of the files above and of the rows in them. It is part of the interface: it is
//! the order of `ExecStart=` lines, of help texts and of unit files that lodger writes. New rows go to the end of
//! their group.

mod command;
pub(crate) mod commas;
mod flag;
mod health;
mod identity;
mod lifecycle;
mod line;
mod logging;
mod mount;
mod namespaces;
mod network;
pub mod parse;
mod process;
mod pull;
mod resources;
mod row;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
mod security;
mod suggest;
#[cfg(test)]
mod tests;
mod unsupported;

pub use command::{COMMAND_FLAGS, UNIT_KEYS};
pub use flag::{Complete, Flag, Value};
pub use line::{Line, apply, args, flag_args, flags, read};
pub use row::{Form, Group, InUnit, Items, Key, Opt, Verb, Verbs};
pub use suggest::suggest;
pub use unsupported::{UNSUPPORTED, UNSUPPORTED_VALUES, Unsupported, UnsupportedValue};

/// The groups' rows, in the documented order.
const GROUPS: [&[Opt]; 11] = [
    identity::ROWS,
    process::ROWS,
    mount::ROWS,
    network::ROWS,
    namespaces::ROWS,
    security::ROWS,
    resources::ROWS,
    lifecycle::ROWS,
    logging::ROWS,
    health::ROWS,
    pull::ROWS,
];

/// Every working row, in the documented order.
pub fn table() -> impl Iterator<Item = &'static Opt> {
    GROUPS.into_iter().flatten()
}

/// The row of a flag, by its long name or an alias, without the dashes.
pub fn find_flag(name: &str) -> Option<&'static Opt> {
    table().find(|row| row.flag.as_ref().is_some_and(|flag| flag.has_name(name)))
}

/// The row of a key of `[Container]`, by its exact name.
pub fn find_key(name: &str) -> Option<&'static Opt> {
    table().find(|row| row.key().is_some_and(|key| key.name == name))
}
