//! `WWW-Authenticate`, as registries write it (RFC 9110 section 11.6.1).
//!
//! Never fails: what cannot be understood is left out, so a malformed challenge reads as no offer at all.

/// The longest header value that is looked at, in bytes.
const LENGTH_LIMIT: usize = 8 << 10;
/// The most challenges of one header, and parameters of one challenge.
const COUNT_LIMIT: usize = 16;

/// One way a server offers to be convinced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// User name and password with each request.
    Basic,
    /// A token from the service at `realm`.
    Bearer {
        /// A URL.
        realm: String,
        /// To be repeated to the token service.
        service: Option<String>,
        /// What the server thinks we need: `repository:team/web:pull`.
        scope: Option<String>,
    },
}

/// The challenges of one header value that we can answer, in order. Others, such as `Negotiate`, are left out, and so
/// are those with a parameter twice.
pub fn parse_challenge(header: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    if header.len() > LENGTH_LIMIT {
        return found;
    }
    let mut rest = Scanner(header);
    for _ in 0..COUNT_LIMIT {
        rest.skip(|b| b == b' ' || b == b'\t' || b == b',');
        let Some(scheme) = rest.token() else { break };
        let Some(parameters) = rest.parameters() else { break };
        found.extend(challenge(scheme, &parameters));
    }
    found
}

fn challenge(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let twice = |name: &str| parameters.iter().filter(|(other, _)| other == name).count() > 1;
    if parameters.iter().any(|(name, _)| twice(name)) {
        return None;
    }
    let get = |name: &str| parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Challenge::Bearer { realm: get("realm")?, service: get("service"), scope: get("scope") });
    }
    None
}

/// What is left of a header value.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    /// Takes the bytes that `wanted` likes.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        // `wanted` likes ASCII only, so the cut is between characters.
        let end = self.0.bytes().position(|b| !b.is_ascii() || !wanted(b)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        self.take(wanted);
    }

    fn spaces(&mut self) {
        self.skip(|b| b == b' ' || b == b'\t');
    }

    fn token(&mut self) -> Option<&'a str> {
        let token = self.take(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        (!token.is_empty()).then_some(token)
    }

    /// `name=value` pairs up to the next challenge or the end; names in lower case. `None` where it makes no sense.
    fn parameters(&mut self) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        loop {
            let before = self.0;
            self.skip(|b| b == b' ' || b == b'\t' || b == b',');
            if self.0.is_empty() {
                return Some(found);
            }
            let name = self.token()?;
            self.spaces();
            if !self.0.starts_with('=') {
                // Not a parameter but the next scheme's name.
                self.0 = before;
                return Some(found);
            }
            self.0 = &self.0[1..];
            self.spaces();
            let value = self.value()?;
            found.push((name.to_ascii_lowercase(), value));
            if found.len() > COUNT_LIMIT {
                return None;
            }
        }
    }

    fn value(&mut self) -> Option<String> {
        if !self.0.starts_with('"') {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        let mut escaped = false;
        for (at, char) in self.0.char_indices().skip(1) {
            match char {
                _ if escaped => {
                    value.push(char);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(value);
                }
                _ if char.is_control() => return None,
                _ => value.push(char),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Challenge::Bearer { realm: realm.to_owned(), service: own(service), scope: own(scope) }
    }

    #[test]
    fn the_forms_registries_use_are_understood() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull""#;
        let wanted =
            bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:library/x:pull"));
        assert_eq!(parse_challenge(hub), [wanted]);
        assert_eq!(parse_challenge("basic realm=x"), [Challenge::Basic]);
        assert_eq!(parse_challenge("Basic"), [Challenge::Basic]);
        let both = r#"BEARER Realm = "https://a/t" , service=s, Basic realm="a \"b\" c""#;
        assert_eq!(parse_challenge(both), [bearer("https://a/t", Some("s"), None), Challenge::Basic]);
        assert_eq!(parse_challenge(r#"Negotiate, Basic realm="x""#), [Challenge::Basic]);
    }

    #[test]
    fn what_makes_no_sense_offers_nothing() {
        let long = format!("Bearer realm=\"{}\"", "a".repeat(LENGTH_LIMIT));
        let many = (0..100).map(|n| format!("p{n}=x")).collect::<Vec<_>>().join(",");
        let many = format!("Bearer realm=x,{many}");
        for text in [
            "",
            ",,,",
            "Bearer",
            "Bearer service=\"no realm\"",
            "Bearer realm=\"open",
            "Bearer realm=\"a\", realm=\"b\"",
            "Bearer realm=\"a\u{7}b\"",
            &long,
            &many,
        ] {
            assert_eq!(parse_challenge(text), [], "{text:.60?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_parsed(text in "\\PC{0,100}") {
            parse_challenge(&text);
        }

        #[test]
        fn a_quoted_value_comes_back_whole(realm in "[ -~]{0,40}", service in "[ -~]{0,40}") {
            let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("Bearer realm=\"{}\",service=\"{}\"", quote(&realm), quote(&service));
            prop_assert_eq!(parse_challenge(&header), [bearer(&realm, Some(&service), None)]);
        }
    }
}
