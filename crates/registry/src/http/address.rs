//! An http or https address, and what a `Location:` header makes of it.
//!
//! No user names, no fragments, no other schemes: an address that exists can be requested. The query may be a signature,
//! so what prints is without it.

use std::fmt;
use ureq::http::Uri;

/// The longest address that is followed, in bytes.
const LENGTH_LIMIT: usize = 16 << 10;

/// How bytes get to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Https,
    Http,
}

/// Where a request goes. Prints without the query.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    scheme: Scheme,
    /// Lower case; IPv6 in brackets.
    host: String,
    port: u16,
    /// Begins with `/`; with the query.
    path: String,
}

impl Address {
    /// A path (beginning with `/`) at a registry's `host[:port]`; Docker Hub is spoken to at its own host.
    pub(crate) fn registry(scheme: Scheme, registry: &str, path: &str) -> Result<Self, String> {
        let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
        let scheme = if scheme == Scheme::Https { "https" } else { "http" };
        Self::parse(&format!("{scheme}://{host}{path}"))
    }

    /// Parses an absolute address. The error is the reason.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH_LIMIT {
            return Err(format!("an address longer than {LENGTH_LIMIT} bytes"));
        }
        let text = text.split('#').next().unwrap_or_default();
        let shown = || super::plain_words(text.split('?').next().unwrap_or_default());
        let scheme = match text.split_once(':') {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ => return Err(format!("{:?} is neither http nor https", shown())),
        };
        let uri: Uri = text.parse().map_err(|_| format!("malformed address {:?}", shown()))?;
        let authority = uri.authority().ok_or_else(|| format!("no host in {:?}", shown()))?;
        if authority.as_str().contains('@') {
            // Not shown: it may be a password.
            return Err("an address with a user name".to_owned());
        }
        if authority.host().is_empty() {
            return Err(format!("no host in {:?}", shown()));
        }
        // `port_u16` reads "no port" out of a malformed one.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => scheme.port(),
            Some(_) => authority.port_u16().ok_or_else(|| format!("bad port in {:?}", shown()))?,
            None => return Err(format!("malformed address {:?}", shown())),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { scheme, host: authority.host().to_ascii_lowercase(), port, path })
    }

    /// What a `Location:` or `Link:` header in an answer from here means.
    pub(crate) fn join(&self, location: &str) -> Result<Self, String> {
        let scheme = if self.scheme == Scheme::Https { "https" } else { "http" };
        let has_scheme = location.find("://").is_some_and(|at| !location[..at].contains(['/', '?', '#']));
        if has_scheme {
            return Self::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let base = format!("{scheme}://{}:{}", self.host, self.port);
        if location.starts_with('/') {
            return Self::parse(&format!("{base}{location}"));
        }
        // `file:/etc/passwd`, `data:…`: a scheme all the same.
        let word = location.split(['/', '?', '#']).next().unwrap_or_default();
        if location.is_empty() || word.contains(':') {
            return Err(format!("{:?} is neither http nor https", super::plain_words(location)));
        }
        let path = self.path.split('?').next().unwrap_or_default();
        let directory = path.rfind('/').map_or("/", |end| &path[..=end]);
        Self::parse(&format!("{base}{directory}{location}"))
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// With the query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether both are the same server: credentials for one are credentials for the other.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }

    /// The same address with another parameter in its query.
    #[must_use]
    pub(crate) fn with_query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(name);
        self.path.push('=');
        self.path.push_str(&encoded(value));
        self
    }

    /// The whole text, query included; for the wire only.
    pub(crate) fn to_wire(&self) -> String {
        let default = self.port == self.scheme.port();
        let scheme = if self.scheme == Scheme::Https { "https" } else { "http" };
        match default {
            true => format!("{scheme}://{}{}", self.host, self.path),
            false => format!("{scheme}://{}:{}{}", self.host, self.port, self.path),
        }
    }
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub(crate) fn encoded(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = self.to_wire();
        f.write_str(wire.split('?').next().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_location_header_is_read_as_browsers_do() {
        let base = Address::parse("https://r.example:5000/v2/a/blobs/x?y=1").unwrap();
        for (location, wire) in [
            ("/z?k=v", "https://r.example:5000/z?k=v"),
            ("z", "https://r.example:5000/v2/a/blobs/z"),
            ("z?u=http://q", "https://r.example:5000/v2/a/blobs/z?u=http://q"),
            ("//cdn.example/z", "https://cdn.example/z"),
            ("http://CDN.example:80", "http://cdn.example/"),
            ("https://[::1]:5/z#part", "https://[::1]:5/z"),
            ("https://cdn.example?sig=1", "https://cdn.example/?sig=1"),
        ] {
            assert_eq!(base.join(location).unwrap().to_wire(), wire, "{location}");
        }
    }

    #[test]
    fn what_is_not_http_is_refused() {
        let base = Address::parse("https://r.example/v2/").unwrap();
        for location in [
            "",
            "file:///etc/passwd",
            "file:/etc/passwd",
            "data:x",
            "ftp://a/b",
            "https://user:pw@a/b",
            "https://",
            "https://a:99999/",
            "https://a:/",
            "https:///x",
            "https://a b/",
            "/a b",
        ] {
            let error = base.join(location).unwrap_err();
            assert!(!error.contains("pw"), "{error}");
        }
        assert!(base.join(&format!("/{}", "a".repeat(LENGTH_LIMIT))).is_err());
    }

    #[test]
    fn a_signature_in_the_query_is_never_printed() {
        let address = Address::parse("https://s3.example/x?sig=secret").unwrap();
        assert_eq!(format!("{address} {address:?}"), "https://s3.example/x https://s3.example/x");
        let asked = address.with_query("scope", "repository:a/b:pull");
        assert_eq!(asked.to_wire(), "https://s3.example/x?sig=secret&scope=repository%3Aa%2Fb%3Apull");
    }

    #[test]
    fn a_port_makes_another_server() {
        let at = |text| Address::parse(text).unwrap();
        assert!(at("https://a/x").same_origin(&at("https://A:443/y")));
        assert!(!at("https://a/").same_origin(&at("https://a:444/")));
        assert!(!at("https://a/").same_origin(&at("http://a:443/")));
    }

    proptest! {
        #[test]
        fn any_location_is_read_or_refused(location in "\\PC{0,60}") {
            let base = Address::parse("https://r.example/v2/").unwrap();
            if let Ok(address) = base.join(&location) {
                prop_assert_eq!(Address::parse(&address.to_wire()).unwrap(), address);
            }
        }
    }
}
