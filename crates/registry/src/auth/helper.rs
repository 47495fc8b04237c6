//! Docker's credential helpers: `docker-credential-NAME get`, the server's name on standard input, JSON on standard
//! output; `store` and `erase` with a login or a server's name on standard input (<https://github.com/docker/docker-credential-helpers>).
//!
//! The name is checked so that it cannot lead outside `$PATH`; time and output are bounded.

use super::{Credentials, Secret};
use crate::{Error, Kind, Operation};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The most output that is read, in bytes.
const OUTPUT_LIMIT: u64 = 64 << 10;
/// How often an ending program is looked at.
const POLL: Duration = Duration::from_millis(5);

/// What it means that the program is not installed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    IsAnError,
    IsNone,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Secret,
}

/// Asks a helper for a server's credentials; `None` if it has none.
pub(super) fn ask(name: &str, server: &str, absent: Absent, wait: Duration) -> Result<Option<Credentials>, Error> {
    let program = program(name)?;
    let error = |kind| Error::new(Operation::ReadCredentials, program.clone(), kind);
    let mut child = match start(&program, "get") {
        Ok(child) => child,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && absent == Absent::IsNone => return Ok(None),
        Err(cause) => return Err(error(Kind::Invalid("cannot start".to_owned())).because(cause)),
    };
    let (output, success) = converse(&mut child, server, wait).map_err(error)?;
    if !success {
        let words = crate::http::plain_words(&String::from_utf8_lossy(&output));
        let none = words.contains("credentials not found");
        return if none { Ok(None) } else { Err(error(Kind::Invalid(format!("failed: {words}")))) };
    }
    let answer: Answer = serde_json::from_slice(&output)
        .map_err(|_| error(Kind::Invalid("answered something that is not credentials".to_owned())))?;
    Ok(Some(match &answer.username[..] {
        "<token>" => Credentials::IdentityToken(answer.secret),
        user => Credentials::Password { user: user.to_owned(), password: answer.secret },
    }))
}

/// What a helper is to keep or forget.
#[derive(Clone, Copy)]
pub(super) enum Order<'a> {
    /// `store`
    Keep { server: &'a str, user: &'a str, password: &'a Secret },
    /// `erase`
    Forget { server: &'a str },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Login<'a> {
    #[serde(rename = "ServerURL")]
    server: &'a str,
    username: &'a str,
    secret: &'a str,
}

/// Gives a helper a login to keep, or a server to forget.
pub(super) fn tell(name: &str, order: Order<'_>, wait: Duration) -> Result<(), Error> {
    let program = program(name)?;
    let error = |kind| Error::new(Operation::WriteCredentials, program.clone(), kind);
    let (verb, input) = match order {
        Order::Keep { server, user, password } => {
            let login = Login { server, username: user, secret: password.expose() };
            ("store", serde_json::to_string(&login).unwrap_or_default())
        }
        Order::Forget { server } => ("erase", server.to_owned()),
    };
    let input = Zeroizing::new(input);
    let mut child =
        start(&program, verb).map_err(|cause| error(Kind::Invalid("cannot start".to_owned())).because(cause))?;
    let (output, success) = converse(&mut child, &input, wait).map_err(error)?;
    match success {
        true => Ok(()),
        false => {
            let words = crate::http::plain_words(&String::from_utf8_lossy(&output));
            Err(error(Kind::Invalid(format!("failed: {words}"))))
        }
    }
}

/// The whole name of a helper's program.
fn program(name: &str) -> Result<String, Error> {
    let program = format!("docker-credential-{name}");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match !name.is_empty() && name.bytes().all(plain) {
        true => Ok(program),
        false => {
            let kind = Kind::Invalid("not a credential helper's name".to_owned());
            Err(Error::new(Operation::ReadCredentials, program, kind))
        }
    }
}

fn start(program: &str, verb: &str) -> std::io::Result<Child> {
    Command::new(program).arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// Standard output and whether the program ended well; kills it when `wait` is over.
fn converse(child: &mut Child, input: &str, wait: Duration) -> Result<(Zeroizing<Vec<u8>>, bool), Kind> {
    let deadline = Instant::now() + wait;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input will say what it wants by its status.
        let _ = stdin.write_all(input.as_bytes());
    }
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut output = Zeroizing::new(Vec::new());
            let read = stdout.take(OUTPUT_LIMIT + 1).read_to_end(&mut output);
            let _ = sender.send(read.map(|_| output));
        });
    }
    let result = match receiver.recv_timeout(wait) {
        Ok(Ok(output)) if output.len() as u64 > OUTPUT_LIMIT => {
            Err(Kind::TooLarge { what: "the output", limit: OUTPUT_LIMIT })
        }
        Ok(Ok(output)) => ended(child, deadline).map(|success| (output, success)),
        Ok(Err(error)) => Err(Kind::Invalid(error.to_string())),
        Err(_) => Err(Kind::Timeout("credential helper".to_owned())),
    };
    if result.is_err() {
        // Already gone is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
    result
}

/// Whether the program, whose output has ended, ends well in time.
fn ended(child: &mut Child, deadline: Instant) -> Result<bool, Kind> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(POLL),
            Ok(None) => return Err(Kind::Timeout("credential helper".to_owned())),
            Err(error) => return Err(Kind::Invalid(error.to_string())),
        }
    }
}
