//! `/etc/resolv.conf` of a container; pure. Format: resolv.conf(5).
//!
//! What must stay true: a container never gets a nameserver that it cannot reach, so the host's own loopback addresses
//! count only where the container shares the host's network.

use std::net::IpAddr;

/// Lines and names that are read from a host's file; what is beyond is left out.
const MOST_ENTRIES: usize = 64;

/// How the container is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uplink {
    /// By the host's own network.
    Host,
    /// By pasta, which answers at these addresses ([`crate::pasta::Plan::dns`]).
    Pasta(Vec<IpAddr>),
    /// Not at all.
    None,
}

/// The host's configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostFiles<'a> {
    /// `/etc/resolv.conf`; empty if there is none.
    pub etc: &'a str,
    /// `/run/systemd/resolve/resolv.conf`, which has what systemd-resolved itself asks; empty if there is none.
    pub resolved: &'a str,
}

/// What the user asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// `--dns`; none = as the host.
    pub servers: &'a [IpAddr],
    /// `--dns-search`; none = as the host, `.` alone = none.
    pub search: &'a [String],
    /// `--dns-option`; none = as the host.
    pub options: &'a [String],
}

/// The parts of a file that matter.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parsed<'a> {
    /// As written: a link-local address has its interface's name with it.
    servers: Vec<&'a str>,
    search: Vec<&'a str>,
    options: Vec<&'a str>,
}

impl<'a> Parsed<'a> {
    fn read(text: &'a str) -> Self {
        let mut parsed = Self::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") if parsed.servers.len() < MOST_ENTRIES => parsed.servers.extend(words.next()),
                // The last one counts.
                Some("search" | "domain") => parsed.search = words.take(MOST_ENTRIES).collect(),
                Some("options") => {
                    let room = MOST_ENTRIES.saturating_sub(parsed.options.len());
                    parsed.options.extend(words.take(room));
                }
                _ => {}
            }
        }
        parsed
    }

    /// Whether systemd-resolved's stub is all there is.
    fn is_stub(&self) -> bool {
        !self.servers.is_empty() && self.servers.iter().all(|server| ["127.0.0.53", "127.0.0.54"].contains(server))
    }
}

/// The file's text.
pub fn render(host: HostFiles<'_>, uplink: &Uplink, asked: Asked<'_>) -> String {
    let mut parsed = Parsed::read(host.etc);
    if *uplink != Uplink::Host && parsed.is_stub() {
        let behind = Parsed::read(host.resolved);
        parsed.servers = behind.servers;
        if parsed.search.is_empty() {
            parsed.search = behind.search;
        }
    }
    let servers = servers(&parsed, uplink, asked.servers);
    let search: Vec<&str> = match asked.search {
        [] => parsed.search,
        [only] if only == "." => Vec::new(),
        given => given.iter().map(String::as_str).collect(),
    };
    let options: Vec<&str> = match asked.options {
        [] => parsed.options,
        given => given.iter().map(String::as_str).collect(),
    };
    let mut text = String::new();
    if !search.is_empty() {
        text += &format!("search {}\n", search.join(" "));
    }
    for server in servers {
        text += &format!("nameserver {server}\n");
    }
    if !options.is_empty() {
        text += &format!("options {}\n", options.join(" "));
    }
    text
}

fn servers(parsed: &Parsed<'_>, uplink: &Uplink, asked: &[IpAddr]) -> Vec<String> {
    if !asked.is_empty() {
        return asked.iter().map(IpAddr::to_string).collect();
    }
    let reachable = parsed.servers.iter().filter(|server| is_reachable(server)).map(|server| (*server).to_owned());
    match uplink {
        Uplink::Host => parsed.servers.iter().map(|server| (*server).to_owned()).collect(),
        // pasta asks the host's first resolver only, so the others stay for when that one fails.
        Uplink::Pasta(forward) => forward.iter().map(IpAddr::to_string).chain(reachable).collect(),
        Uplink::None => Vec::new(),
    }
}

/// Whether another network namespace has a way to this server: not the host's own loopback, nor an address that is
/// good on one of the host's interfaces only.
fn is_reachable(server: &str) -> bool {
    server.parse::<IpAddr>().is_ok_and(|address| !address.is_loopback() && !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pasta() -> Uplink {
        Uplink::Pasta(vec!["169.254.1.1".parse().unwrap()])
    }

    const PLAIN: &str = "# by hand\nsearch example.org lan ; here\nnameserver 192.0.2.1\nnameserver 127.0.0.1\n\
        nameserver fe80::1%eth0\noptions edns0\noptions trust-ad ndots:2\nsortlist 130.155.160.0\n";
    const STUB: &str = "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n";
    const RESOLVED: &str = "nameserver 192.0.2.7\nnameserver 2001:db8::7\nsearch lan\n";

    fn rendered(etc: &str, uplink: &Uplink) -> String {
        render(HostFiles { etc, resolved: RESOLVED }, uplink, Asked::default())
    }

    #[test]
    fn pasta_answers_first_and_loopback_is_left_out() {
        assert_eq!(
            rendered(PLAIN, &pasta()),
            "search example.org lan\nnameserver 169.254.1.1\nnameserver 192.0.2.1\noptions edns0 trust-ad ndots:2\n"
        );
    }

    #[test]
    fn behind_the_stub_are_the_real_servers() {
        assert_eq!(
            rendered(STUB, &pasta()),
            "search .\nnameserver 169.254.1.1\nnameserver 192.0.2.7\nnameserver 2001:db8::7\noptions edns0 trust-ad\n"
        );
    }

    #[test]
    fn the_hosts_network_keeps_the_hosts_servers() {
        assert_eq!(rendered(STUB, &Uplink::Host), "search .\nnameserver 127.0.0.53\noptions edns0 trust-ad\n");
        assert!(rendered(PLAIN, &Uplink::Host).contains("nameserver 127.0.0.1\nnameserver fe80::1%eth0\n"));
    }

    #[test]
    fn without_a_network_there_is_no_server() {
        assert_eq!(rendered(RESOLVED, &Uplink::None), "search lan\n");
    }

    #[test]
    fn what_is_asked_replaces_what_the_host_has() {
        let servers = ["9.9.9.9".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        let (search, options) = (["corp".to_owned()], ["ndots:5".to_owned()]);
        let asked = Asked { servers: &servers, search: &search, options: &options };
        let text = render(HostFiles { etc: PLAIN, resolved: "" }, &pasta(), asked);
        assert_eq!(text, "search corp\nnameserver 9.9.9.9\nnameserver 127.0.0.1\noptions ndots:5\n");
        let none = [".".to_owned()];
        let text =
            render(HostFiles { etc: PLAIN, resolved: "" }, &pasta(), Asked { search: &none, ..Asked::default() });
        assert!(text.starts_with("nameserver 169.254.1.1\n"), "{text}");
    }

    #[test]
    fn an_empty_host_is_no_trouble() {
        assert_eq!(render(HostFiles::default(), &pasta(), Asked::default()), "nameserver 169.254.1.1\n");
    }

    proptest! {
        #[test]
        fn whatever_the_host_says_every_server_can_be_reached(etc in "(nameserver |options |search |[0-9.:#a-z %\n]){0,40}") {
            let text = rendered(&etc, &pasta());
            for line in text.lines() {
                let (key, value) = line.split_once(' ').unwrap();
                prop_assert!(["search", "nameserver", "options"].contains(&key));
                if key == "nameserver" {
                    prop_assert!(!value.parse::<IpAddr>().unwrap().is_loopback());
                }
            }
        }
    }
}
