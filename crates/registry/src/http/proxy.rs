//! Whether a request goes through a proxy: the rules of Go's `httpproxy`, which podman users know.

use super::{Address, Scheme};
use crate::Proxies;
use std::net::IpAddr;

impl Proxies {
    /// The proxy for an address, or none.
    pub(crate) fn choose(&self, address: &Address) -> Option<&str> {
        let proxy = match address.scheme() {
            Scheme::Https => self.https.as_deref(),
            Scheme::Http => self.http.as_deref(),
        };
        proxy.filter(|proxy| !proxy.is_empty() && !bypassed(&self.no_proxy, address))
    }
}

fn bypassed(no_proxy: &str, address: &Address) -> bool {
    let host = address.host().trim_start_matches('[').trim_end_matches(']');
    let ip: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        entry == "*"
            || match ip {
                Some(ip) => covers_ip(&entry, ip, address.port()),
                None => covers_name(&entry, host, address.port()),
            }
    })
}

/// Splits `name:port`; an IPv6 address without brackets has no port.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (entry, None),
    }
}

fn covers_ip(entry: &str, ip: IpAddr, port: u16) -> bool {
    if let Some((network, bits)) = entry.split_once('/') {
        return match (network.parse::<IpAddr>(), bits.parse::<u32>()) {
            (Ok(network), Ok(bits)) => in_network(ip, network, bits),
            _ => false,
        };
    }
    let (host, wanted) = split_port(entry);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse() == Ok(ip) && wanted.is_none_or(|wanted| wanted == port.to_string())
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) if bits <= 32 => {
            (ip.to_bits() ^ network.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) if bits <= 128 => {
            (ip.to_bits() ^ network.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

fn covers_name(entry: &str, host: &str, port: u16) -> bool {
    let (name, wanted) = split_port(entry);
    if wanted.is_some_and(|wanted| wanted != port.to_string()) {
        return false;
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_means_what_go_means() {
        let proxied = |no_proxy: &str, address: &str| {
            let proxies = Proxies { https: Some("p".to_owned()), http: None, no_proxy: no_proxy.to_owned() };
            proxies.choose(&Address::parse(address).unwrap()).is_some()
        };
        assert!(proxied("", "https://r.example/"));
        assert!(!proxied("", "http://r.example/"));
        assert!(
            !proxied("", "https://localhost/") && !proxied("", "https://127.0.0.9/") && !proxied("", "https://[::1]/")
        );
        for (no_proxy, bypass) in [
            ("r.example", true),
            ("example", true),
            ("a.b , EXAMPLE", true),
            (".example", true),
            ("*.example", true),
            ("*", true),
            ("r.example:443", true),
            ("r.example:5000", false),
            (".r.example", false),
            ("xample", false),
            ("10.0.0.0/8", false),
        ] {
            assert_eq!(!proxied(no_proxy, "https://r.example/"), bypass, "{no_proxy}");
        }
        for (no_proxy, bypass) in [
            ("10.0.0.0/8", true),
            ("10.1.2.3", true),
            ("10.1.2.3:443", true),
            ("0.0.0.0/0", true),
            ("10.1.2.4", false),
            ("10.0.0.0/99", false),
        ] {
            assert_eq!(!proxied(no_proxy, "https://10.1.2.3/"), bypass, "{no_proxy}");
        }
        assert!(!proxied("fd00::/8", "https://[fd00::1]/") && proxied("fd00::/8", "https://[fe00::1]/"));
        assert!(!proxied("[fd00::1]:443", "https://[fd00::1]/") && !proxied("fd00::1", "https://[fd00::1]/"));
    }
}
