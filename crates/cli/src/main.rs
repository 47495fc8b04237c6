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

mod command;
mod commands;
mod completion;
mod confirm;
mod dispatch;
mod error;
mod filter;
mod format;
mod global;
mod help;
mod man;
mod moment;
mod output;
mod password;
mod processes;
mod progress;
mod remote;
mod selection;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    dispatch::main(std::env::args_os().skip(1))
}
