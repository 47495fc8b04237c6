//! A real pasta between the host's network and a namespace in which something listens.
//!
//! ```text
//! the test ── unshare --user --map-root-user ──► the same program, as root of a user namespace: pasta's caller
//!                 └── unshare --net ──► the same program: listens inside
//! ```

#![allow(clippy::unwrap_used, reason = "a test may end at the first surprise")]

use network::pasta::{self, Abilities, Plan};
use network::ports::{self, Mapping};
use network::{Kind, addresses};
use rustix::process::{PidfdFlags, pidfd_open};
use spec::network::{PortRange, Protocol};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = "/usr/bin/pasta";
/// What tells this program which of its roles to play.
const ROLE: &str = "NETWORK_TEST_ROLE";
const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

/// This program again, in namespaces, to run one of the tests marked as roles below.
fn again(role: &str, namespaces: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(namespaces).arg("--").arg(std::env::current_exe().unwrap());
    command.args(["--exact", role, "--nocapture", "--ignored"]).env(ROLE, role).stdin(Stdio::null());
    command
}

#[test]
fn published_ports_reach_the_container_and_come_back() {
    if !Path::new(PROGRAM).exists() {
        println!("skipped: no {PROGRAM} here");
        return;
    }
    let namespaces = ["--user", "--map-root-user", "--mount"];
    if !Command::new("unshare").args(namespaces).arg("true").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: no user namespaces here");
        return;
    }
    if addresses::host_addresses().v4.is_none() {
        println!("skipped: the host has no default route");
        return;
    }
    let output = again("inside_the_user_namespace", &namespaces).output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    assert!(words.contains("1 passed"), "{words}");
}

/// Above what [`mapping`] finds for the host: older versions of pasta lose the answers of lower ones.
const UDP_PORT: u16 = 65_000;

/// The container: a process in a network namespace of its own that answers on tcp port 80 and [`UDP_PORT`].
struct Container(Child);

impl Container {
    fn start() -> Self {
        let mut child = again("listening", &["--net"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().ends_with("listening...")), "the listener has not begun");
        Self(child)
    }

    fn namespace(&self) -> OwnedFd {
        File::open(format!("/proc/{}/ns/net", self.0.id())).unwrap().into()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "a role of another test"]
fn listening() {
    if std::env::var(ROLE).is_err() {
        return;
    }
    let any = |port| SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
    let (tcp, udp) = (TcpListener::bind(any(80)).unwrap(), UdpSocket::bind(any(UDP_PORT)).unwrap());
    println!("listening...");
    std::thread::spawn(move || {
        let mut datagram = [0; 64];
        while let Ok((length, from)) = udp.recv_from(&mut datagram) {
            udp.send_to(&datagram[..length], from).unwrap();
        }
    });
    while let Ok((mut connection, _)) = tcp.accept() {
        let _ = connection.write_all(b"hello from inside");
    }
}

fn fetch(address: IpAddr, port: u16) -> String {
    let mut text = String::new();
    let mut connection = TcpStream::connect(SocketAddr::new(address, port)).unwrap();
    connection.set_read_timeout(PATIENCE).unwrap();
    connection.read_to_string(&mut text).unwrap();
    text
}

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn mapping(address: Option<IpAddr>, protocol: Protocol) -> Mapping {
    let port = ports::Host::free(&mut ports::Machine, address, protocol).unwrap();
    let single = |port| PortRange { first: port, last: port };
    let container = if protocol == Protocol::Udp { UDP_PORT } else { 80 };
    Mapping { address, host: single(port), container: single(container), protocol }
}

fn plan(directory: &Path, mappings: &[Mapping]) -> Plan {
    let abilities = Abilities::of(Path::new(PROGRAM), &directory.join("abilities"));
    Plan { mappings: mappings.to_vec(), options: Vec::new(), link: directory.join("netns"), abilities }
}

#[test]
#[ignore = "a role of another test"]
fn inside_the_user_namespace() {
    if std::env::var(ROLE).is_err() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let container = Container::start();
    let everywhere = mapping(None, Protocol::Tcp);
    let here = mapping(Some(V4), Protocol::Tcp);
    let here6 = mapping(Some(V6), Protocol::Tcp);
    let datagrams = mapping(Some(V4), Protocol::Udp);
    let all = [everywhere.clone(), here.clone(), here6.clone(), datagrams.clone()];
    let plan = plan(directory.path(), &all);

    let starting = pasta::start(Path::new(PROGRAM), plan.clone(), container.namespace()).unwrap();
    let pid = starting.finish().unwrap().expect("pasta's process number is known");
    let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();

    for (address, mapping) in [(V4, &everywhere), (V6, &everywhere), (V4, &here), (V6, &here6)] {
        assert_eq!(fetch(address, mapping.host.first), "hello from inside", "{address} {mapping}");
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(PATIENCE).unwrap();
    socket.send_to(b"ping", (V4, datagrams.host.first)).unwrap();
    let mut answer = [0; 8];
    assert_eq!(socket.recv(&mut answer).unwrap(), 4);

    // Somebody else now wants the port.
    let error = pasta::start(
        Path::new(PROGRAM),
        self::plan(directory.path(), std::slice::from_ref(&here)),
        container.namespace(),
    );
    let port = here.host.first;
    assert_eq!(error.unwrap_err().kind, Kind::PortInUse { address: Some(V4), port, protocol: Protocol::Tcp });

    // The end of pasta frees the port for the next start.
    pasta::stop(&plan.link, Some(process.as_fd()), pasta::Until::Gone).unwrap();
    ports::check(&all).unwrap();
    assert!(std::fs::symlink_metadata(&plan.link).is_err());
    let again = pasta::start(Path::new(PROGRAM), plan.clone(), Container::start().namespace()).unwrap();
    let process = pidfd_open(again.finish().unwrap().unwrap(), PidfdFlags::empty()).unwrap();
    pasta::stop(&plan.link, Some(process.as_fd()), pasta::Until::Gone).unwrap();

    ports_for_root_alone();
    options_are_passed_on(directory.path(), &container);
}

/// Root of a user namespace is not root of the host's network.
fn ports_for_root_alone() {
    let start = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    let first: u16 = start.trim().parse().unwrap();
    if first == 0 {
        return;
    }
    let single = PortRange { first: 1, last: 1 };
    let low = Mapping { address: None, host: single, container: single, protocol: Protocol::Tcp };
    let error = ports::check(&[low]).unwrap_err();
    assert_eq!(error.kind, Kind::PrivilegedPort { port: 1, protocol: Protocol::Tcp, first });
}

fn options_are_passed_on(directory: &Path, container: &Container) {
    let mut plan = plan(directory, &[]);
    plan.options = vec!["--no-such-option".to_owned()];
    let error = pasta::start(Path::new(PROGRAM), plan, container.namespace()).unwrap().finish().unwrap_err();
    assert_eq!(error.kind, Kind::UnknownOption("--no-such-option".to_owned()));
}
