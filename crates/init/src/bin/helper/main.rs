//! The processes that stay beside containers, as one program of a few pages: no C library, no allocation, no threads.
//!
//! ```text
//! keeper      holds a user namespace, empties the trash
//! init        process 1 of a container that asked for one
//! execute     steps between the launcher and a payload that could write the launcher's file
//! relay       carries a container's output to the journal or a file
//! supervise   restarts a detached container where there is no systemd
//! ```
//!
//! The first word of the command line chooses, with or without `lodger-` before it. Crate `runtime` builds this program
//! with the cfg `freestanding`, carries it inside the `lodger` binary and runs it from memory (`runtime::helper`); in
//! any other build it is an empty stand-in, so that tools that build every target find one.
//!
//! What must stay true: each of these lives as long as its container, so every page that it touches is paid for as
//! often as there are containers. And none of them may ever be what stops a container: trouble is counted or passed on,
//! not waited for.
#![cfg_attr(freestanding, no_std, no_main)]

#[cfg(freestanding)]
mod init;
#[cfg(freestanding)]
mod keeper;
#[cfg(freestanding)]
mod relay;
#[cfg(freestanding)]
mod supervise;
#[cfg(freestanding)]
mod text;

#[cfg(freestanding)]
kernel::entry!(run);

/// Exit status for misuse and for what the helper itself could not do; the payload's own failures are 126 and 127.
#[cfg(freestanding)]
const FAILED: i32 = 125;

#[cfg(freestanding)]
fn run(arguments: kernel::start::Arguments) -> i32 {
    let name = arguments.get(0).map_or(&b""[..], |name| name.to_bytes());
    match name.strip_prefix(b"lodger-").unwrap_or(name) {
        b"keeper" => keeper::run(&arguments),
        b"init" => init::run(&arguments),
        b"execute" => init::execute(&arguments),
        b"relay" => relay::run(&arguments),
        b"supervise" => supervise::run(arguments),
        _ => complain(&[b"no such helper"]),
    }
}

/// Writes a message to standard error and returns [`FAILED`].
#[cfg(freestanding)]
fn complain(message: &[&[u8]]) -> i32 {
    let mut line = text::Line::new();
    line.push(b"lodger helper: ");
    for part in message {
        line.push(part);
    }
    line.push(b"\n");
    if let Some(standard_error) = kernel::start::inherited(2) {
        let _ = rustix::io::write(&standard_error, line.bytes());
        core::mem::forget(standard_error);
    }
    FAILED
}

#[cfg(not(freestanding))]
fn main() {}
