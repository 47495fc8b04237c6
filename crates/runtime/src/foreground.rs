//! The caller of `run` and `exec` while the process lives: terminal, signals, exit status.
//!
//! One loop over poll(2): the process's descriptor, the signals, the user's terminal and the container's. The user's terminal is put
//! back whatever happens.

use crate::error::Error;
use crate::spawn::{Exit, Running};
use std::os::fd::OwnedFd;

/// What the caller lends to the process.
#[derive(Debug)]
pub struct Foreground {
    /// Where input comes from, if it is forwarded to the container's terminal.
    pub input: Input,
    /// Where the container's terminal is shown.
    pub output: OwnedFd,
    /// Keys that end the attachment and leave the process alone.
    pub detach: DetachKeys,
    /// Whether the caller's signals are passed on.
    pub signals: Signals,
}

/// Standard input of the caller.
#[derive(Debug)]
pub enum Input {
    /// Not forwarded.
    Closed,
    /// Forwarded; a terminal is put into raw mode.
    From(OwnedFd),
}

/// `--sig-proxy`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signals {
    /// Passed on, all but `SIGCHLD`, `SIGURG`, `SIGPIPE` and those that stop or cannot be caught.
    Relay,
    /// Left to the caller.
    Own,
}

/// A key sequence; empty = none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys(Vec<u8>);

impl DetachKeys {
    /// Comma separated: single characters or `ctrl-X` with X a letter or one of `@ [ \ ] ^ _`. Empty text turns detaching off.
    ///
    /// # Errors
    /// When a word is neither.
    pub fn parse(_text: &str) -> Result<Self, Error> {
        todo!("not yet")
    }
}

/// How the caller's part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The process ended.
    Exited(Exit),
    /// The user typed the detach keys; the process lives on.
    Detached,
}

/// Stays until the process ends or the user detaches. The process is the caller's child.
///
/// # Errors
/// When the terminal or the process cannot be watched.
pub fn attend(_running: Running, _foreground: Foreground) -> Result<Outcome, Error> {
    todo!("not yet")
}
