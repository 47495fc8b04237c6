//! The `lodger` command: words in, a verb of the engine, words out.
//!
//! ```text
//! dispatch      the words before the command, which command, its flags and operands
//! commands      one file for each command: rows of flags → a typed struct → a verb → output
//! error         wording, hints and exit codes, all of them
//! format, view  Go templates, tables, JSON; the rows and documents they show
//! selection, filter, moment   which objects, and when
//! help, man, completion   all derived from the rows
//! progress      what a pull looks like
//! ```
#![cfg_attr(all(target_env = "gnu", not(test)), no_main)]

mod command;
mod commands;
mod completion;
mod confirm;
mod dispatch;
mod error;
mod escape;
mod exit;
mod filter;
mod format;
#[cfg(test)]
mod fuzz;
mod global;
mod help;
mod man;
mod moment;
mod output;
mod password;
mod processes;
mod progress;
mod remote;
mod row;
mod selection;
mod view;

use std::io::Write as _;

#[cfg(all(target_env = "gnu", not(test)))]
kernel::main!(run);

#[cfg(not(all(target_env = "gnu", not(test))))]
fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(run())
}

/// The program. Returns its exit status, once what it printed is on its way.
fn run() -> u8 {
    let code = dispatch::main(std::env::args_os().skip(1));
    // Whoever had something to print was told already if it could not be.
    let _ = std::io::stdout().flush();
    code.into()
}
