//! Image names as people write them: `[registry[:port]/]path[:tag][@digest]`.
//!
//! Grammar and limits: <https://github.com/distribution/reference>. A first part counts as a registry when it has a
//! dot, a port or is `localhost`; anything else is a *short name*, which the local store and then the configured
//! registries complete.

use crate::{Digest, ParseError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A parsed image name. `registry` is absent in a short name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// Host and optional port: `registry.example:5000`.
    pub registry: Option<String>,
    /// Path components joined by `/`: `team/web`.
    pub repository: String,
    /// `1.4`; at most 128 characters.
    pub tag: Option<String>,
    /// Pins the exact manifest.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Parses a name; a scheme such as `docker://` in front is accepted and dropped.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |why: &str| ParseError::new("image name", text, why);
        let rest = text.strip_prefix("docker://").unwrap_or(text);
        if rest.len() > 1024 {
            return Err(bad("longer than 1024 characters"));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(Digest::parse(digest)?)),
            None => (rest, None),
        };
        let (rest, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag {
            if !is_tag(tag) {
                return Err(bad("a tag has 1 to 128 letters, digits, '_', '.' or '-'"));
            }
        }
        let (registry, repository) = match rest.split_once('/') {
            Some((first, path)) if is_registry(first) => (Some(first.to_owned()), path),
            _ => (None, rest),
        };
        if !repository.split('/').all(is_component) || repository.len() > 255 {
            return Err(bad(
                "a repository has lower-case letters, digits and single '.', '_', '__' or '-' between them",
            ));
        }
        Ok(Self { registry, repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
    }

    /// The name without tag and digest.
    pub fn name(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.repository),
            None => self.repository.clone(),
        }
    }

    /// The same name with `latest` where neither a tag nor a digest was written.
    #[must_use]
    pub fn with_default_tag(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// The same name at a registry, for a short name. `docker.io` gets its `library/` for one-part names.
    #[must_use]
    pub fn at(mut self, registry: &str) -> Self {
        if registry == "docker.io" && !self.repository.contains('/') {
            self.repository = format!("library/{}", self.repository);
        }
        self.registry = Some(registry.to_owned());
        self
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let host_ok = !host.is_empty()
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok());
    host_ok && port_ok && (text == "localhost" || text.contains(['.', ':']))
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// One path component: runs of lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let alnum = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !alnum(first) || !alnum(last) {
        return false;
    }
    bytes
        .split(|&b| alnum(b))
        .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|&b| b == b'-'))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Reference {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        Self::parse(&text)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_into_their_parts_and_print_the_same() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (text, registry, repository, tag) in [
            ("busybox", None, "busybox", None),
            ("team/web:1.4", None, "team/web", Some("1.4")),
            ("localhost/web", Some("localhost"), "web", None),
            ("localhost:5000/a/b:t", Some("localhost:5000"), "a/b", Some("t")),
            ("registry.example/team/web:1.4", Some("registry.example"), "team/web", Some("1.4")),
            ("quay.io/a__b/c---d", Some("quay.io"), "a__b/c---d", None),
        ] {
            let parsed = Reference::parse(text).unwrap();
            assert_eq!(
                (parsed.registry.as_deref(), parsed.repository.as_str(), parsed.tag.as_deref()),
                (registry, repository, tag)
            );
            assert_eq!(parsed.to_string(), text);
            let pinned = format!("{text}@{digest}");
            assert_eq!(Reference::parse(&pinned).unwrap().to_string(), pinned);
        }
    }

    #[test]
    fn names_that_could_reach_elsewhere_are_refused() {
        for text in
            ["", "UPPER", "a//b", "../x", "a/../b", "/a", "a/", "web:", "web:a/b:", "a b", "web@sha256:1", "web:-t"]
        {
            assert!(Reference::parse(text).is_err(), "{text:?}");
        }
    }
}
