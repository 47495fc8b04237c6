//! `cargo xtask`: the front door. Each task is a module; this file says which words lead to it.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run(std::env::args().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("Error: {error:#}");
            match xtask::ability::reason(&error) {
                Some(_) => ExitCode::from(xtask::ability::EXIT_UNABLE),
                None => ExitCode::FAILURE,
            }
        }
    }
}
