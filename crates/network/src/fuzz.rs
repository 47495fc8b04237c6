//! Files of the host and words of pasta that nobody wrote. See `xtask::fuzz`.

use crate::hosts::{self, Hosts};
use crate::pasta;
use crate::resolv::{self, Asked, HostFiles, Uplink};
use std::net::{IpAddr, Ipv4Addr};
use xtask::fuzz::Target;

#[test]
fn host_files() {
    let seeds: [&[u8]; 3] = [
        b"nameserver 127.0.0.53\nsearch a.test b.test\noptions edns0 trust-ad\n",
        b"# comment\nnameserver fe80::1%eth0 ; x\nnameserver 192.0.2.1\ndomain x\n",
        b"127.0.0.1\tlocalhost\n::1 localhost ip6-localhost # x\n10.0.0.1 A a host.containers.internal\n",
    ];
    let words = [
        "nameserver ",
        "search ",
        "options ",
        "127.0.0.53",
        "fe80::1%lo",
        "#",
        ";",
        "\n",
        "\t",
        "::",
        "%",
        "localhost",
    ];
    Target { name: "host_files", seeds: &seeds, words: &words }.run(|input| {
        let text = String::from_utf8_lossy(input);
        let asked = Asked { servers: &[], search: &[], options: &[] };
        let uplink = Uplink::Pasta(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        let resolv = resolv::render(HostFiles { etc: &text, resolved: &text }, &uplink, asked);
        assert!(
            resolv.lines().all(|line| ["search ", "nameserver ", "options "].iter().any(|word| line.starts_with(word)))
        );
        let own = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let hosts = hosts::render(Hosts { added: &[], base: &text, own: &own, names: &["web"], gateway: None });
        let hosts = hosts.map(|text| text.lines().count().min(9)).map_err(|error| error.to_string());
        format!("{} {hosts:?}", resolv.lines().count().min(9))
    });
}

#[test]
fn pasta_words() {
    let seeds: [&[u8]; 3] = [
        b"Failed to bind port 80 (Permission denied) for option '-t 80:80', exiting\n",
        b"Couldn't get any nameserver address\nNo external interface not usable\nExternal interface not usable\n",
        b"pasta: unrecognized option '--map-guest-addr'\nUsage: pasta [OPTION]...\n",
    ];
    let words =
        ["Failed to bind", "unrecognized option ", "Failed to open() /dev/net/tun", "tun socket", "'", "\"", "\n"];
    Target { name: "pasta_words", seeds: &seeds, words: &words }.run(|input| {
        let kind = pasta::explain(&String::from_utf8_lossy(input), &[]).kind;
        format!("{kind:?}").chars().take(24).collect()
    });
}
