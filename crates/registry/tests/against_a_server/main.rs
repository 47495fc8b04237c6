//! The client against real sockets: a server in this process that does right, or wrong in one chosen way.
//!
//! Nothing leaves the machine and nothing waits: pauses between attempts are written down instead of slept.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod blob;
mod content;
mod login;
mod push;
mod redirect;
mod resolve;
mod server;
mod tls;

use registry::{Clock, Config, Location, TlsVerify};
use server::Server;
use spec::{Platform, Reference};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// A clock that tests turn; sleeping turns it too.
#[derive(Debug)]
pub struct TestClock {
    start: Instant,
    passed: Mutex<Duration>,
    slept: Mutex<Vec<Duration>>,
}

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), passed: Mutex::default(), slept: Mutex::default() })
    }

    pub fn turn(&self, time: Duration) {
        *self.passed.lock().unwrap() += time;
    }

    pub fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.start + *self.passed.lock().unwrap()
    }
    fn wall(&self) -> SystemTime {
        // Sun, 06 Nov 1994 08:49:37 GMT
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }
    fn sleep(&self, time: Duration) {
        self.slept.lock().unwrap().push(time);
        self.turn(time);
    }
}

/// A configuration for plain http servers, and its clock.
pub fn plain() -> (Config, Arc<TestClock>) {
    let clock = TestClock::new();
    (Config { tls_verify: TlsVerify::Never, clock: clock.clone(), ..Config::default() }, clock)
}

pub fn name(server: &Server, rest: &str) -> Reference {
    Reference::parse(&format!("{}/team/web{rest}", server.host())).unwrap()
}

pub fn amd64() -> Platform {
    Platform::parse("linux/amd64").unwrap()
}

/// The place `team/web` at a server.
pub fn place(client: &registry::Client, server: &Server) -> Location {
    client.locations(&name(server, "")).unwrap().remove(0)
}
