//! A password typed at the terminal, not shown.

use crate::error::{CliError, Result};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};

/// Asks at the controlling terminal; without one, reads the first line of standard input.
pub(crate) fn ask(prompt: &str) -> Result<String> {
    let fail = |source: std::io::Error| CliError::Io { operation: "read the password".to_owned(), source };
    let mut line = String::new();
    match File::options().read(true).write(true).open("/dev/tty") {
        Ok(terminal) => {
            let _silent = Silent::begin(&terminal).map_err(fail)?;
            (&terminal).write_all(prompt.as_bytes()).map_err(fail)?;
            BufReader::new(&terminal).read_line(&mut line).map_err(fail)?;
            (&terminal).write_all(b"\n").map_err(fail)?;
        }
        Err(_) => {
            std::io::stdin().lock().read_line(&mut line).map_err(fail)?;
        }
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The same for what may be seen.
pub(crate) fn ask_openly(prompt: &str) -> Result<String> {
    let fail = |source: std::io::Error| CliError::Io { operation: "read an answer".to_owned(), source };
    let mut line = String::new();
    match File::options().read(true).write(true).open("/dev/tty") {
        Ok(terminal) => {
            (&terminal).write_all(prompt.as_bytes()).map_err(fail)?;
            BufReader::new(&terminal).read_line(&mut line).map_err(fail)?;
        }
        Err(_) => {
            std::io::stdin().lock().read_line(&mut line).map_err(fail)?;
        }
    }
    Ok(line.trim().to_owned())
}

/// A terminal without echo, until dropped.
struct Silent<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silent<'a> {
    fn begin(terminal: &'a File) -> std::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
