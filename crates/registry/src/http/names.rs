//! Addresses of host names, as the machine's own name service knows them.
//!
//! A static program cannot load what `/etc/nsswitch.conf` may name (mDNS, systemd-resolved, LDAP), so getent(1) is asked, which
//! every C library's package has. Where it is missing, what the C library can do by itself must be enough.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Longer answers are cut: 16 addresses are more than anybody tries.
const ANSWER: u64 = 64 * 1024;

/// The addresses of a name or of an address in words, in the order in which they are to be tried; there is one at least. `None` waits
/// as long as the name service does.
pub(super) fn look_up(host: &str, port: u16, patience: Option<Duration>) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let Some(patience) = patience else { return ask(host, port) };
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = host.to_owned();
    thread::Builder::new().name("names".to_owned()).spawn(move || sender.send(ask(&name, port)))?;
    receiver.recv_timeout(patience).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Err(io::Error::new(io::ErrorKind::TimedOut, "the name service does not answer")),
        RecvTimeoutError::Disconnected => Err(io::Error::other("the name service was not asked")),
    })
}

fn ask(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut getent = Command::new("getent");
    getent.args(["ahosts", "--", host]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match getent.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((host, port).to_socket_addrs()?.collect()),
        Err(error) => return Err(error),
    };
    let mut answer = String::new();
    let read = match child.stdout.take() {
        Some(output) => output.take(ANSWER).read_to_string(&mut answer),
        None => Ok(0),
    };
    child.wait()?;
    read?;
    match addresses(&answer, port) {
        known if known.is_empty() => Err(io::Error::new(io::ErrorKind::NotFound, "no address is known for this name")),
        known => Ok(known),
    }
}

/// Of `ADDRESS STREAM NAME` and the like, one line for each address and kind of socket.
fn addresses(answer: &str, port: u16) -> Vec<SocketAddr> {
    let mut known: Vec<SocketAddr> = Vec::new();
    let ip = |line: &str| line.split_ascii_whitespace().next()?.parse::<IpAddr>().ok();
    for address in answer.lines().filter_map(ip).map(|ip| SocketAddr::new(ip, port)) {
        if !known.contains(&address) {
            known.push(address);
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_counts_once_and_other_words_not_at_all() {
        let answer = "10.0.0.1       STREAM web\n10.0.0.1       DGRAM\n::1  STREAM\nnonsense\n";
        let known: Vec<String> = addresses(answer, 443).iter().map(ToString::to_string).collect();
        assert_eq!(known, ["10.0.0.1:443", "[::1]:443"]);
    }

    #[test]
    fn names_are_looked_up_within_the_patience() {
        let patience = Some(Duration::from_secs(60));
        assert!(look_up("localhost", 80, patience).unwrap().iter().all(|address| address.ip().is_loopback()));
        assert_eq!(look_up("::1", 80, patience).unwrap(), ["[::1]:80".parse().unwrap()]);
        assert_eq!(look_up("nothing.invalid", 80, patience).unwrap_err().kind(), io::ErrorKind::NotFound);
        // A name is never an option of the command.
        assert!(look_up("--help", 80, patience).is_err());
    }
}
