//! Rows of the group `network`: mode, ports, names.

use super::row::{set_or_clear, set_switch, show_all, show_choice, show_switch};
use super::{Complete, Flag, Form, Group, Opt};
use crate::network::{AddHost, Dns, Expose, Mode, Publish, host_name};
use crate::{ContainerSpec, ParseError, word};

pub(super) const ROWS: &[Opt] = &[
    row(
        Flag {
            aliases: &["net"],
            complete: Complete::Networks,
            ..Flag::with_value("network", "MODE", "pasta, none, host, container:NAME or ns:PATH (default pasta)")
        },
        set_network,
        |spec| spec.network.mode.iter().flat_map(Mode::words).collect(),
    )
    .in_unit("Network", Form::Lines),
    row(
        Flag::with_value("publish", "[[IP:]HOST:]PORT[/PROTOCOL]", "Make a port or range reachable on the host")
            .short('p'),
        |spec, text| {
            spec.network.publish.push(Publish::parse(text)?);
            Ok(())
        },
        |spec| show_all(&spec.network.publish),
    )
    .in_unit("PublishPort", Form::Lines)
    .commas(),
    row(
        Flag::switch("publish-all", "Publish every exposed port on a free port of the host").short('P'),
        |spec, text| set_switch(&mut spec.network.publish_all, text),
        |spec| show_switch(spec.network.publish_all),
    ),
    row(
        Flag::with_value("expose", "PORT[-PORT][/PROTOCOL]", "Note a port or range for --publish-all"),
        |spec, text| {
            spec.network.expose.push(Expose::parse(text)?);
            Ok(())
        },
        |spec| show_all(&spec.network.expose),
    )
    .in_unit("ExposeHostPort", Form::Lines)
    .commas(),
    row(
        Flag::with_value("hostname", "NAME", "Host name inside (default the first 12 digits of the ID)").short('h'),
        |spec, text| set_or_clear(&mut spec.network.hostname, text, host_name),
        |spec| show_choice(&spec.network.hostname),
    )
    .in_unit("HostName", Form::Single),
    row(
        Flag::switch("no-hostname", "Leave /etc/hostname as the image has it"),
        |spec, text| set_switch(&mut spec.network.no_hostname, text),
        |spec| show_switch(spec.network.no_hostname),
    ),
    row(
        Flag::with_value("add-host", "NAME[;NAME...]:IP", "Add a line to /etc/hosts; host-gateway stands for the host"),
        |spec, text| {
            spec.network.add_hosts.push(AddHost::parse(text)?);
            Ok(())
        },
        |spec| show_all(&spec.network.add_hosts),
    )
    .in_unit("AddHost", Form::Lines)
    .commas(),
    row(
        Flag::switch("no-hosts", "Leave /etc/hosts as the image has it"),
        |spec, text| set_switch(&mut spec.network.no_hosts, text),
        |spec| show_switch(spec.network.no_hosts),
    ),
    row(
        Flag::with_value("hosts-file", "FILE", "Start /etc/hosts from this file, from image or from none")
            .complete(Complete::File),
        |spec, text| set_or_clear(&mut spec.network.hosts_file, text, |text| word::plain("file name", text)),
        |spec| show_choice(&spec.network.hosts_file),
    ),
    row(
        Flag::with_value("dns", "ADDRESS", "Ask this name server; none leaves /etc/resolv.conf as the image has it"),
        set_dns,
        |spec| match &spec.network.dns {
            None => Vec::new(),
            Some(Dns::None) => vec!["none".to_owned()],
            Some(Dns::Servers(servers)) => show_all(servers),
        },
    )
    .in_unit("DNS", Form::Lines)
    .commas(),
    row(
        Flag::with_value("dns-search", "DOMAIN", "Complete names with this domain; . means none"),
        |spec, text| {
            spec.network.dns_search.push(word::solid("search domain", text)?);
            Ok(())
        },
        |spec| spec.network.dns_search.clone(),
    )
    .in_unit("DNSSearch", Form::Lines)
    .commas(),
    row(
        Flag::with_value("dns-option", "OPTION", "Add an option to /etc/resolv.conf, such as ndots:1"),
        |spec, text| {
            spec.network.dns_options.push(word::solid("resolver option", text)?);
            Ok(())
        },
        |spec| spec.network.dns_options.clone(),
    )
    .in_unit("DNSOption", Form::Lines)
    .commas(),
];

const fn row(
    flag: Flag,
    set: fn(&mut ContainerSpec, &str) -> Result<(), ParseError>,
    show: fn(&ContainerSpec) -> Vec<String>,
) -> Opt {
    Opt::flag(Group::Network, flag, set, show)
}

/// Several named networks add up; any other mode stands alone.
fn set_network(spec: &mut ContainerSpec, text: &str) -> Result<(), ParseError> {
    let mode = Mode::parse(text)?;
    match (&mut spec.network.mode, mode) {
        (Some(Mode::Named(networks)), Mode::Named(more)) => networks.extend(more),
        (Some(before), mode) if *before != mode => {
            let before = before.words().join(", ");
            return Err(ParseError(format!("cannot use network mode {text:?} together with {before:?}")));
        }
        (slot, mode) => *slot = Some(mode),
    }
    Ok(())
}

fn set_dns(spec: &mut ContainerSpec, text: &str) -> Result<(), ParseError> {
    let both = || ParseError("dns none excludes name servers".to_owned());
    if text == "none" {
        return match spec.network.dns.replace(Dns::None) {
            Some(Dns::Servers(_)) => Err(both()),
            _ => Ok(()),
        };
    }
    let server = text.parse().map_err(|_| ParseError::new("name server", text, "expected an IP address or none"))?;
    match spec.network.dns.get_or_insert(Dns::Servers(Vec::new())) {
        Dns::None => return Err(both()),
        Dns::Servers(servers) => servers.push(server),
    }
    Ok(())
}

#[cfg(any(test, feature = "samples"))]
pub(super) const SAMPLES: &[(&str, &str)] = &[
    (
        "network",
        "none|host|private|pasta(:-t,auto|:--mtu,1500)?|container:[a-z]{1,5}|ns:/run/[a-z ]{1,5}|[a-z]{2,5}(,[a-z]{2})?|bridge:ip=10.0.0.[1-9],mac=x",
    ),
    (
        "publish",
        "(127\\.0\\.0\\.1:|\\[::1\\]:)?([1-9][0-9]{0,3})?:[1-9][0-9]{0,3}(/udp|/tcp|/SCTP)?|80(,443)?|8000-8009:9000-9009",
    ),
    ("publish-all", "true|false"),
    ("expose", "[1-9][0-9]{0,3}(/udp)?(,53)?|[1-9]-[1-9][0-9]"),
    ("hostname", "|[a-z0-9][a-z0-9.-]{0,9}"),
    ("no-hostname", "true|false"),
    ("add-host", "[a-z.]?[a-z]{1,5}(;[a-z]{1,5})?:(host-gateway|10\\.0\\.0\\.[0-9]|\\[fd00::[0-9]\\]|fd00::1)"),
    ("no-hosts", "true|false"),
    ("hosts-file", "none|image|/etc/[a-z ,]{1,5}|"),
    ("dns", "none|10\\.0\\.0\\.[0-9](,fd00::[0-9])?"),
    ("dns-search", "\\.|[a-z.]{1,9}(,[a-z]{1,3})?"),
    ("dns-option", "ndots:[0-9]|[a-z]{1,9}"),
];

#[cfg(test)]
mod tests {
    use super::super::samples::checks;

    #[test]
    fn rows_set_and_show() {
        checks::shown(
            super::ROWS,
            &[
                ("network", "none", &["none"]),
                ("net", "host", &["host"]),
                ("network", "default", &["private"]),
                ("network", "pasta:--mtu,1500", &["pasta:--mtu,1500"]),
                ("network", "container:db", &["container:db"]),
                ("network", "ns:/run/netns/a", &["ns:/run/netns/a"]),
                ("network", "bridge", &["bridge"]),
                ("network", "a,b", &["a", "b"]),
                ("network", "a:ip=10.0.0.2,mac=x", &["a:ip=10.0.0.2,mac=x"]),
                ("publish", "80", &["80"]),
                ("publish", "8080:80,53:53/udp", &["8080:80", "53:53/udp"]),
                ("publish", "127.0.0.1::80", &["127.0.0.1::80"]),
                ("publish", ":80/TCP", &["80"]),
                ("publish", "0:80", &["80"]),
                ("publish", "[::1]:8080-8081:80-81/sctp", &["[::1]:8080-8081:80-81/sctp"]),
                ("publish-all", "true", &["true"]),
                ("expose", "80-90/udp", &["80-90/udp"]),
                ("hostname", "web.example", &["web.example"]),
                ("no-hostname", "true", &["true"]),
                ("add-host", "db;database:10.0.0.5", &["db;database:10.0.0.5"]),
                ("add-host", "six:[fd00::1],host:host-gateway", &["six:fd00::1", "host:host-gateway"]),
                ("no-hosts", "true", &["true"]),
                ("hosts-file", "image", &["image"]),
                ("dns", "none", &["none"]),
                ("dns", "9.9.9.9,fd00::1", &["9.9.9.9", "fd00::1"]),
                ("dns-search", ".", &["."]),
                ("dns-option", "ndots:1", &["ndots:1"]),
            ],
        );
    }

    #[test]
    fn named_networks_add_up_and_other_modes_stand_alone() {
        let spec = checks::set_all(&[("network", "a"), ("network", "b:ip=10.0.0.2")]).unwrap();
        assert_eq!(super::super::args(&spec), ["--network=a", "--network=b:ip=10.0.0.2"]);
        let error = checks::set_all(&[("network", "host"), ("network", "a")]).unwrap_err();
        assert_eq!(error.0, "cannot use network mode \"a\" together with \"host\"");
    }

    #[test]
    fn mistakes_are_refused() {
        checks::refused(&[
            ("network", "slirp4netns:mtu=1500", "use pasta"),
            ("network", "container:", "must not be empty"),
            ("network", "host:x", "this mode takes no options"),
            ("network", "-a", "names must match"),
            ("network", "a,ns", "ns is a mode"),
            ("network", "host,a", "host is a mode"),
            ("network", "", "names must match"),
            ("publish", "99999", "invalid port \"99999\": expected a number from 1 to 65535"),
            ("publish", "80:90:100:110", "expected [[ip:][host]:]container[/protocol]"),
            ("publish", "localhost:80:80", "not an IPv4 address"),
            ("publish", "::1:80:80", "an IPv6 address in brackets"),
            ("publish", "[::1]80", "expected [ipv6]:host:container"),
            ("publish", "8000-8009:9000-9004", "host and container port ranges have different lengths: 10 vs 5"),
            ("publish", "80/icmp", "expected tcp, udp or sctp"),
            ("publish", "90-80", "invalid port \"90-80\""),
            ("expose", "x", "invalid port"),
            ("hostname", "a b", "expected letters, digits, dots and dashes"),
            ("hostname", "a\n127.0.0.1 b", "expected letters"),
            ("add-host", "db", "expected NAME[;NAME...]:ADDRESS"),
            ("add-host", "db:here", "expected an IPv4 or IPv6 address or host-gateway"),
            ("add-host", "a b:10.0.0.1", "invalid host name"),
            ("dns", "one.one", "expected an IP address or none"),
            ("dns", "none,9.9.9.9", "dns none excludes name servers"),
            ("dns-search", "a b", "white space"),
        ]);
    }
}
